"""What happens at a check while a model learns: figures are logged, the best step is marked, illness is said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from gan_zoo.evaluation.translated_batches import Batches
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.training import health
from gan_zoo.training.callbacks import Logs, StepCallback, keep_if_due
from gan_zoo.training.early_stopping import EarlyStopping
from gan_zoo.training.health_log import HealthLog, best_of, lines_until
from gan_zoo.training.health_measures import discriminator_losses, finite, gradient_norms
from gan_zoo.training.validation import Validation

NUM_EXAMPLES, BATCH_SIZE = 16, 4


class FirstExamples:
    """The first examples of batches, read anew each time: nothing of them stays in memory.

    Args:
        batches: from `gan_zoo.data.pipeline.evaluation_batches`; it may give more or less than `BATCH_SIZE` at a time.
        count: how many, where there are as many.
    """

    def __init__(self, batches: Batches, count: int = NUM_EXAMPLES) -> None:
        self.batches, self.count = batches, count

    def __iter__(self) -> Iterator[Mapping[str, tf.Tensor]]:
        left = self.count
        for batch in self.batches:
            yield {key: value[:left] for key, value in batch.items()}
            left -= len(batch["example_index"])
            if left <= 0:
                return


def check_in_words(
    values: Mapping[str, float | None], best_metric: str | None, lines: Sequence[Mapping[str, Any]]
) -> str:
    """A check in one line: its figure beside the best one so far, and how good the colours are, where that is known.

    Args:
        values: of this check, by figure.
        best_metric: by which checkpoints are judged; None for none.
        lines: of `health.jsonl`, the last one this check's.
    """
    words = []
    if best_metric and (value := values.get(best_metric)) is not None:
        step, best = best_of(lines, best_metric)
        beside = "the best so far" if step == lines[-1]["step"] else f"best {best:.4g} at step {step}"
        words.append(f"{best_metric} {value:.4g} ({beside})")
    ratios = {name: values.get(f"{name}/ratio") for name in ("colourfulness", "ab_spread")}
    if None not in ratios.values():
        words.append(
            "{colourfulness:.2f} of the truth's colourfulness, {ab_spread:.2f} of its ab spread".format(**ratios)
        )
    agreement, floor = values.get("region_agreement"), values.get("region_agreement/floor")
    if None not in (agreement, floor):
        words.append(f"region agreement {agreement:.3f} (floor {floor:.3f})")
    return ", ".join(words)


def mark_if_best(
    checkpoints: Checkpoints, step: int, lines: Sequence[Mapping[str, Any]], best_metric: str | None
) -> None:
    """Marks the checkpoint of a step if that is the best one of all lines of `health.jsonl`; None for no figure."""
    best = best_of(lines, best_metric) if best_metric else None
    if best and best[0] == step:
        checkpoints.mark_best(step, best_metric, best[1])


def finish(checkpoints: Checkpoints, step: int, keep_every: int, best_metric: str | None) -> None:
    """Does what a run that is at its end was to do with its last checkpoint, and may have been killed before.

    Args:
        checkpoints: of the run.
        step: of the last one.
        keep_every: every how many steps one is kept for good; 0 for never.
        best_metric: by which figure one is the best; None for none.
    """
    workdir = checkpoints.folder.parent
    keep_if_due(checkpoints, step, keep_every)
    if (best_record(workdir) or {}).get("step") != step:
        mark_if_best(checkpoints, step, lines_until(workdir, step), best_metric)


class Validate(StepCallback):
    """Every few steps takes the figures and measures of a few fixed examples, logs them, and says what is wrong.

    It must come before what saves the checkpoint of that step: a checkpoint whose step was checked has its line in the
    log, so that a run that was killed goes on with all that one left alone would know.

    Args:
        start_step: steps done before this `fit`.
        validation: what to measure, and by which figure a checkpoint is the best one.
        batches, training_batches: the examples; None where those of training have nothing to say, or are the same.
        log: the lines of the run.
        checkpoints: where the best one is marked.
        every: steps between two checks.
        steps_per_epoch: of a data epoch.
        early_stopping: when to save and stop the run; None for never.
        gan_mode: of the losses; None for a model without.
        writer: gets the figures for TensorBoard, as `validation/<name>`.
        say: takes the sentences.

    Attributes:
        stopped: why the run was stopped early; None if it was not.
    """

    def __init__(
        self,
        start_step: int,
        *,
        validation: Validation,
        batches: Batches,
        training_batches: Batches | None,
        log: HealthLog,
        checkpoints: Checkpoints,
        every: int,
        steps_per_epoch: int,
        early_stopping: EarlyStopping | None,
        gan_mode: str | None,
        writer: tf.summary.SummaryWriter,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(start_step)
        self.validation, self.log, self.checkpoints, self.every = validation, log, checkpoints, every
        self.batches = FirstExamples(batches)
        self.training_batches = None if training_batches is None else FirstExamples(training_batches)
        self.gan_mode, self.writer, self.say = gan_mode, writer, say
        self.early_stopping, self.steps_per_epoch = early_stopping, steps_per_epoch
        self.stopped: str | None = None
        self._said_none = False  # that there is no figure to choose by

    @property
    def last(self) -> tuple[str, float] | None:
        """Name and value of the figure that the best checkpoint is chosen by, as of the last check."""
        name = self.validation.best_metric
        figure = self.log.lines[-1]["figures"].get(name) if self.log.lines else None
        return (name, figure["value"]) if figure and figure["value"] is not None else None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._mark_best(self.start_step)  # the run may have been stopped between the save and the mark

    def on_step(self, step: int, logs: Logs) -> None:
        if step % self.every == 0:
            self.check(step, logs)

    def check(self, step: int, logs: Logs) -> None:
        """Measures, logs, says what was found, marks, and stops the run if it is time."""
        figures, of_translators, refused = self.validation(self.batches, self.training_batches)
        values = finite({name: float(figure.value) for name, figure in figures.items()})
        line: dict[str, Any] = {
            "step": step,
            "figures": {name: {"value": values[name], "better": figure.better} for name, figure in figures.items()},
            "measures": {
                "translators": of_translators,
                "discriminator_losses": finite(discriminator_losses(logs, self.gan_mode)),
                "gradient_norms": finite(gradient_norms(self.model.optimizers)),
            },
        }
        line["warnings"] = health.check([*self.log.lines, line])
        self.log.append(line)  # before the checkpoint: where this is not there, the check is done again
        with self.writer.as_default(step=step):
            for name, value in values.items():
                if value is not None:
                    tf.summary.scalar(f"validation/{name}", value)
        if said := check_in_words(values, self.validation.best_metric, self.log.lines):
            self.say(f"check at step {step}, epoch {(step - 1) // self.steps_per_epoch + 1}: {said}")
        self._say_if_none(step, values, refused)
        for sentence in line["warnings"].values():
            self.say(f"warning at step {step}: {sentence}")
        self._mark_best(step)
        if self.early_stopping:
            self.stopped = self.early_stopping.reason(self.log.lines, best_record(self.log.path.parent))
        if self.stopped:
            self.checkpoints.save(step)
            self.model.stop_training = True

    def _say_if_none(self, step: int, values: Mapping[str, float | None], refused: Mapping[str, str]) -> None:
        """Says, once, that the figure by which checkpoints are judged cannot be had, and what that means."""
        name = self.validation.best_metric
        if self._said_none or name is None or values.get(name) is not None:
            return
        self._said_none = True
        acts = ", and --early_stopping cannot act" if self.early_stopping else ""
        reason = refused.get(name, "it has no finite value")
        self.say(f"no {name} at step {step}, so no checkpoint is marked as the best{acts}: {reason}")

    def _mark_best(self, step: int) -> None:
        mark_if_best(self.checkpoints, step, self.log.lines, self.validation.best_metric)
