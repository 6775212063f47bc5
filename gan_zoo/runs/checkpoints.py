"""What a checkpoint holds, how it is written so that a crash harms nothing, and how it is read again.

Where its files lie is in `checkpoint_files.py`. What is on the disk is the truth: the file in which TensorFlow names
the newest checkpoint is written for its own tools, and never read.
"""

import errno
import math
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.errors import NonFiniteError, UserError
from gan_zoo.runs.checkpoint_files import (
    FOLDER,
    KEPT_FOLDER,
    PARTIAL,
    PREFIX,
    best_path,
    last_paths,
    link,
    newest_whole,
    paths_by_step,
    point_to_best,
    publish,
    remove_leftovers,
    step_of,
)
from gan_zoo.runs.damage import damage_of, remember_whole
from gan_zoo.runs.record import Run

LAST_ONES = 3
_OTHER = "take another one, or bring it back from a copy"


class _RunRecord(tf.train.experimental.PythonState):
    """The run's settings and versions as a value inside the checkpoint."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def serialize(self) -> str:
        return self.run.to_json()

    def deserialize(self, string_value: str) -> None:
        self.run = Run.from_json(string_value)


class Checkpoints:
    """The checkpoints of a training run.

    Args:
        workdir: the run's folder.
        model: a compiled `TranslationModel`: its `networks`, `optimizers`, `seed_states` and `extra_state` are saved.
        run: the record that is saved with them.
        plateau: the state of a learning-rate policy that has one.
        confirm: raises where the folder is not ours any more; asked before anything is written.

    Attributes:
        restored_run: the record in the checkpoint that was restored, None before that.
    """

    def __init__(
        self,
        workdir: str | os.PathLike[str],
        model: Any,
        run: Run,
        plateau: tf.train.experimental.PythonState | None = None,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = pathlib.Path(workdir) / FOLDER
        self.restored_run: Run | None = None
        self._model, self._confirm = model, confirm
        self._saved_step: int | None = None
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._record = _RunRecord(run)
        parts = (*model.networks.values(), *model.optimizers.values())
        self._variables = [
            variable
            for variable in (*(variable for part in parts for variable in part.variables), *model.extra_state.values())
            if np.issubdtype(keras.backend.standardize_dtype(variable.dtype), np.floating)
        ]
        self._checkpoint = tf.train.Checkpoint(
            networks=dict(model.networks),
            optimizers=dict(model.optimizers),
            seed_states=list(model.seed_states),
            step=self._step,
            run=self._record,
            # What a run does not have is not named either: checkpoints from before there was such a thing still fit.
            **({"extra_state": dict(model.extra_state)} if model.extra_state else {}),
            **({"plateau": plateau} if plateau is not None else {}),
        )
        self._checkpoint.save_counter  # noqa: B018 (made when it is asked for; checkpoints have always had it)

    def record(self, run: Run) -> None:
        """Saves another record from now on."""
        self._record.run = run

    def restore_latest(self) -> int:
        """Brings everything to where the newest whole checkpoint has it, and removes what a crash left half-written.

        Returns:
            Its step; 0 where there is none.

        Raises:
            UserError: where all checkpoints are damaged, or the newest is of another model.
        """
        remove_leftovers(self.folder)
        path = latest_checkpoint(self.folder.parent)
        if path is None:
            return 0
        if step_of(path) == 0:  # weights from elsewhere: all but them starts anew, as the settings now have it
            return restore_networks(self._model, self.folder.parent)
        run = self._record.run
        status = _restore(self._checkpoint, path)
        try:
            status.assert_consumed()
        except AssertionError as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"checkpoint {path} does not fit: it was saved by other code, or with other settings ({reason})"
            ) from None
        self.restored_run, self._record.run = self._record.run, run
        return int(self._step.numpy())

    def save(self, step: int) -> str:
        """Writes a checkpoint, unless it has just written that of the same step, and removes all but the last three.

        Raises:
            NonFiniteError: if a weight is not finite; nothing is written then.
            UserError: if the disk is full; the checkpoints before stay whole.
        """
        if self._saved_step == step:
            return str(self.folder / f"{PREFIX}-{step}")
        if not all(np.isfinite(variable.numpy()).all() for variable in self._variables):
            raise NonFiniteError(f"weights are not finite at step {step}: {self.where_to_go_back()}")
        self._confirm()
        self._step.assign(step)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._checkpoint.write(str(self.folder / f"{PREFIX}-{step}.{PARTIAL}"))
            path = publish(self.folder, step, LAST_ONES - 1)
        except (tf.errors.OpError, OSError) as error:
            remove_leftovers(self.folder)
            full = isinstance(error, tf.errors.ResourceExhaustedError) or "No space left" in str(error)
            if full or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                reason = "no space left on the disk"
            else:
                reason = str(error).splitlines()[0]
            raise UserError(
                f"the checkpoint of step {step} could not be written to {self.folder} ({reason}): "
                f"{self.where_to_go_back()}"
            ) from None
        remember_whole(path)
        self._saved_step = step
        return path

    def keep(self, step: int) -> None:
        """Keeps the checkpoint of a step for good, beside those that come and go; once more changes nothing."""
        self._confirm()
        kept = self.folder / KEPT_FOLDER
        kept.mkdir(exist_ok=True)
        link(self.folder, step, kept)

    def mark_best(self, step: int, metric: str, value: float) -> None:
        """Makes the checkpoint of a step, which is saved if it is not, the one called `best`; again is no matter."""
        if latest_step(self.folder.parent) != step:
            self.save(step)
        self._confirm()
        point_to_best(self.folder, step, metric, value)

    def check_space(self, best: bool = False) -> None:
        """Refuses to start a run whose checkpoints will not fit, with or without one that is called `best`.

        Raises:
            UserError: if the disk has no room for them.
        """
        existing = next(parent for parent in self.folder.parents if parent.exists())
        size = sum(4 * math.prod(variable.shape) for variable in self._variables)
        missing = LAST_ONES + 1 - len(last_paths(self.folder.parent))
        missing += best and best_path(self.folder.parent) is None
        free = shutil.disk_usage(existing).free
        if free < missing * size:
            raise UserError(
                f"no space left on the disk: {missing} checkpoints of {size / 1e6:.1f} MB have to fit into "
                f"{existing}, which has {free / 1e6:.1f} MB free"
            )

    def where_to_go_back(self) -> str:
        """A sentence for whoever has to stop."""
        path = latest_checkpoint(self.folder.parent)
        return f"the last good checkpoint is {path}" if path else "there is no checkpoint before it"


def latest_checkpoint(workdir: str | os.PathLike[str]) -> str | None:
    """The path prefix of a run's newest whole checkpoint, None where there is none.

    Raises:
        UserError: where all are damaged, or one may not be read.
    """
    return newest_whole(workdir)


def latest_step(workdir: str | os.PathLike[str]) -> int:
    """The step of a run's newest whole checkpoint, 0 where there is none; raises as `latest_checkpoint`."""
    path = latest_checkpoint(workdir)
    return step_of(path) if path else 0


