"""Line drawings of photographs: black on white, as edges2shoes has them."""

from types import ModuleType

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.images import to_channels

WIDER = 1.6  # XDoG's second Gaussian, in multiples of the first: near to a Laplacian, as the paper has it


def scikit_image() -> ModuleType:
    """scikit-image with what is used of it here.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import skimage.feature
        import skimage.filters
        import skimage.measure
        import skimage.morphology
    except ImportError:
        raise UserError(
            'edges and boxes around maps need scikit-image, which is not installed: pip install --editable ".[prepare]"'
        ) from None
    return skimage


def canny(image: np.ndarray, *, sigma: float, low: float, high: float, thickness: int = 1) -> np.ndarray:
    """Canny's edges (Canny 1986, "A computational approach to edge detection"), one pixel wide or thickened.

    Args:
        image: `[H, W, C]` uint8 of 1, 3 or 4 channels.
        sigma: of the Gaussian before, in pixels.
        low, high: thresholds for the gradient of grey in [0, 1]: lines begin above `high` and go on above `low`.
        thickness: of the lines, in pixels.

    Returns:
        `[H, W, 1]` uint8: 0 on lines, else 255.

    Raises:
        UserError: without scikit-image.
    """
    found = scikit_image().feature.canny(_grey(image), sigma=sigma, low_threshold=low, high_threshold=high)
    return _thickened(np.where(found, 0, 255).astype(np.uint8), thickness)[..., np.newaxis]


def xdog(image: np.ndarray, *, sigma: float, tau: float, epsilon: float, phi: float, thickness: int = 1) -> np.ndarray:
    """Lines by an extended difference of Gaussians: Winnemoeller, Kyprianidis and Olsen 2012, "XDoG", section 2.

    With D = G(sigma) - tau G(1.6 sigma) of grey in [0, 1], white where D >= epsilon, else 1 + tanh(phi (D - epsilon)).

    Args:
        image: `[H, W, C]` uint8 of 1, 3 or 4 channels.
        sigma: of the narrower Gaussian, in pixels: lines grow with it.
        tau: weight of the wider Gaussian; the nearer to 1, the more faint lines there are.
        epsilon: where white begins.
        phi: how steeply lines turn black.
        thickness: 1 leaves the lines as they come, more adds as many pixels less one.

    Returns:
        `[H, W, 1]` uint8: dark lines on white, with soft edges.

    Raises:
        UserError: without scikit-image.
    """
    grey, gaussian = _grey(image), scikit_image().filters.gaussian
    difference = gaussian(grey, sigma) - tau * gaussian(grey, WIDER * sigma)
    tone = np.where(difference >= epsilon, 1.0, 1.0 + np.tanh(phi * (difference - epsilon)))
    return _thickened(np.round(255.0 * tone).astype(np.uint8), thickness)[..., np.newaxis]


def _grey(image: np.ndarray) -> np.ndarray:
    """`[H, W]` float64 in [0, 1]."""
    return to_channels(image, 1)[..., 0] / 255.0


def _thickened(drawing: np.ndarray, thickness: int) -> np.ndarray:
    """Dark lines of `[H, W]` uint8, wider by `thickness - 1` pixels."""
    if thickness == 1:
        return drawing
    return scikit_image().morphology.erosion(drawing, np.ones((thickness, thickness), np.uint8))
