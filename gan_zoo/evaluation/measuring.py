"""How good images are: all metrics in one pass over batches, with the best and the worst examples kept for a report."""

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from gan_zoo import metrics
from gan_zoo.data.label_maps import label_picture
from gan_zoo.errors import UserError
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric
from gan_zoo.report.gallery import Gallery, Row

SHEET_ROWS = 8
GALLERY_SIZE = 4
SHOWN_SAMPLES = 4
# What ranks examples, by what people see, then by what they measure; the first that is there. Where colours were
# guessed, a distance from the truth would call the dullest ones the best.
RANKING = ("region_agreement", *(f"lpips_{trunk}" for trunk in ("alex", "vgg", "squeeze")), "l1", "cycle_psnr")
WEIGHTS_MISSING = "weights missing"
NOT_COMPUTED = "not computed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was found out about one set of images, or about what one checkpoint's translators make.

    Attributes:
        figures: by name; of several translators `translator/name`.
        values: of single images, `{figure: {name of the image: value}}`.
        seconds: spent on a figure, by its name; figures of one metric share theirs.
        missing: figures that there are not, `{name: reason}`; the reason begins with `WEIGHTS_MISSING` or
            `NOT_COMPUTED`.
        warnings: sentences about what the figures are worth.
        skipped: what could not be used, `{file or image: reason}`.
        galleries: by translator.
        num_images: by translator.
    """

    figures: Mapping[str, Figure]
    values: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    missing: Mapping[str, str]
    warnings: Sequence[str]
    skipped: Mapping[str, str]
    galleries: Mapping[str, Gallery]
    num_images: Mapping[str, int]


def evaluate(
    batches: Callable[[frozenset[str]], Iterable[EvaluationBatch]],
    names: Sequence[str],
    context: Context,
    *,
    title: str = "images",
    extra_fields: Iterable[str] = (),
    gallery_size: int = GALLERY_SIZE,
    missing: Mapping[str, str] | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Measures images by the metrics called `names`.

    Args:
        batches: from the fields that are needed to the batches; read once.
        names: of `gan_zoo.metrics.choose`.
        context: what the metrics are built with.
        title: of the gallery.
        extra_fields: which the gallery shows, whatever the metrics need.
        gallery_size: best and worst examples to keep.
        missing: metrics that are known not to be had, with the reason.
        progress: takes the number of images done.

    Returns:
        All that could be computed. What a metric cannot take, it leaves out: a batch is named in `skipped`, a figure in
        `missing`.
    """
    missing = {name: reason for name, reason in (missing or {}).items() if name in names}
    seconds = dict.fromkeys(names, 0.0)
    built = _build([name for name in names if name not in missing], context, missing, seconds)
    fields = frozenset({"names", "outputs", *extra_fields}.union(*(metric.needs for metric in built.values())))
    values: dict[str, dict[str, float]] = {name: {} for name in built}
    refused: dict[str, dict[str, str]] = {name: {} for name in built}  # {metric: {image: reason}}
    keeper = _GalleryKeeper(_ranking(built), gallery_size)
    count = 0
    for batch in batches(fields):
        for name, metric in built.items():
            if not metric.needs <= batch.fields:
                continue
            start = time.perf_counter()
            try:
                of_images = metric.update(batch)
            except ValueError as error:  # of this size, say: the others' images are measured all the same
                refused[name] |= dict.fromkeys(batch.names, str(error))
                of_images = None
            seconds[name] += time.perf_counter() - start
            if of_images is not None:
                values[name] |= dict(zip(batch.names, map(float, of_images), strict=True))
        keeper.add(batch, values)
        count += len(batch.names)
        progress(count)

    figures: dict[str, Figure] = {}
    warnings: list[str] = []
    skipped: dict[str, str] = {}
    spent: dict[str, float] = {}
    for name, metric in built.items():
        start = time.perf_counter()
        try:
            of_metric = metric.figures()
        except ValueError as error:
            reasons = list(refused[name].values())
            missing[name] = f"{NOT_COMPUTED}: {reasons[0] if reasons else error}"
            continue
        finally:
            seconds[name] += time.perf_counter() - start
        figures |= {figure.name: figure for figure in of_metric}
        spent |= {figure.name: seconds[name] for figure in of_metric}
        warnings += [warning for warning in metric.warnings if warning not in warnings]
        skipped |= {f"{image} ({name})": reason for image, reason in refused[name].items()}
    return Evaluation(
        figures=figures,
        values={name: of_images for name, of_images in values.items() if of_images and name not in missing},
        seconds=spent,
        missing=missing,
        warnings=warnings,
        skipped=skipped,
        galleries={title: keeper.gallery(figures)},
        num_images={title: count},
    )


