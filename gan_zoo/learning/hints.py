"""A user's hints, a few coloured points, as a generator takes them; and such points for training.

Hints are `[B, H, W, 3]`: a / 110, b / 110 and the mask, which is 1 where there is a hint; elsewhere all three are 0.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.learning.noise import example_noise

GO_ON = 7 / 8  # how likely one more patch follows, also the first one
LARGEST = 9  # pixels of the side of a patch
SHARE_WHOLE = 0.01  # of examples, in which every pixel is a hint
MOST = 64  # patches; one example in 5000 would have more
_PATCHES, _PLACES = 40, 41  # purposes of noise


def draw_hints(seed: int, example_index: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Plays the user: square patches of the truth, each in its mean colour.

    Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors" (arXiv 1705.02999, section
    3.2). How many is geometric with p = 1/8, from 0; sides are 1 to 9 pixels, all alike; places are normal around the
    middle, with a quarter of a patch's room, length - side + 1, as deviation, those beyond it at its border; one
    example in a hundred is given whole. Theirs paints a later patch over an earlier one: here the mean is taken where
    patches overlap.

    Args:
        seed: of the noise.
        example_index: `[B]` int64; what is drawn for a row depends on `seed` and on its own index.
        ab: `[B, H, W, 2]`, the truth's ab / 110.

    Returns:
        `[B, H, W, 3]`.
    """
    uniform = example_noise((seed, _PATCHES), example_index, 2 + MOST, uniform=True)
    normal = tf.reshape(example_noise((seed, _PLACES), example_index, 2 * MOST), [-1, 2, MOST])
    # The n-th patch is there if all before it went on: with the probability GO_ON^n.
    there = uniform[:, :1] < GO_ON ** tf.range(1.0, MOST + 1)  # [B, MOST]
    height, width = tf.shape(ab)[1], tf.shape(ab)[2]
    smallest_side = tf.cast(tf.minimum(height, width), tf.float32)
    sides = tf.minimum(1.0 + tf.floor(LARGEST * uniform[:, 2:]), smallest_side)
    rows = tf.cast(there[..., tf.newaxis] & _covered(normal[:, 0], sides, height), ab.dtype)  # [B, MOST, H]
    columns = tf.cast(_covered(normal[:, 1], sides, width), ab.dtype)  # [B, MOST, W]

    sums = tf.einsum("bpw,bpwc->bpc", columns, tf.einsum("bph,bhwc->bpwc", rows, ab))
    colours = sums / tf.cast(sides**2, ab.dtype)[..., tf.newaxis]
    painted = tf.concat([colours, tf.ones_like(colours[..., :1])], -1)  # [B, MOST, 3]
    sums = tf.einsum("bph,bpwc->bhwc", rows, columns[..., tf.newaxis] * painted[:, :, tf.newaxis])
    whole = uniform[:, 1] < SHARE_WHOLE
    everything = tf.concat([ab, tf.ones_like(ab[..., :1])], -1)
    return tf.where(whole[:, tf.newaxis, tf.newaxis, tf.newaxis], everything, mean_of_points(sums))


def mean_of_points(sums: tf.Tensor) -> tf.Tensor:
    """Hints `[..., 3]` of the sums over the points that fall on each pixel: of a, of b, and how many they are."""
    return sums / tf.maximum(sums[..., 2:], 1)


def places_in_small(points: tf.Tensor | np.ndarray, full: Any, size: Any) -> tf.Tensor | np.ndarray:
    """The pixels (row, column) of a picture of `size` that the middles of `points` lie in, `[N, 2]` integers, both.

    Args:
        points: pixels of the picture of the size `full`, `[N, 2]`.
        full, size: height and width.
    """
    return (2 * points + 1) * size // (2 * full)


def _covered(normal: tf.Tensor, sides: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Which of `length` pixels lie in patches of `sides` `[B, P]` at places of `normal` `[B, P]`: `[B, P, length]`."""
    length = tf.cast(length, tf.float32)
    free = length - sides
    # What lies between two pixels belongs to the first of them.
    start = tf.floor(tf.clip_by_value((free + 1) / 2 + (free + 1) / 4 * normal, 0.0, free))[..., tf.newaxis]
    pixels = tf.range(length)
    return (pixels >= start) & (pixels < start + sides[..., tf.newaxis])
