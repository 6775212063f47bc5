"""Fréchet Inception distance (Heusel et al. 2017, arXiv 1706.08500, equation 6).

|mu_1 - mu_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)) of means and unbiased covariances of the 2048 features of the
2015-12-05 Inception (`gan_zoo.networks.inception`), over the images of two sets; lower is better. What it is worth
depends on the resizing (`gan_zoo.metrics.features.inception`), on the number of images and on which images are the
reference: compare only figures in which the three agree.
"""

import functools

import numpy as np

from gan_zoo.images import PICTURE_CHANNELS
from gan_zoo.metrics.base import Figure, MetricDefinition
from gan_zoo.metrics.features.inception import RESIZERS
from gan_zoo.metrics.features.sets import WEIGHTS, SetMetric
from gan_zoo.metrics.features.statistics import FeatureStatistics
from gan_zoo.pretrained import fetching

ENOUGH_IMAGES = 10_000  # what the authors of FID ask for
CHUNK = 1000  # images at a time, in float64


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """The squared Fréchet distance of two normal distributions.

    Args:
        first, second: of at least 2 images each, with the same number of features. Fewer images than features are no
            obstacle to the arithmetic; see `small_sample_warning` for what they mean.

    Returns:
        At least 0; 0 for equal statistics, up to rounding.

    Raises:
        ValueError: for fewer than 2 images, or different numbers of features.
    """
    if first.mean.size != second.mean.size:
        raise ValueError(f"both need the same features. Received: {first.mean.size} and {second.mean.size}")
    if second.count < first.count:
        first, second = second, first
    offset, covariances = first.mean - second.mean, (first.covariance, second.covariance)
    distance = offset @ offset + sum(map(np.trace, covariances)) - 2.0 * _trace_of_root(*covariances)
    return max(float(distance), 0.0)  # rounding may leave equal sets a little below


def _trace_of_root(first: np.ndarray, second: np.ndarray) -> float:
    """tr((S_1 S_2)^(1/2)) of `[D, D]` each, with S_1 of the lower rank.

    With S_1 = A A^T the product has the eigenvalues of the symmetric A^T S_2 A, whose roots are well conditioned once A
    has lost the directions in which S_1 does not vary: a root turns rounding of 1e-16 into 1e-8 there, 2048 times.
    """
    values, vectors = np.linalg.eigh(first)
    vary = values > values[-1] * len(values) * np.finfo(np.float64).eps
    root = vectors[:, vary] * np.sqrt(values[vary])  # A
    product = root.T @ second @ root
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0.0)).sum())


def small_sample_warning(generated: FeatureStatistics, reference: FeatureStatistics) -> str | None:
    """One sentence about the bias of an FID of so few images, or None from 10,000 on.

    The expected |mu_1 - mu_2|^2 of sample means is too high by exactly tr(S_1) / n_1 + tr(S_2) / n_2; the covariances
    add more, in proportion to 1 / n as well (Chong and Forsyth 2020, arXiv 1911.07023).
    """
    count, features = min(generated.count, reference.count), generated.mean.size
    if count >= ENOUGH_IMAGES:
        return None
    bias = sum(np.trace(part.covariance) / part.count for part in (generated, reference))
    rank = f", fewer than its {features} features" if count <= features else ""
    return (
        f"FID of {generated.count} images against {reference.count}{rank}: too high by at least {bias:.3g} for want of "
        f"images; compare it only with figures of as many images, or use KID, which has no such bias"
    )


class FID(SetMetric):
    """The distance of the outputs to the reference, with a warning where there are few images."""

    def figures(self) -> list[Figure]:
        generated, reference = map(_statistics, self.sets())
        value = frechet_distance(generated, reference)
        if warning := small_sample_warning(generated, reference):
            self.warnings.append(f"{self.name}: {warning}")
        figure = Figure(
            name=self.name,
            value=value,
            better="lower",
            num_images=generated.count,
            protocol=f"{self.protocol(generated.count, reference.count)}",
            version=self.version,
            weights_sha256=fetching.WEIGHTS[WEIGHTS].sha256,
        )
        return [figure]


def _statistics(features: np.ndarray) -> FeatureStatistics:
    statistics = FeatureStatistics.empty(features.shape[1])
    for start in range(0, len(features), CHUNK):
        statistics.update(features[start : start + CHUNK])
    return statistics


DEFINITIONS = {
    f"fid_{resize}": MetricDefinition(
        build=functools.partial(FID, f"fid_{resize}", resize),
        weights=WEIGHTS,
        channels=PICTURE_CHANNELS,
        needs_reference=True,
        default=resize == "clean",
    )
    for resize in RESIZERS
}
