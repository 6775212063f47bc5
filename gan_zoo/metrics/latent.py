"""Whether a latent vector means something to a model that encodes and decodes it (BicycleGAN, arXiv 1711.11586).

* `latent_recovery`: |E(G(x, z)) - z|, the paper's latent regression loss (equation 7), a mean over dimensions. An
  encoder that always says 0 has sqrt(2 / pi) = 0.798.
* `kl`: KL(N(mu, e^logvar) || N(0, 1)) of the encoded truth, in nats, the sum over dimensions; with the smallest and the
  largest mean of a dimension. 0 is a posterior that ignores the image.
* `active_dimensions`: the share of dimensions whose posterior mean varies with the image, Var(mu) > 0.01 (Burda et al.
  2016, arXiv 1509.00519, section 5.2).
"""

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.metrics.base import EvaluationBatch, Figure, ImageMean, Metric, MetricDefinition, pair_metric

ACTIVE_VARIANCE = 0.01


def latent_recovery(recovered_z: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Mean absolute difference over the dimensions: `[B, L]` twice -> `[B]` float64."""
    return np.abs(np.asarray(recovered_z, np.float64) - z).mean(axis=1)


def kl_of_dimensions(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """KL(N(mu, e^logvar) || N(0, 1)) of each dimension, in nats: `[B, L]` twice -> `[B, L]` float64, at least 0."""
    mu, logvar = np.asarray(mu, np.float64), np.asarray(logvar, np.float64)
    return 0.5 * (np.square(mu) + np.expm1(logvar) - logvar)


class KL(ImageMean):
    """The mean KL of the encoded truth, and those of the smallest and the largest dimension."""

    def __init__(self) -> None:
        super().__init__(
            "kl",
            lambda batch: kl_of_dimensions(batch.mu, batch.logvar).sum(axis=1),
            needs=frozenset({"mu", "logvar"}),
            unit="nats",
            better="none",
            protocol="mean over images of KL(N(mu, e^logvar) || N(0, 1)) of the encoded truth, summed over dimensions",
        )
        self._parts: list[np.ndarray] = []

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        self._parts.append(kl_of_dimensions(batch.mu, batch.logvar))
        return super().update(batch)

    def figures(self) -> list[Figure]:
        means = np.concatenate(self._parts).mean(axis=0) if self._parts else np.empty(0)
        total = self._mean_figure(note="by dimension: " + " ".join(f"{mean:.3g}" for mean in means))
        parts = {"smallest": means.min(), "largest": means.max()}
        return [total] + [
            Figure(
                name=f"kl/{part}",
                value=float(mean),
                unit="nats",
                better="none",
                num_images=total.num_images,
                protocol=f"the {part} of the dimensions' means of KL(N(mu, e^logvar) || N(0, 1)) of the encoded truth",
            )
            for part, mean in parts.items()
        ]


class ActiveDimensions(Metric):
    """The share of dimensions that vary with the image."""

    needs = frozenset({"mu"})

    def __init__(self) -> None:
        super().__init__()
        self._mu: list[np.ndarray] = []

    def update(self, batch: EvaluationBatch) -> None:
        self._mu.append(np.asarray(batch.mu, np.float64))

    def figures(self) -> list[Figure]:
        count = sum(map(len, self._mu))
        if count < 2:
            raise UserError(f"active_dimensions needs at least 2 images to see what varies: {count} given")
        variances = np.concatenate(self._mu).var(axis=0, ddof=1)
        active = variances > ACTIVE_VARIANCE
        figure = Figure(
            name="active_dimensions",
            value=float(active.mean()),
            better="higher",
            num_images=count,
            protocol=f"share of dimensions in which the encoded truth's mean has a variance above {ACTIVE_VARIANCE}",
            note=f"{active.sum()} of {len(active)}; variances: " + " ".join(f"{each:.3g}" for each in variances),
        )
        return [figure]


DEFINITIONS = {
    "latent_recovery": pair_metric(
        "latent_recovery",
        latent_recovery,
        fields=("recovered_z", "z"),
        better="lower",
        protocol="mean over images and dimensions of |E(G(x, z)) - z|, E's mean of the output before it is rounded; an "
        "encoder that always says 0 has 0.798",
        default=True,
    ),
    "kl": MetricDefinition(build=lambda context: KL(), needs=frozenset({"mu", "logvar"}), default=True),
    "active_dimensions": MetricDefinition(
        build=lambda context: ActiveDimensions(), needs=ActiveDimensions.needs, default=True
    ),
}
