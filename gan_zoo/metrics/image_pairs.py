"""What PSNR, SSIM and L1 ask of two batches of images, the luma that super-resolution measures them on, and alpha.

All metrics see pictures with alpha laid over white, as pages show them: what lies under a transparent pixel is seen by
nobody, and counts in no figure. Only `l1_alpha` measures the opacity.
"""

import dataclasses
from typing import Any

import numpy as np

from gan_zoo.images import to_channels
from gan_zoo.metrics.base import EvaluationBatch, Figure, Metric

RGBA = 4  # channels; alpha is straight
_PICTURES = frozenset({"outputs", "targets", "inputs", "samples", "cycled"})


def checked_pair(images: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two batches as float64, unscaled.

    Args:
        images, targets: `[B, H, W, C]` uint8 of one shape; C is any but 4, which are RGBA, and alpha is no colour.

    Raises:
        ValueError: for anything else.
    """
    images, targets = np.asarray(images), np.asarray(targets)
    if images.shape != targets.shape:
        raise ValueError(f"images and targets must have one shape. Received: {images.shape} and {targets.shape}")
    for batch in (images, targets):
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] == 4 or 0 in batch.shape[1:]:
            raise ValueError(f"[B, H, W, C] uint8 is needed, C not 4. Received: {list(batch.shape)} {batch.dtype}")
    return images.astype(np.float64), targets.astype(np.float64)


def luma(images: np.ndarray) -> np.ndarray:
    """Y of ITU-R BT.601 in its range of 16 to 235, not rounded: `[B, H, W, C]` in [0, 255] -> `[B, H, W, 1]`.

    Grey (C = 1) is RGB with three equal channels.
    """
    if images.shape[-1] == 1:
        return 16.0 + 219.0 / 255.0 * images
    return 16.0 + images @ (np.array([[65.481], [128.553], [24.966]]) / 255.0)


def with_alpha(translator: Any) -> bool:
    """Whether there are RGBA pictures among those that a `gan_zoo.models.base.Translator` takes and gives."""
    return RGBA in (translator.input_channels, translator.output_channels)


class OnWhite(Metric):
    """A metric that sees RGBA on white, and all else as it is; its figures' protocols say so where there was any."""

    def __init__(self, metric: Metric) -> None:
        self.metric, self.needs = metric, metric.needs
        self._laid_over = False

    @property
    def warnings(self) -> list[str]:
        return self.metric.warnings

    def update(self, batch: EvaluationBatch) -> np.ndarray | None:
        seen = {}
        for field in _PICTURES & batch.fields:
            images = getattr(batch, field)
            if images.shape[-1] == RGBA:
                seen[field] = to_channels(images, 3)
                self._laid_over |= field in self.needs
        return self.metric.update(dataclasses.replace(batch, **seen) if seen else batch)

    def figures(self) -> list[Figure]:
        figures = self.metric.figures()
        if not self._laid_over:
            return figures
        return [dataclasses.replace(figure, protocol=f"{figure.protocol}; RGBA on white") for figure in figures]