def joined(evaluations: Mapping[str, Evaluation]) -> Evaluation:
    """The evaluations of a model's translators as one, what is theirs under `translator/name`."""
    evaluation = Evaluation(
        figures={}, values={}, seconds={}, missing={}, warnings=[], skipped={}, galleries={}, num_images={}
    )
    for translator, part in evaluations.items():

        def named(of_part: Mapping, translator: str = translator) -> dict:
            return {f"{translator}/{name}": value for name, value in of_part.items()}

        figures = {name: dataclasses.replace(figure, name=name) for name, figure in named(part.figures).items()}
        evaluation = Evaluation(
            figures={**evaluation.figures, **figures},
            values={**evaluation.values, **named(part.values)},
            seconds={**evaluation.seconds, **named(part.seconds)},
            missing={**evaluation.missing, **named(part.missing)},
            warnings=[*evaluation.warnings, *(f"{translator}: {warning}" for warning in part.warnings)],
            skipped={**evaluation.skipped, **named(part.skipped)},
            galleries={**evaluation.galleries, **part.galleries},
            num_images={**evaluation.num_images, **part.num_images},
        )
    return evaluation


def _build(
    names: Sequence[str], context: Context, missing: dict[str, str], seconds: dict[str, float]
) -> dict[str, Metric]:
    """The metrics whose weights are to be had; the others are added to `missing`."""
    built = {}
    reasons: dict[str, str] = {}  # by the weights: a server that does not answer is asked once
    for name in names:
        weights = metrics.METRICS[name].weights
        start = time.perf_counter()
        if weights not in reasons:
            try:
                built[name] = metrics.build(name, context)
            except UserError as error:
                if weights is None:
                    missing[name] = f"{NOT_COMPUTED}: {error}"
                else:
                    reasons[weights] = f"{WEIGHTS_MISSING}: {error}"
        seconds[name] += time.perf_counter() - start
        if weights in reasons:
            missing[name] = reasons[weights]
    return built


def _ranking(names: Collection[str]) -> str:
    """The metric that ranks examples, or ""."""
    candidates = (name for wanted in RANKING for name in names if name == wanted or name.startswith(f"{wanted}_v"))
    return next(candidates, "")


class _GalleryKeeper:
    """Keeps the first examples of a stream, and those with the lowest and the highest values; memory stays small."""

    def __init__(self, ranked_by: str, size: int) -> None:
        self.ranked_by, self.size, self.count = ranked_by, size, 0
        self.sheet: list[Row] = []
        self.lowest: list[Row] = []
        self.highest: list[Row] = []

    def add(self, batch: EvaluationBatch, values: Mapping[str, Mapping[str, float]]) -> None:
        of_images = values.get(self.ranked_by, {})
        for place, name in enumerate(batch.names):
            value = of_images.get(name)
            if len(self.sheet) < SHEET_ROWS:
                self.sheet.append(_row(batch, place, value))
            if value is None or np.isnan(value):
                continue
            self.count += 1
            for rows, sign in ((self.lowest, 1.0), (self.highest, -1.0)):
                if len(rows) < self.size or sign * value < sign * rows[-1].value:
                    rows.append(_row(batch, place, value))
                    rows.sort(key=lambda row, sign=sign: sign * row.value)
                    del rows[self.size :]

    def gallery(self, figures: Mapping[str, Figure]) -> Gallery:
        if not self.count or self.ranked_by not in figures:
            return Gallery(sheet=self.sheet)
        best, worst = self.lowest, self.highest
        if figures[self.ranked_by].better == "higher":
            best, worst = worst, best
        several = max(1, self.count // 2)  # no example is among both, but for a single one
        return Gallery(sheet=self.sheet, best=best[:several], worst=worst[:several], ranked_by=self.ranked_by)


def _row(batch: EvaluationBatch, place: int, value: float | None) -> Row:
    pictures = {"input": batch.inputs, "truth": batch.targets, "output": batch.outputs}
    if batch.samples is not None:
        for number in range(1, min(SHOWN_SAMPLES, batch.samples.shape[1])):
            pictures[f"sample {number + 1}"] = batch.samples[:, number]
    pictures["cycled"] = batch.cycled
    if batch.output_masks is not None and batch.targets is None:  # of photographs
        pictures |= {"labels": label_picture(batch.output_masks), "true labels": label_picture(batch.masks)}
    # Copies: a view would keep its whole batch in memory.
    kept = {title: images[place].copy() for title, images in pictures.items() if images is not None}
    return Row(name=batch.names[place], value=value, pictures=kept)
