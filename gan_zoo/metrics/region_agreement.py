"""Whether a colorization respects objects: how well the regions of its ab agree with those of the photograph's ab.

What regions are is said in `regions.py`. Two measures of two partitions of one image's pixels:

* **adjusted Rand index** (Hubert and Arabie 1985, "Comparing partitions", equation 5): 1 for equal partitions, about 0
  for independent ones; of one region against several exactly 0. Chance is adjusted for as if pixels were shuffled one
  by one; regions hang together, so that those of an unrelated image come out above 0.
* **boundary F-score at 2 pixels**: a pixel is on a boundary if its right or its lower neighbour is of another region.
  Precision is the share of the predicted boundary within 2 pixels (Euclidean) of a true one, recall the share of the
  true boundary within 2 pixels of a predicted one, F = 2 P R / (P + R); 0 where only one of the two has a boundary.
  Several pixels may be explained by the same one; nothing is matched one to one.

Neither knows which colour a region has, only where it ends: a red car that was blue is right. Both are reported beside
their floor, the truth's regions of the **image before** in the stream (of the last one for the first), and their
ceiling, the truth's own. An image whose truth is of one region has nothing to agree with, and does not count.

Near black and white sRGB has no room for colours: a constant brown, painted over a photograph, has regions where that
is very dark or light. On single photographs, and on drawings on white paper, it may be above the floor.
"""

from typing import Literal, NamedTuple

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.metrics import regions
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric, MetricDefinition, once, standard_error

TOLERANCE = 2.0  # pixels


class Agreement(NamedTuple):
    """Of two partitions; 1 where they are equal.

    Attributes:
        rand_index: the adjusted Rand index, in [-0.5, 1].
        boundary_f: the boundary F-score, in [0, 1].
    """

    rand_index: float
    boundary_f: float


def agreement(predicted: np.ndarray, true: np.ndarray) -> Agreement:
    """Both measures of two partitions, `[H, W]` integers from 0.

    Raises:
        ValueError: if shapes differ.
        UserError: without scikit-image.
    """
    return Agreement(adjusted_rand_index(predicted, true), boundary_f_score(predicted, true))


def adjusted_rand_index(first: np.ndarray, second: np.ndarray) -> float:
    """Of two partitions of the same pixels, integers from 0 of one shape; 1 for two that are trivial alike.

    Raises:
        ValueError: if shapes differ.
    """
    _check(first, second)
    shape = (int(first.max()) + 1, int(second.max()) + 1)
    counts = np.bincount((first.astype(np.int64) * shape[1] + second).ravel(), minlength=shape[0] * shape[1])
    table = counts.reshape(shape).astype(np.float64)  # [regions of the first, regions of the second]

    def pairs(sizes: np.ndarray) -> float:
        return float((sizes * (sizes - 1.0)).sum() / 2.0)

    fewer, more = sorted([pairs(table.sum(axis=1)), pairs(table.sum(axis=0))])
    expected = fewer * (more / max(pairs(table.sum(keepdims=True)), 1.0))  # in this order: exact for a single region
    largest = (fewer + more) / 2.0
    return 1.0 if largest == expected else (pairs(table) - expected) / (largest - expected)


