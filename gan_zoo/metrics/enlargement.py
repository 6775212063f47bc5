"""PSNR and SSIM of enlarged pictures, as the papers of super-resolution give them, beside those of interpolation.

On luma, and without as many pixels at each border as the picture was enlarged by (Ledig et al. 2017, arXiv 1609.04802,
section 3.1): what a network makes of the border says little about it. Luma is that of `psnr_y`, from 16 to 235, not
rounded, as MATLAB's `rgb2ycbcr` has it. The floor is what anybody gets without a network: Pillow's bicubic enlargement
of the same input.
"""

import functools
from collections.abc import Callable

import numpy as np

from gan_zoo.bicubic import enlarged
from gan_zoo.errors import UserError
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, ImageMean, MetricDefinition, standard_error
from gan_zoo.metrics.psnr import psnr_y
from gan_zoo.metrics.ssim import WINDOW, ssim_y

NEEDS = frozenset({"outputs", "targets", "inputs"})
_PROTOCOL = "BT.601 luma from 16 to 235, not rounded, without {scale} pixels (the scale) at each border"


def scale_of(inputs: np.ndarray, outputs: np.ndarray) -> int:
    """How many times as large `outputs` `[B, H, W, C]` are as `inputs` `[B, h, w, C]`.

    Raises:
        ValueError: where they are not larger, or not by a whole number.
    """
    scale = outputs.shape[1] // inputs.shape[1]
    if scale < 2 or outputs.shape[1:3] != (scale * inputs.shape[1], scale * inputs.shape[2]):
        sizes = (f"{shape[2]}x{shape[1]}" for shape in (inputs.shape, outputs.shape))
        raise ValueError(f"the output must be 2, 3 ... times as large as the input. Received: {' and '.join(sizes)}")
    return scale


def without_border(images: np.ndarray, border: int) -> np.ndarray:
    """`[B, H, W, C]` without so many rows and columns on each side."""
    return images[:, border:-border, border:-border]


class Enlargement(ImageMean):
    """The mean of a measure without the border, and that of interpolation as `<name>/bicubic`.

    Args:
        name, measure, unit, protocol: as for `ImageMean`; `measure` takes images and targets, and refuses what
            is smaller than `least` pixels.
    """

    def __init__(
        self,
        name: str,
        measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
        *,
        unit: str,
        protocol: str,
        least: int,
    ) -> None:
        super().__init__(
            name, self._of_outputs, needs=NEEDS, better="higher", unit=unit, protocol=f"{protocol}; {_PROTOCOL}"
        )
        self._distance, self._least = measure, least
        self._floor: list[np.ndarray] = []
        self._scales: set[int] = set()

    def _of_outputs(self, batch: EvaluationBatch) -> np.ndarray:
        scale = scale_of(batch.inputs, batch.outputs)
        if min(batch.outputs.shape[1:3]) < self._least + 2 * scale:
            raise ValueError(f"{self._least} pixels must be left between borders of {scale} pixels")
        targets = without_border(batch.targets, scale)
        values = self._distance(without_border(batch.outputs, scale), targets)
        interpolated = np.stack([enlarged(image, scale) for image in batch.inputs])
        self._floor.append(self._distance(without_border(interpolated, scale), targets))
        self._scales.add(scale)
        return values

    def figures(self) -> list[Figure]:
        if not self._floor:
            raise UserError(f"{self.name} had no image to judge")
        floor = np.concatenate(self._floor)
        protocol = self._about["protocol"].replace("{scale}", " or ".join(map(str, sorted(self._scales))))
        unit = self._about["unit"]
        return [
            self._mean_figure(protocol=protocol, note=f"bicubic: {floor.mean():.4g} {unit}".rstrip()),
            Figure(
                name=f"{self.name}/bicubic",
                value=float(floor.mean()),
                unit=unit,
                better="none",
                num_images=len(floor),
                protocol=f"{protocol}; of Pillow's bicubic enlargement of the input",
                error=standard_error(floor),
            ),
        ]


def _build(name: str, context: Context) -> Enlargement:
    if name == "psnr_y_border":
        protocol = "mean over images of 10 log10(255^2 / MSE)"
        return Enlargement(name, psnr_y, unit="dB", protocol=protocol, least=1)
    protocol = "mean over images of SSIM, Gaussian window of 11x11 pixels, sigma 1.5, whole windows only"
    return Enlargement(name, ssim_y, unit="", protocol=protocol, least=WINDOW)


DEFINITIONS = {
    name: MetricDefinition(build=functools.partial(_build, name), needs=NEEDS)
    for name in ("psnr_y_border", "ssim_y_border")
}