def restore_networks(model: Any, workdir: str | os.PathLike[str], checkpoint: str = "latest") -> int:
    """Loads the weights of one of a run's checkpoints into `model.networks`, for use without training.

    Args:
        model: a `TranslationModel`.
        workdir: the run's folder.
        checkpoint: "latest", "best", or the step of one of the last ones or of those kept for good.

    Returns:
        The step at which they were saved.

    Raises:
        UserError: where there is no such checkpoint, or it is damaged or of another model.
    """
    folder = pathlib.Path(workdir) / FOLDER
    best = best_path(workdir)
    paths = paths_by_step(workdir)
    if not paths:
        raise UserError(f"no checkpoint in {folder}: train first")
    if checkpoint == "latest":
        path = latest_checkpoint(workdir) or list(paths.values())[-1]
    elif checkpoint == "best" and best:
        path = best
    elif checkpoint in map(str, paths):
        path = paths[int(checkpoint)]
    else:
        steps = ", ".join(map(str, paths))
        known = "latest, best" if best else "latest"
        reason = "no check has marked one in this run; " if checkpoint == "best" else ""
        raise UserError(
            f"--checkpoint={checkpoint}: {reason}give {known}, or the step of a checkpoint that is there: {steps}"
        )
    status = _restore(tf.train.Checkpoint(networks=dict(model.networks)), path).expect_partial()
    try:
        status.assert_existing_objects_matched()
    except AssertionError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"checkpoint {path} does not fit: it was saved by other code, or with other settings ({reason})"
        ) from None
    return step_of(path)


def _restore(checkpoint: tf.train.Checkpoint, path: str) -> Any:
    if damage := damage_of(path):
        raise UserError(f"checkpoint {path} is damaged ({damage}): {_OTHER}")
    try:
        return checkpoint.restore(path)
    # What TensorFlow raises for a damaged file depends on where the damage is.
    except (tf.errors.OpError, ValueError, IndexError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        if "incompatible tensor with shape" in reason:
            raise UserError(
                f"checkpoint {path} does not fit these settings: repeat those of the run "
                f"(for an imported one those that import_weights.py printed); {reason}"
            ) from None
        raise UserError(f"checkpoint {path} is damaged ({reason}): {_OTHER}") from None