def boundary_f_score(predicted: np.ndarray, true: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Of two partitions, `[H, W]` integers; 1 where neither has a boundary.

    Args:
        predicted, true: of one shape.
        tolerance: the largest distance that counts, in pixels.

    Raises:
        ValueError: if shapes differ.
        UserError: without scikit-image (which brings scipy).
    """
    _check(predicted, true)
    first, second = _boundary(predicted), _boundary(true)
    if not (first.any() and second.any()):
        return float(first.any() == second.any())
    regions.scikit_image()
    from scipy.ndimage import distance_transform_edt

    precision = float((distance_transform_edt(~second)[first] <= tolerance).mean())
    recall = float((distance_transform_edt(~first)[second] <= tolerance).mean())
    return 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(labels: np.ndarray) -> np.ndarray:
    boundary = np.zeros(labels.shape, bool)
    boundary[:-1] |= labels[1:] != labels[:-1]
    boundary[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    return boundary


def _check(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"partitions must have one shape. Received: {first.shape} and {second.shape}")


class BatchRegions:
    """The regions of the batch that is being measured, found once for all who ask."""

    def __init__(self) -> None:
        self._batch: EvaluationBatch | None = None
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def __call__(self, batch: EvaluationBatch) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each image the output's and the truth's, `[h, w]` integers from 0."""
        if batch is not self._batch:
            images = zip(batch.outputs, batch.targets, strict=True)
            self._pairs = [
                (regions.regions_of_image(output), regions.regions_of_image(true)) for output, true in images
            ]
            self._batch = batch
        return self._pairs


class RegionAgreement(Metric):
    """The agreement of the outputs' regions with the truth's, or with those of label masks.

    Args:
        context: of the evaluation, in which regions are found once.
        name: of the figures.
        reference: what the regions are compared with; the floor and the ceiling are the truth's ab in either case.
    """

    def __init__(self, context: Context, name: str, reference: Literal["targets", "masks"]) -> None:
        super().__init__()
        regions.scikit_image()  # at once, not after the first batch
        self.name, self.needs = name, frozenset({"outputs", "targets", reference})
        self._reference = reference
        self._regions = once(context.shared, BatchRegions, BatchRegions)
        self._values: dict[str, list[Agreement]] = {"outputs": [], "floor": [], "ceiling": []}
        self._batch: EvaluationBatch | None = None  # the last one
        self._values_of_batch = np.empty(0)
        self._first: np.ndarray | None = None  # the reference's regions
        self._before: np.ndarray | None = None  # the truth's
        self._without = 0

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        """Takes in a batch, the same one again is no matter.

        Returns:
            The adjusted Rand index of each image, NaN for those that do not count.
        """
        if batch is self._batch:
            return self._values_of_batch
        values = np.full(len(batch.outputs), np.nan)
        for place, (output, truth) in enumerate(self._regions(batch)):
            reference = truth
            if self._reference == "masks":
                reference = regions.regions_of_mask(batch.masks[place])
            if reference.max() == 0:
                self._without += 1
                continue
            measured = agreement(output, reference)
            self._values["outputs"].append(measured)
            same = reference is truth
            self._values["ceiling"].append(Agreement(1.0, 1.0) if same else agreement(truth, reference))
            if self._before is None:
                self._first = reference
            else:
                self._values["floor"].append(self._floor(reference))
            self._before = truth
            values[place] = measured.rand_index
        self._batch, self._values_of_batch = batch, values
        return values

    def figures(self) -> list[Figure]:
        count = len(self._values["outputs"])
        if not count:
            raise UserError(f"{self.name} had no image whose truth has several regions")
        floor = [*self._values["floor"], self._floor(self._first)] if count > 1 else []
        values = self._values | {"floor": floor}
        if self._without:
            self.warnings = [
                f"{self.name}: {self._without} of {count + self._without} images do not count: "
                "their truth is of one region"
            ]
        return [
            *self._figures(values, 0, "", "adjusted Rand index"),
            *self._figures(values, 1, "boundary_f", f"boundary F-score at {TOLERANCE:g} px"),
        ]

    def _floor(self, reference: np.ndarray) -> Agreement:
        return agreement(regions.resized_labels(self._before, reference.shape), reference)

    def _figures(self, agreements: dict[str, list[Agreement]], measure: int, part: str, what: str) -> list[Figure]:
        of = {"outputs": "the outputs' ab", "floor": "the ab of the image before", "ceiling": "the truth's ab"}
        reference = {"targets": "the truth's ab", "masks": "the masks"}[self._reference]
        values = {whose: np.array([each[measure] for each in those]) for whose, those in agreements.items() if those}
        beside = ", ".join(f"{whose}: {those.mean():.3f}" for whose, those in values.items() if whose != "outputs")
        figures = []
        for whose, those in values.items():
            judged = whose == "outputs"
            place = "_".join(filter(None, [part, "" if judged else whose]))
            figure = Figure(
                name=f"{self.name}/{place}" if place else self.name,
                value=float(those.mean()),
                better="higher" if judged else "none",
                num_images=len(those),
                protocol=f"mean over images of the {what} of {of[whose]} with {reference}; {regions.PROTOCOL}",
                error=standard_error(those),
                note=beside if judged else None,
            )
            figures.append(figure)
        return figures


def region_agreement(context: Context) -> RegionAgreement:
    """The one of an evaluation, for all who ask."""
    return once(context.shared, RegionAgreement, lambda: RegionAgreement(context, "region_agreement", "targets"))


def mask_agreement(context: Context) -> RegionAgreement:
    return RegionAgreement(context, "mask_agreement", "masks")


DEFINITIONS = {
    "region_agreement": MetricDefinition(
        build=region_agreement, needs=frozenset({"outputs", "targets"}), channels=(3,)
    ),
    "mask_agreement": MetricDefinition(
        build=mask_agreement, needs=frozenset({"outputs", "targets", "masks"}), channels=(3,)
    ),
}
