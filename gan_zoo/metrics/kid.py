"""Kernel Inception distance (Bińkowski et al. 2018, arXiv 1801.01401, section 4).

The unbiased estimate of the squared MMD with the kernel (x . y / d + 1)^3, d = 2048, of the features that FID uses;
lower is better, and below 0 by chance where the two sets hardly differ. Having no bias, it may be compared between sets
of different sizes, and it is the one to use for few images. `kid` is over all pairs; `kid_of_subsets` is the mean over
random subsets, as it is usually printed, with its errors.
"""

import dataclasses
import functools

import numpy as np

from gan_zoo.images import PICTURE_CHANNELS
from gan_zoo.metrics.base import Figure, MetricDefinition
from gan_zoo.metrics.features.inception import RESIZERS
from gan_zoo.metrics.features.sets import WEIGHTS, SetMetric
from gan_zoo.pretrained import fetching

SUBSET_SIZE = 1000
NUM_SUBSETS = 100
BLOCK = 1000  # rows of the kernel matrix at a time: 80 MB for 10,000 images


@dataclasses.dataclass(frozen=True)
class SubsetDistance:
    """A KID with its uncertainty.

    Args:
        value: mean over the subsets.
        standard_error: of `value` as an estimate for the two distributions; what another draw of the same number of
            images would change. It is not `standard_deviation / sqrt(num_subsets)`: subsets share their images, and
            that quotient vanishes with more subsets though no image has been added.
        standard_deviation: between the subsets, which other programs print.
        subset_size, num_subsets: what was drawn.
    """

    value: float
    standard_error: float
    standard_deviation: float
    subset_size: int
    num_subsets: int


def kid(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate over all pairs of two sets of features.

    Args:
        first, second: `[N, D]` and `[M, D]`, at least two vectors each.

    Raises:
        ValueError: for other shapes or fewer vectors.
    """
    first, second = _checked(first, second, at_least=2)
    return _kid(first, second)


def kid_of_subsets(
    first: np.ndarray,
    second: np.ndarray,
    *,
    subset_size: int = SUBSET_SIZE,
    num_subsets: int = NUM_SUBSETS,
    seed: int = 0,
) -> SubsetDistance:
    """The mean over random subsets of both sets, drawn without replacement.

    Args:
        first, second: `[N, D]` and `[M, D]`, at least four vectors each.
        subset_size: vectors a subset; at most half of the smaller set, because subsets that are the whole set do not
            differ and seem to have no error. The expected value is the same for every size.
        num_subsets: at least 2.
        seed: of the draw.

    Raises:
        ValueError: for other shapes or fewer vectors.
    """
    first, second = _checked(first, second, at_least=4)
    if num_subsets < 2 or subset_size < 2:
        raise ValueError(f"at least 2 subsets of 2. Received: num_subsets={num_subsets}, subset_size={subset_size}")
    smaller = min(len(first), len(second))
    subset_size = min(subset_size, smaller // 2)
    random = np.random.default_rng(seed)
    values = [
        _kid(*(vectors[random.choice(len(vectors), subset_size, replace=False)] for vectors in (first, second)))
        for _ in range(num_subsets)
    ]
    deviation = float(np.std(values, ddof=1))
    # A subset's variance around the value of the whole set is that of m images less that of n (both go with 1 / size).
    sampling = deviation**2 * subset_size / (smaller - subset_size)
    return SubsetDistance(
        value=float(np.mean(values)),
        standard_error=float(np.sqrt(sampling + deviation**2 / num_subsets)),
        standard_deviation=deviation,
        subset_size=subset_size,
        num_subsets=num_subsets,
    )


def _checked(first: np.ndarray, second: np.ndarray, at_least: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first), np.asarray(second)
    for features in (first, second):
        if features.ndim != 2 or len(features) < at_least:
            raise ValueError(f"[N, D] with N of at least {at_least} is needed. Received: {list(features.shape)}")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"both need the same features. Received: {first.shape[1]} and {second.shape[1]}")
    return first, second


def _kid(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first.astype(np.float64), second.astype(np.float64)  # of a subset: the whole may lie on a disk
    count, other = len(first), len(second)
    within_first = (_kernel_sum(first, first) - _kernel_diagonal_sum(first)) / (count * (count - 1))
    within_second = (_kernel_sum(second, second) - _kernel_diagonal_sum(second)) / (other * (other - 1))
    return float(within_first + within_second - 2.0 * _kernel_sum(first, second) / (count * other))


def _kernel_sum(first: np.ndarray, second: np.ndarray) -> float:
    total = 0.0
    for start in range(0, len(first), BLOCK):
        base = first[start : start + BLOCK] @ second.T
        base /= first.shape[1]
        base += 1.0
        total += float(np.vdot(base * base, base))  # the third power, without the slow general one
    return total


def _kernel_diagonal_sum(features: np.ndarray) -> float:
    base = np.einsum("nd,nd->n", features, features) / features.shape[1] + 1.0
    return float(np.vdot(base * base, base))


class KID(SetMetric):
    """The mean over subsets of the outputs and of the reference, with its standard error."""

    at_least = 4

    def figures(self) -> list[Figure]:
        generated, reference = self.sets()
        distance = kid_of_subsets(generated, reference, seed=self.context.seed)
        figure = Figure(
            name=self.name,
            value=distance.value,
            better="lower",
            num_images=len(generated),
            protocol=f"{self.protocol(len(generated), len(reference))}; kernel (x.y / {generated.shape[1]} + 1)^3, "
            f"mean over {distance.num_subsets} subsets of {distance.subset_size}",
            error=distance.standard_error,
            version=self.version,
            weights_sha256=fetching.WEIGHTS[WEIGHTS].sha256,
            note=f"standard deviation between subsets: {distance.standard_deviation:.3g}",
        )
        return [figure]


DEFINITIONS = {
    f"kid_{resize}": MetricDefinition(
        build=functools.partial(KID, f"kid_{resize}", resize),
        weights=WEIGHTS,
        channels=PICTURE_CHANNELS,
        needs_reference=True,
        default=resize == "clean",
    )
    for resize in RESIZERS
}
