"""Mean absolute error.

Over all pixels and channels of one image, as a share of the full range: 0 is equal, 1 is black against white; lower is
better. Images of [-1, 1], as the networks and their L1 losses see them, are twice as far apart.
"""

import numpy as np

from gan_zoo.metrics.image_pairs import checked_pair


def l1(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Mean absolute error of each image, in [0, 1].

    Args:
        images, targets: `[B, H, W, C]` uint8 with C of 1 or 3.

    Returns:
        `[B]` float64.

    Raises:
        ValueError: if shapes or types do not fit.
    """
    first, second = checked_pair(images, targets)
    return np.mean(np.abs(first - second), axis=(1, 2, 3)) / 255.0
