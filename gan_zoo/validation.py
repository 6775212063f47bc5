"""How good the model is on a few validation examples while it learns, whether it is ill, and which step was best."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo import health
from gan_zoo.callbacks import Logs, StepCallback
from gan_zoo.checkpoints import Checkpoints
from gan_zoo.errors import UserError
from gan_zoo.health_log import HealthLog, best_of
from gan_zoo.health_measures import ImageMeasures, discriminator_losses, finite, gradient_norms
from gan_zoo.images import to_uint8
from gan_zoo.metrics import METRICS, build, choose
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric
from gan_zoo.translated_batches import Batches, TranslatedBatches, provides, reference_images

NUM_EXAMPLES, NUM_SAMPLES, BATCH_SIZE = 16, 4, 4
SEED = 0  # of the noise, the same at every check of every run
NONE = "none"


class TranslatorValidation:
    """The cheap figures of one translator, those that need no weights of others, and its measures for `health`.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        more: the key of a metric that is not one of the default ones.

    Attributes:
        figures: by metric, for each figure whether it is better when "higher", "lower" or "none".

    Raises:
        UserError: for a metric that is not cheap, or cannot be had of this translator.
    """

    def __init__(self, translator: Any, more: str | None = None) -> None:
        self.translator = translator
        # What dropout makes of another seed hardly differs, and is meant not to.
        fields = provides(translator) - (frozenset() if translator.latent_dim else {"samples"})
        channels = translator.output_channels
        keys = [key for key in choose(None, fields, channels, True) if METRICS[key].weights is None]
        if more is not None and more not in keys:
            if more not in METRICS or METRICS[more].weights is not None:
                raise UserError(f"{more} is no metric that is cheap enough; there are {', '.join(keys)}")
            keys += choose([more], fields, channels, True)
        self._try_on_noise(keys, fields)
        needs = frozenset().union(*(METRICS[key].needs for key in self.figures))
        needs |= fields & {"targets", "samples"}
        self._translated = TranslatedBatches(translator, fields=needs, num_samples=NUM_SAMPLES, seed=SEED)
        self._training = None
        if "targets" in fields:
            self._training = TranslatedBatches(translator, fields={"targets"}, seed=SEED)
        others = {"input_image": "target_image", "target_image": "input_image"}
        self._real_key = translator.target_key or others[translator.input_key]

    def figures_and_measures(
        self, batches: Batches, training_batches: Batches | None
    ) -> tuple[list[Figure], dict[str, float]]:
        """Translates both sets; the measures are those of `gan_zoo.health`."""
        metrics = self._built(self.figures, lambda: reference_images(batches, self._real_key))
        measures = ImageMeasures()
        for batch in batches:
            (answer,) = self._translated([batch])
            real = to_uint8(batch[self._real_key]).numpy()
            samples = answer.samples if self.translator.latent_dim else None
            measures.update(answer.outputs, real, targets=answer.targets, samples=samples)
            metrics = [metric for metric in metrics if _can_judge(metric, answer)]
        values = measures.values()
        if self._training is not None and training_batches is not None:
            training = ImageMeasures()
            for answer in self._training(training_batches):
                training.update(answer.outputs, answer.targets, targets=answer.targets)
            values["training_l1"] = training.values()["l1"]
        return [figure for metric in metrics for figure in _figures_of(metric)], values

    def _try_on_noise(self, keys: Iterable[str], fields: frozenset[str]) -> None:
        """Learns which metrics can judge such images, as not all take four channels, and what their figures are."""
        random, translator = np.random.default_rng(0), self.translator
        side, latent = translator.image_size, (2, translator.latent_dim)
        output = (side * translator.scale, side * translator.scale, translator.output_channels)
        shapes = dict.fromkeys(("inputs", "cycled"), (2, side, side, translator.input_channels))
        shapes |= {"outputs": (2, *output), "targets": (2, *output), "samples": (2, NUM_SAMPLES, *output)}
        noise = {key: random.integers(0, 256, shape, np.uint8) for key, shape in shapes.items() if key in fields}
        noise |= {key: random.normal(size=latent) for key in ("z", "recovered_z", "mu", "logvar") if key in fields}
        batch = EvaluationBatch(names=["a", "b"], **noise)
        self.figures = {}
        for key in keys:
            (metric,) = self._built([key], lambda: iter(batch.outputs))
            with contextlib.suppress(ValueError):
                metric.update(batch)
                self.figures[key] = {figure.name: figure.better for figure in metric.figures()}

    def _built(self, keys: Iterable[str], reference: Callable[[], Iterator[np.ndarray]]) -> list[Metric]:
        context = Context(reference=reference, seed=SEED, num_samples=NUM_SAMPLES)
        return [build(key, context) for key in keys]


def _can_judge(metric: Metric, batch: EvaluationBatch) -> bool:
    """Shows it a batch; whether it can make something of it."""
    try:
        metric.update(batch)
    except ValueError:  # a window larger than the images, for instance
        return False
    return True


def _figures_of(metric: Metric) -> list[Figure]:
    """Its figures, none where there were too few images for them."""
    try:
        return metric.figures()
    except ValueError:
        return []


class Validation:
    """All translators of a model; several have their names before their figures', as in `a_to_b/cycle_psnr`.

    Args:
        translators: the model's.
        best_metric: the figure by which a checkpoint is the best one; without a translator's name the first one's. None
            for what there is of `l1` and `cycle_psnr`, "none" for none.

    Attributes:
        best_metric: the full name, None for none.

    Raises:
        UserError: for a figure that is not there, or is neither better when higher nor when lower.
    """

    def __init__(self, translators: Mapping[str, Any], best_metric: str | None = None) -> None:
        first = next(iter(translators))
        name, figure = first, best_metric
        if best_metric and best_metric.split("/")[0] in translators:
            name, _, figure = best_metric.partition("/")
        more = figure.split("/")[0] if figure and figure != NONE else None
        try:
            self._of_each = {
                key: TranslatorValidation(translator, more if key == name else None)
                for key, translator in translators.items()
            }
        except UserError as error:
            raise UserError(f"--best_metric={best_metric}: {error}") from None
        there = {key: better for each in self._of_each[name].figures.values() for key, better in each.items()}
        if best_metric is None:
            figure = next((key for key in ("l1", "cycle_psnr") if key in there), NONE)
        directed = [key for key, better in there.items() if better != NONE]
        if figure not in (*directed, NONE):
            raise UserError(f"--best_metric={best_metric}: give one of {', '.join(directed)}, or none")
        prefix = f"{name}/" if len(translators) > 1 else ""
        self.best_metric = None if figure == NONE else prefix + figure

    def __call__(self, batches: Batches, training_batches: Batches | None) -> tuple[dict[str, Figure], dict[str, Any]]:
        """The figures by name, and the measures by translator."""
        figures, measures = {}, {}
        for name, validation in self._of_each.items():
            prefix = f"{name}/" if len(self._of_each) > 1 else ""
            found, values = validation.figures_and_measures(batches, training_batches)
            figures |= {prefix + figure.name: figure for figure in found}
            measures[name] = finite(values)
        return figures, measures


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
        gan_mode: of the losses; None for a model without.
        writer: gets the figures for TensorBoard, as `validation/<name>`.
        say: takes the sentences.
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
        gan_mode: str | None,
        writer: tf.summary.SummaryWriter,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(start_step)
        self.validation, self.log, self.checkpoints, self.every = validation, log, checkpoints, every
        self.batches = FirstExamples(batches)
        self.training_batches = None if training_batches is None else FirstExamples(training_batches)
        self.gan_mode, self.writer, self.say = gan_mode, writer, say

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
        """Measures, logs, warns and marks."""
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

    def _mark_best(self, step: int) -> None:
        name = self.validation.best_metric
        best = best_of(self.log.lines, name) if name else None
        if best and best[0] == step:
            self.checkpoints.mark_best(step, name, best[1])
