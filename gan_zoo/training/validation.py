"""How good the model is on a few validation examples while it learns: what is measured, and by what a step is best."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.evaluation.translated_batches import Batches, TranslatedBatches, provides, reference_images
from gan_zoo.images import to_uint8
from gan_zoo.metrics import METRICS, build, choose
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure
from gan_zoo.metrics.image_pairs import with_alpha
from gan_zoo.training.health_measures import ImageMeasures, finite

NUM_SAMPLES = 4
SEED = 0  # of the noise, the same at every check of every run
NONE = "none"
NO_FIGURE = "no figure of this model's checks says which checkpoint is better"


class TranslatorValidation:
    """The cheap figures of one translator, those that need no weights of others, and its measures for `health`.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        more: the key of a metric that is not one of the default ones.
        masks: whether the examples have label masks.

    Attributes:
        figures: by metric, for each figure whether it is better when "higher", "lower" or "none".
        missing: metrics that there would be if something were installed, with what.

    Raises:
        UserError: for a metric that is not cheap, or cannot be had of this translator.
    """

    def __init__(self, translator: Any, more: str | None = None, masks: bool = False) -> None:
        self.translator = translator
        # What dropout makes of another seed hardly differs, and is meant not to.
        fields = provides(translator, masks) - (frozenset() if translator.latent_dim else {"samples"})
        channels = translator.output_channels
        keys = [key for key in choose(None, fields, channels, True, translator.metrics) if METRICS[key].weights is None]
        if more is not None and more not in keys:
            if more not in METRICS or METRICS[more].weights is not None:
                raise UserError(f"{more} is no metric that is cheap enough; there are {', '.join(keys)}")
            keys += choose([more], fields, channels, True)
        self._try_on_noise(keys, fields, more)
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
    ) -> tuple[list[Figure], dict[str, float], dict[str, str]]:
        """Translates both sets; the measures are those of `training.health`, the last are why a figure is not there."""
        context = self._context(lambda: reference_images(batches, self._real_key))
        metrics = {key: build(key, context) for key in self.figures}
        refused: dict[str, str] = {}  # by metric
        figures: list[Figure] = []
        measures = ImageMeasures()
        for batch in batches:
            (answer,) = self._translated([batch])
            real = to_uint8(batch[self._real_key]).numpy()
            samples = answer.samples if self.translator.latent_dim else None
            measures.update(answer.outputs, real, targets=answer.targets, samples=samples)
            for key, metric in metrics.items():
                if key not in refused:
                    with _noting(refused, key):  # a window larger than the images, for instance
                        metric.update(answer)
        values = measures.values()
        if self._training is not None and training_batches is not None:
            training = ImageMeasures()
            for answer in self._training(training_batches):
                training.update(answer.outputs, answer.targets, targets=answer.targets)
            values["training_l1"] = training.values()["l1"]
        for key, metric in metrics.items():
            if key not in refused:
                with _noting(refused, key):  # too few images, for instance
                    figures += metric.figures()
        return figures, values, {name: refused[key] for key in refused for name in self.figures[key]}

    def _try_on_noise(self, keys: Sequence[str], fields: frozenset[str], wanted: str | None) -> None:
        """Learns which metrics can judge such images, as not all take any channels, and what their figures are."""
        random, translator = np.random.default_rng(0), self.translator
        side, latent = translator.image_size, (2, translator.latent_dim)
        output = (side * translator.scale, side * translator.scale, translator.output_channels)
        shapes = dict.fromkeys(("inputs", "cycled"), (2, side, side, translator.input_channels))
        shapes |= {"outputs": (2, *output), "targets": (2, *output), "samples": (2, NUM_SAMPLES, *output)}
        noise = {key: _patches(random, shape) for key, shape in shapes.items() if key in fields}
        noise |= {key: random.normal(size=latent) for key in ("z", "recovered_z", "mu", "logvar") if key in fields}
        if "masks" in fields:
            noise["masks"] = _patches(random, (2, side, side, 1))[..., 0].astype(np.int32)
        batch = EvaluationBatch(names=["a", "b"], **noise)
        context = self._context(lambda: iter(batch.outputs))
        self.figures, self.missing = {}, {}
        for key in keys:
            try:
                metric = build(key, context)
            except UserError as error:
                if key == wanted:
                    raise
                self.missing[key] = str(error)
                continue
            with contextlib.suppress(ValueError):
                metric.update(batch)
                self.figures[key] = {figure.name: figure.better for figure in metric.figures()}

    def _context(self, reference: Callable[[], Iterator[np.ndarray]]) -> Context:
        return Context(reference=reference, seed=SEED, num_samples=NUM_SAMPLES, with_alpha=with_alpha(self.translator))


def _patches(random: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Noise `[..., H, W, C]` uint8 in four by four patches, so that there are regions in it."""
    *before, height, width, channels = shape
    small = random.integers(0, 256, (*before, 4, 4, channels), np.uint8)
    rows, columns = (4 * np.arange(side) // side for side in (height, width))
    return small[..., rows, :, :][..., columns, :]


@contextlib.contextmanager
def _noting(refused: dict[str, str], key: str) -> Iterator[None]:
    """Notes what a metric says that cannot judge such images."""
    try:
        yield
    except ValueError as error:
        refused[key] = str(error)


class Validation:
    """All translators of a model; several have their names before their figures', as in `a_to_b/cycle_psnr`.

    Args:
        translators: the model's.
        best_metric: the figure by which a checkpoint is the best one; without a translator's name the first one's. None
            for what the translator names, or else what there is of `l1` and `cycle_psnr`; "none" for none.
        masks: whether the examples have label masks.

    Attributes:
        best_metric: the full name, None for none.
        misleading: whether that figure is an error against a truth that is one of many: of a translator that adds
            nothing but colours, all figures but its own ones.
        has_directed: whether there is any figure of which more, or less, is better.
        left_out: a sentence about figures that there would be if something were installed; None if none is missing.

    Raises:
        UserError: for a figure that is not there, or is neither better when higher nor when lower.
    """

    def __init__(self, translators: Mapping[str, Any], best_metric: str | None = None, *, masks: bool = False) -> None:
        first = next(iter(translators))
        name, figure = first, best_metric
        if best_metric and best_metric.split("/")[0] in translators:
            name, _, figure = best_metric.partition("/")
        more = figure.split("/")[0] if figure and figure != NONE else None
        try:
            self._of_each = {
                key: TranslatorValidation(translator, more if key == name else None, masks)
                for key, translator in translators.items()
            }
        except UserError as error:
            raise UserError(f"--best_metric={best_metric}: {error}") from None
        there = {key: better for each in self._of_each[name].figures.values() for key, better in each.items()}
        own = translators[name].best_metric
        if best_metric is None:
            figure = next((key for key in ([own] if own else ["l1", "cycle_psnr"]) if key in there), NONE)
        directed = [key for key, better in there.items() if better != NONE]
        self.has_directed = bool(directed)
        if figure not in (*directed, NONE):
            choice = f"give one of {', '.join(directed)}, or none" if directed else NO_FIGURE
            raise UserError(f"--best_metric={best_metric}: {choice}")
        prefix = f"{name}/" if len(translators) > 1 else ""
        self.best_metric = None if figure == NONE else prefix + figure
        own_ones = translators[name].metrics
        self.misleading = translators[name].chroma is not None and figure.split("/")[0] not in own_ones
        missing = {key: reason for each in self._of_each.values() for key, reason in each.missing.items()}
        self.left_out = None
        if missing:
            marked = "" if self.best_metric or best_metric == NONE else ", and no checkpoint is marked as the best"
            reasons = "; ".join(dict.fromkeys(missing.values()))
            self.left_out = f"the checks leave out {', '.join(missing)}{marked}: {reasons}"

    def __call__(
        self, batches: Batches, training_batches: Batches | None
    ) -> tuple[dict[str, Figure], dict[str, Any], dict[str, str]]:
        """The figures by name, the measures by translator, and by name why a figure is not there."""
        figures, measures, refused = {}, {}, {}
        for name, validation in self._of_each.items():
            prefix = f"{name}/" if len(self._of_each) > 1 else ""
            found, values, reasons = validation.figures_and_measures(batches, training_batches)
            figures |= {prefix + figure.name: figure for figure in found}
            measures[name] = finite(values)
            refused |= {prefix + figure: reason for figure, reason in reasons.items()}
        return figures, measures, refused
