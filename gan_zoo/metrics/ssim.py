"""Structural similarity.

Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", equation 13 with the
paper's constants: Gaussian window of 11x11 pixels and sigma 1.5, weights that add up to 1, K1 = 0.01, K2 = 0.03, peak
255, variances divided by the sum of the weights (not n - 1). Only windows that lie wholly inside the image count, and
nothing is scaled down before. Of several channels it is the mean over them; `ssim_y` is on luma as in `psnr_y`, the
convention of super-resolution. 1 is equal, higher is better.
"""

import numpy as np

from gan_zoo.metrics.base import pair_metric
from gan_zoo.metrics.image_pairs import checked_pair, luma

WINDOW = 11
SIGMA = 1.5
C1, C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2


def ssim(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """SSIM of each image.

    Args:
        images, targets: `[B, H, W, C]` uint8, C not 4, at least 11x11 pixels.

    Returns:
        `[B]` float64 in [-1, 1].

    Raises:
        ValueError: if shapes or types do not fit, or the images are smaller than the window.
    """
    return _ssim(*checked_pair(images, targets))


def ssim_y(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """SSIM of each image's luma; otherwise as `ssim`."""
    first, second = checked_pair(images, targets)
    return _ssim(luma(first), luma(second))


def _ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    height, width = first.shape[1:3]
    if min(height, width) < WINDOW:
        raise ValueError(f"SSIM needs at least {WINDOW}x{WINDOW} pixels. Received: {width}x{height}")
    # One image after the other: what it takes then stays in the processor's cache.
    return np.array([_ssim_of_one(x, y) for x, y in zip(first, second, strict=True)])


def _ssim_of_one(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance = _blur(x * y) - product
    variances = _blur(x * x + y * y) - squares
    ratio = (2 * product + C1) * (2 * covariance + C2) / ((squares + C1) * (variances + C2))
    return float(np.mean(ratio))


def _blur(image: np.ndarray) -> np.ndarray:
    """Gaussian means of all whole windows: `[H, W, C]` -> `[H - 10, W - 10, C]`."""
    radius = WINDOW // 2
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / SIGMA) ** 2)
    weights /= weights.sum()
    height, width = (size - 2 * radius for size in image.shape[:2])
    rows = weights[radius] * image[radius : radius + height]
    for offset in range(radius):  # the window is symmetric: two rows, two columns at a time
        mirrored = 2 * radius - offset
        rows += weights[offset] * (image[offset : offset + height] + image[mirrored : mirrored + height])
    columns = weights[radius] * rows[:, radius : radius + width]
    for offset in range(radius):
        mirrored = 2 * radius - offset
        columns += weights[offset] * (rows[:, offset : offset + width] + rows[:, mirrored : mirrored + width])
    return columns


_PROTOCOL = "Gaussian window of 11x11 pixels, sigma 1.5, K1 0.01, K2 0.03, peak 255, whole windows only, no downscaling"
DEFINITIONS = {
    "ssim": pair_metric(
        "ssim", ssim, better="higher", protocol=f"mean over images; {_PROTOCOL}; mean of the channels", default=True
    ),
    "ssim_y": pair_metric(
        "ssim_y",
        ssim_y,
        better="higher",
        protocol=f"mean over images; {_PROTOCOL}; BT.601 luma from 16 to 235",
        channels=(1, 3),
    ),
}
