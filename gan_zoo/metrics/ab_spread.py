"""How much the colours of an image differ: the spread of its a and b, in units of CIE Lab.

The spread of an image is sqrt(Var(a) + Var(b)) over its pixels: the root mean square distance of their ab from the mean
ab. 0 is an image of one tint, however vivid; photographs have about 5 to 30. `ab_spread/ratio` is the mean over the
outputs divided by the mean over the truth: a colorization that turns dull falls below 1. A mean of the single images'
ratios would hang on the few photographs that have hardly any colour.
"""

import numpy as np

from gan_zoo.images import to_float
from gan_zoo.lab import rgb_to_lab
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, ImageMean, MetricDefinition

GREY = 0.5  # a spread that rounding to uint8 alone may give: nothing to divide by
_PROTOCOL = "mean over images of sqrt(Var(a) + Var(b)) over the pixels, CIE Lab (D65)"


def ab_of(images: np.ndarray) -> np.ndarray:
    """The a and b of CIE Lab: `[..., 3]` uint8 sRGB -> `[..., 2]` float32.

    Raises:
        ValueError: for another shape or type.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim < 3 or images.shape[-1] != 3:
        raise ValueError(f"[..., H, W, 3] uint8 is needed. Received: {list(images.shape)} {images.dtype}")
    return rgb_to_lab(to_float(images))[..., 1:].numpy()


def ab_spread(ab: np.ndarray) -> np.ndarray:
    """The spread of each image: `[..., H, W, 2]` -> `[...]` float64, at least 0, in units of Lab."""
    return np.sqrt(np.var(ab, axis=(-3, -2), dtype=np.float64).sum(axis=-1))


class ABSpread(ImageMean):
    """The outputs' mean spread, beside the truth's, and the ratio of the two."""

    def __init__(self) -> None:
        super().__init__(
            "ab_spread",
            lambda batch: ab_spread(ab_of(batch.outputs)),
            needs=frozenset({"outputs", "targets"}),
            better="none",
            protocol=_PROTOCOL,
        )
        self._truth: list[np.ndarray] = []

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        values = super().update(batch)
        self._truth.append(ab_spread(ab_of(batch.targets)))
        return values

    def figures(self) -> list[Figure]:
        truth = float(np.concatenate(self._truth).mean()) if self._truth else 0.0
        figure = self._mean_figure(note=f"the truth: {truth:.4g}")
        values = {"real": (truth, "of the truth")}
        if truth >= GREY:
            values["ratio"] = (figure.value / truth, "of the outputs, divided by that of the truth")
        return [figure] + [
            Figure(
                name=f"ab_spread/{part}",
                value=value,
                better="none",
                num_images=figure.num_images,
                protocol=f"{_PROTOCOL}; {words}",
            )
            for part, (value, words) in values.items()
        ]


def _build(context: Context) -> ABSpread:
    return ABSpread()


DEFINITIONS = {
    "ab_spread": MetricDefinition(build=_build, needs=frozenset({"outputs", "targets"}), channels=(3,)),
}
