"""Colourfulness (Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images").

M = sigma_rgyb + 0.3 mu_rgyb, the paper's third metric (M^(3)), of the opponent channels rg = R - G and
yb = (R + G) / 2 - B on sRGB values from 0 to 255, with standard deviation and mean over the pixels of one image, each
joined as the root of the sum of squares. 0 is grey; the paper's observers call 15 slightly, 45 averagely and 109
extremely colourful. It knows no truth: compare with that of the real images, which the figures `colourfulness/real` and
`colourfulness/ratio` do.
"""

import dataclasses

import numpy as np

from gan_zoo.images import to_channels
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, ImageMean, MetricDefinition

_PROTOCOL = "mean over images of M^(3) of Hasler and Suesstrunk 2003, sRGB from 0 to 255"


def colourfulness(images: np.ndarray) -> np.ndarray:
    """Colourfulness of each image.

    Args:
        images: `[B, H, W, 3]` uint8.

    Returns:
        `[B]` float64, at least 0.

    Raises:
        ValueError: for another shape or type.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"[B, H, W, 3] uint8 is needed. Received: {list(images.shape)} {images.dtype}")
    red, green, blue = np.moveaxis(images.astype(np.float64), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2.0 - blue])  # [2, B, H, W]
    deviation = np.hypot(*opponents.std(axis=(2, 3)))
    mean = np.hypot(*opponents.mean(axis=(2, 3)))
    return deviation + 0.3 * mean


class Colourfulness(ImageMean):
    """The outputs' mean beside that of the truth or, where some have none, of the reference set."""

    def __init__(self, context: Context) -> None:
        super().__init__(
            "colourfulness",
            lambda batch: colourfulness(batch.outputs),
            needs=frozenset({"outputs"}),
            better="none",
            protocol=_PROTOCOL,
        )
        self._context = context
        self._truth: list[np.ndarray] = []
        self._each_has_its_truth = True

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        values = super().update(batch)
        if batch.targets is None:
            self._each_has_its_truth = False
        else:
            self._truth.append(colourfulness(batch.targets))
        return values

    def figures(self) -> list[Figure]:
        figure = self._mean_figure()
        real, what = self._of_real_images()
        if not len(real):
            return [figure]
        mean = float(real.mean())
        values = {"real": (mean, len(real), "of")}
        if mean > 0.0:
            values["ratio"] = (figure.value / mean, figure.num_images, "of the outputs, divided by that of")
        return [dataclasses.replace(figure, note=f"{what}: {mean:.4g}")] + [
            Figure(
                name=f"colourfulness/{part}",
                value=value,
                better="none",
                num_images=count,
                protocol=f"{_PROTOCOL}; {words} {what}",
            )
            for part, (value, count, words) in values.items()
        ]

    def _of_real_images(self) -> tuple[np.ndarray, str]:
        if self._each_has_its_truth:
            return np.concatenate(self._truth), "the truth"
        if self._context.reference is None:
            return np.empty(0), ""
        images = (to_channels(image, 3)[np.newaxis] for image in self._context.reference())
        values = np.array([float(colourfulness(image)[0]) for image in images])
        return values, f"{len(values)} images of {self._context.reference_key or 'the reference'}"


DEFINITIONS = {"colourfulness": MetricDefinition(build=Colourfulness, channels=(3,), default=True)}
