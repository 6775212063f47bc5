"""A run while it trains: what it is made of, and what it does with its folder before the first step."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.data.label_maps import recognised
from gan_zoo.data.pipeline import ExampleSource, evaluation_batches, training_stream
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.data.value_range import unfilled
from gan_zoo.errors import UserError
from gan_zoo.evaluation.translated_batches import has_masks
from gan_zoo.models.base import StartingWeights, TranslationModel, target_multiple
from gan_zoo.pretrained import fetching
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.runs.checkpoints import Checkpoints, latest_checkpoint, latest_step
from gan_zoo.runs.loading import take_weights
from gan_zoo.runs.lock import LOCK_FILE, RunLock
from gan_zoo.runs.record import CONFIG_FILE, Run, in_words
from gan_zoo.runs.workdir import check_workdir, clear_leftovers, make_workdir
from gan_zoo.training.checks import finish
from gan_zoo.training.early_stopping import early_stopping
from gan_zoo.training.health_log import lines_until
from gan_zoo.training.plateau import Plateau
from gan_zoo.training.setup import build_model, check_batch, count_steps, learning_rate_schedule
from gan_zoo.training.validation import Validation

EPOCH = "epoch"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Intervals:
    """How often something happens beside the training itself."""

    checkpoint_minutes: float = 10.0
    keep_every: int = 0  # data epochs; 0: none is kept for good
    sample_every: int = 1000  # steps; 0: no pictures
    evaluate_every: int | Literal["epoch"] = 500  # steps, or a data epoch; 0: no checks on validation examples
    log_every: int = 50  # steps
    early_stopping: int = 0  # checks without a new best, after which the run stops; 0: it does not


class Session:
    """Owns what a run is made of while it trains. Setting it up refuses what cannot be trained, and starts nothing.

    Args:
        model_class, config, run, workdir, source, sample_source, strategy, intervals, best_metric, resume_with,
            init_from: as of `gan_zoo.training.loop.train`.
        lock: of the folder; taken at once where there is a run in it, of which leftovers of killed writers are cleared;
            else when the folder is made.

    Attributes:
        start_step: steps done before; 0 for a new run.
        steps_per_epoch, total_steps: of a data epoch, and of the whole run.
        model: compiled, its weights those of a new run until `load_or_start`.
        validation: what is measured while it learns; None for nothing.
        early_stopping: the rule by which the run stops before its last step; None for none.

    Raises:
        UserError: for what the user can mend.
    """

    def __init__(
        self,
        model_class: type[TranslationModel],
        config: Config,
        run: Run,
        workdir: str | os.PathLike[str],
        lock: RunLock,
        *,
        source: ExampleSource,
        sample_source: ExampleSource,
        strategy: tf.distribute.Strategy,
        intervals: Intervals,
        best_metric: str | None,
        resume_with: Sequence[str] = (),
        init_from: str | None = None,
    ) -> None:
        check = functools.partial(
            check_workdir, workdir, run, model_class.config_class, resume_with=resume_with, init_from=init_from
        )
        self.run, self._changes = check()
        self.lock = lock
        if any((pathlib.Path(workdir) / name).exists() for name in (CONFIG_FILE, LOCK_FILE)):
            lock.take()
            clear_leftovers(workdir)
            self.run, self._changes = check()  # as the process that had it has left it
        self._init_from = init_from
        check_batch(config, strategy)
        if not len(source):
            raise UserError("the data set has no examples to train on")
        self.config, self.workdir, self.intervals = config, pathlib.Path(workdir), intervals
        self.source, self.sample_source, self.strategy = source, sample_source, strategy
        self.steps_per_epoch, self.total_steps = count_steps(config, len(source))
        self.start_step = latest_step(workdir)
        self.plateau = Plateau(config.learning_rate) if config.schedule == "plateau" else None
        self._schedule = (
            None if self.plateau else learning_rate_schedule(config, self.total_steps, self.steps_per_epoch)
        )
        with strategy.scope():
            self.model = build_model(model_class, config)
            self.model.compile(self._schedule)
        self.validation = None
        if intervals.evaluate_every:
            masks = self.model.data_kind == "single" and has_masks(sample_source)
            self.validation = Validation(self.model.translators, best_metric, masks=masks)
        settled_step = self.model.settled_epoch * self.steps_per_epoch
        self.early_stopping = early_stopping(intervals.early_stopping, self.validation, settled_step)
        self.checkpoints = Checkpoints(workdir, self.model, self.run, self.plateau, confirm=lock.confirm)

    @property
    def best_metric(self) -> str | None:
        """The figure by which a checkpoint is the best one; None for none."""
        return self.validation and self.validation.best_metric

    @property
    def check_every(self) -> int:
        """Steps between two checks; 0 for none."""
        every = self.intervals.evaluate_every
        return self.steps_per_epoch if every == EPOCH else every

    def learning_rate(self, step: int) -> float:
        """The rate with which `step` was made."""
        return self.plateau.rate if self.plateau else float(self._schedule(step - 1))

    def nothing_to_do(self) -> str | None:
        """Why there is no step left to train; None where there is one."""
        if self.start_step >= self.total_steps:
            return "more --epochs or --steps go on"
        if self.early_stopping is None:
            return None
        return self.early_stopping.reason(lines_until(self.workdir, self.start_step), best_record(self.workdir))

    def finish(self) -> None:
        """Makes up for what the run was to do with its last checkpoint, and may have been killed before."""
        finish(self.checkpoints, self.start_step, self.intervals.keep_every * self.steps_per_epoch, self.best_metric)

    def load_or_start(self, say: Callable[[str], None]) -> None:
        """Brings the model to where the newest checkpoint has it, or to where a new run starts, and makes the folder.

        Raises:
            UserError: where the disk has no room, or weights cannot be had or do not fit; the folder stays as it is.
        """
        self.checkpoints.check_space(best=self.best_metric is not None)
        self.start_step = self.checkpoints.restore_latest()
        wanted = self.model.starting_weights
        new = latest_checkpoint(self.workdir) is None
        if new and self._init_from:
            self._start_from(self._init_from, say)
        elif new and wanted is not None:
            self.model.load_pretrained(_read(wanted))
        if (wanted := self.model.loss_weights) is not None:
            with self.strategy.scope():
                self.model.load_loss_weights(_read(wanted))
        make_workdir(self.workdir, self.run, self.lock)
        if new:
            for sentence in (*unfilled(self.source, self.config), *recognised(self.source, self.config)):
                say(f"note: {sentence}")
        if self.validation and self.validation.left_out:
            say(self.validation.left_out)
        if self.start_step:
            say(f"going on after step {self.start_step} of {self.total_steps}")
            for name, pair in self._changes.items():
                say(f"changed from here on: {in_words(name, *pair)}")
            self._renew_rate()
            if changes := _changed_versions(self.checkpoints.restored_run, self.run):
                say(f"other versions than before, so the result may differ in rounding: {', '.join(changes)}")

    def _start_from(self, workdir: str, say: Callable[[str], None]) -> None:
        """Begins with the weights of another run."""
        of_step = take_weights(self.model, workdir)
        begun = {"step": 0, "init_from": os.path.abspath(workdir), "of_step": of_step}
        self.run = dataclasses.replace(self.run, history=[begun])
        self.checkpoints.record(self.run)
        say(f"starting with the weights of {workdir} at step {of_step}")

    def _renew_rate(self) -> None:
        """Where the user gives another learning rate, a policy that keeps its own begins with that one."""
        before = self.checkpoints.restored_run
        if self.plateau is None or before is None or before.settings["learning_rate"] == self.config.learning_rate:
            return
        self.plateau.rate = self.config.learning_rate
        for name, optimizer in self.model.optimizers.items():
            optimizer.learning_rate.assign(self.model.learning_rate_of(name, self.plateau.rate))

    def training_stream(self, skipped: SkippedFiles) -> tf.data.Dataset:
        """The endless stream of batches from the step after `start_step` on."""
        return training_stream(
            self.source,
            self.config,
            start_step=self.start_step,
            num_replicas=self.strategy.num_replicas_in_sync,
            batch_parts=self.config.batch_parts,
            skipped=skipped,
            **self._sides,
        )

    def plain_batches(self, source: ExampleSource, batch_size: int, skipped: SkippedFiles) -> tf.data.Dataset:
        """The examples of a source in their order, without augmentation."""
        return evaluation_batches(source, self.config, batch_size=batch_size, skipped=skipped, **self._sides)

    @property
    def _sides(self) -> Mapping[str, Any]:
        """What the pipeline has to know of the model."""
        return {
            "size_multiple": target_multiple(self.model.translators),
            "min_side": self.config.min_side,
            "make_input": self.model.make_input,
            "skip_grey": self.model.skip_grey,
            "skip_small": self.model.skip_small,
        }


def _read(wanted: StartingWeights) -> Mapping[str, np.ndarray] | str:
    return fetching.load(wanted.name) if wanted.name else fetching.read_given(wanted.file, wanted.setting)


def _changed_versions(before: Run, now: Run) -> list[str]:
    if before.versions == now.versions:
        return []
    return [f"{name} {before.versions.get(name)} -> {version}" for name, version in now.versions.items()]
