"""What happens at a check while a model learns: figures are logged, the best step is marked, illness is said."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from gan_zoo import health
from gan_zoo.callbacks import Logs, StepCallback
from gan_zoo.checkpoints import Checkpoints
from gan_zoo.early_stopping import EarlyStopping
from gan_zoo.health_log import HealthLog, best_of
from gan_zoo.health_measures import discriminator_losses, finite, gradient_norms
from gan_zoo.translated_batches import Batches
from gan_zoo.validation import Validation

NUM_EXAMPLES, BATCH_SIZE = 16, 4


class FirstExamples:
    """The first examples of batches, read anew each time: nothing of them stays in memory.

    Args:
        batches: from `gan_zoo.pipeline.evaluation_batches`, which may give more or less than `BATCH_SIZE` at a time.
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
        self.early_stopping = early_stopping
        self.stopped: str | None = None

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
        """Measures, logs, warns, marks, and stops the run if it is time."""
        figures, of_translators = self.validation(self.batches, self.training_batches)
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
        for sentence in line["warnings"].values():
            self.say(f"warning at step {step}: {sentence}")
        self._mark_best(step)
        self.stopped = self.early_stopping and self.early_stopping.reason(self.log.lines)
        if self.stopped:
            self.checkpoints.save(step)
            self.model.stop_training = True

    def _mark_best(self, step: int) -> None:
        name = self.validation.best_metric
        best = best_of(self.log.lines, name) if name else None
        if best and best[0] == step:
            self.checkpoints.mark_best(step, name, best[1])
