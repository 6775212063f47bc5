"""The bicubic reduction that super-resolution learns and measures with, and the enlargement that it has to beat.

Both are Keys' kernel with a = -0.5 (Keys 1981, "Cubic convolution interpolation for digital image processing").
"""

import numpy as np
import tensorflow as tf
from PIL import Image


def reduced(image: tf.Tensor, scale: int) -> tf.Tensor:
    """An image `scale` times smaller, as MATLAB's `imresize(image, 1 / scale)` of an 8 bit image has it; graph-safe.

    Antialiased: the kernel is `scale` times as wide. Beyond its borders the image is mirrored. The result is rounded to
    the nearest of the 256 levels, as a file of it would be, halves to the even one, and clipped. MATLAB rounds halves
    away from zero, and, where a version of it rounds what it has between rows and columns too, differs by one level
    in a tenth of the pixels.

    Args:
        image: `[H, W, C]` or `[B, H, W, C]` in [-1, 1]; H and W are multiples of `scale`, and at least twice as much.

    Returns:
        `[..., H / scale, W / scale, C]` float32 in [-1, 1].
    """
    border = 2 * scale  # of it, what the kernel reaches is `2 * scale - 1 / 2` at most
    spatial = [[border, border], [border, border], [0, 0]]
    padded = tf.pad(image, spatial if image.shape.rank == 3 else [[0, 0], *spatial], mode="SYMMETRIC")
    size = tf.shape(padded)[-3:-1] // scale
    small = tf.image.resize(padded, size, "bicubic", antialias=True)[..., 2:-2, 2:-2, :]
    sides = [side and side // scale for side in image.shape[-3:-1]]
    small.set_shape([*image.shape[:-3], *sides, image.shape[-1]])
    return tf.clip_by_value(tf.round((small + 1.0) * 127.5) / 127.5 - 1.0, -1.0, 1.0)


def enlarged(image: np.ndarray, scale: int) -> np.ndarray:
    """`[H, W, C]` uint8 to `[H * scale, W * scale, C]`, as Pillow's `BICUBIC` does it."""
    height, width, channels = image.shape
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    large = picture.resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    return np.asarray(large).reshape(height * scale, width * scale, channels)
