"""Colourfulness (Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images").

M = sigma_rgyb + 0.3 mu_rgyb, the paper's third metric (M^(3)), of the opponent channels rg = R - G and
yb = (R + G) / 2 - B on sRGB values from 0 to 255, with standard deviation and mean over the pixels of one image, each
joined as the root of the sum of squares. 0 is grey; the paper's observers call 15 slightly, 45 averagely and 109
extremely colourful. It knows no truth: compare with that of the real images.
"""

import numpy as np


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
