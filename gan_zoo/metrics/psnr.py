"""Peak signal-to-noise ratio.

PSNR = 10 log10(255^2 / MSE), in dB, higher is better; the MSE is over all pixels and channels of one image, the peak is
255 on RGB and on Y alike. `psnr_y` is the convention of super-resolution (as in SRCNN, Dong et al. 2014, arXiv
1501.00092): luma of BT.601 from 16 to 235, not rounded. Papers of that field also cut off as many border pixels as they
scale by; cut both images before if you compare with them.
"""

import numpy as np

from gan_zoo.metrics.base import pair_metric
from gan_zoo.metrics.image_pairs import checked_pair, luma

PEAK = 255.0


def psnr(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """PSNR of each image, in dB.

    Args:
        images, targets: `[B, H, W, C]` uint8, C not 4.

    Returns:
        `[B]` float64; infinite where image and target are the same, so that a mean over such images is infinite too and
        says by itself that something was compared with itself.

    Raises:
        ValueError: if shapes or types do not fit.
    """
    return _psnr(*checked_pair(images, targets))


def psnr_y(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """PSNR of each image's luma, in dB; otherwise as `psnr`."""
    first, second = checked_pair(images, targets)
    return _psnr(luma(first), luma(second))


def _psnr(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    squared_error = np.mean((first - second) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(PEAK**2 / squared_error)


DEFINITIONS = {
    "psnr": pair_metric(
        "psnr",
        psnr,
        unit="dB",
        better="higher",
        protocol="mean over images of 10 log10(255^2 / MSE), all pixels and channels of uint8",
        default=True,
    ),
    "psnr_y": pair_metric(
        "psnr_y",
        psnr_y,
        unit="dB",
        better="higher",
        protocol="mean over images of 10 log10(255^2 / MSE) of BT.601 luma from 16 to 235, not rounded; no border cut",
        channels=(1, 3),
    ),
}
