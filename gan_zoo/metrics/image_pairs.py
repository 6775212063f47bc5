"""What PSNR, SSIM and L1 ask of two batches of images, and the luma that super-resolution measures them on."""

import numpy as np


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
