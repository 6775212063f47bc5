"""Colours for sRGB pictures of any size, predicted in small: the eye sees fine detail in the lightness alone.

A user's hints come as a picture of the same size with alpha, `[B, H, W, 4]` uint8: where that is 128 or more, the ab of
the colour counts. On the way down no point is lost: a small pixel has the mean of the points that fall on it.
"""

from collections.abc import Callable

import tensorflow as tf

from gan_zoo.images import to_float
from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, rgb_to_lab, to_grey, to_network
from gan_zoo.learning.hints import mean_of_points, places_in_small
from gan_zoo.translation.borders import crop_back, pad_to_multiple


def colorized(
    predict: Callable[..., tf.Tensor],
    image: tf.Tensor,
    *,
    working_size: int,
    size_multiple: int,
    saturation: float = 1.0,
    hints: tf.Tensor | None = None,
) -> tf.Tensor:
    """Gives a picture the ab that `predict` finds in small, and leaves its L as it is in every pixel; graph-safe.

    Args:
        predict: from lightness, L / 50 - 1, `[B, h, w, 1]`, and `hints=` `[B, h, w, 3]` of `gan_zoo.learning.hints`
            where they are given, to ab / 110 `[B, h, w, 2]`.
        image: `[B, H, W, 1]` grey or `[B, H, W, 3]` RGB in [-1, 1]; the number of channels may be known but to the
            graph's run. Of RGB, the L alone is looked at.
        working_size: the longer side in `predict` of what is larger; what is smaller stays as it is.
        size_multiple: what `predict` takes; the picture is padded by reflection.
        saturation: a factor for ab.
        hints: `[B, H, W, 4]` uint8; None for none.

    Returns:
        `[B, H, W, 3]` RGB in [-1, 1].

    Raises:
        tf.errors.InvalidArgumentError: if the hints have another size than the picture.
    """
    grey = _grey(image)
    size = tf.shape(grey)[1:3]
    small = _shrunk(grey, working_size)
    more = {}
    if hints is not None:
        wrong = "the hints must be as large as the image"
        with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(hints)[:3], tf.shape(grey)[:3], wrong)]):
            points = _small_hints(hints, tf.shape(small)[1:3])
        more = {"hints": pad_to_multiple(points, size_multiple)[0]}
    small, padding = pad_to_multiple(small, size_multiple)
    ab = crop_back(predict(grey_to_network(small), **more), padding)
    # Bilinear: a kernel with negative lobes would draw lines of the opposite colour along every border.
    ab = saturation * tf.image.resize(ab, size, "bilinear")
    return lab_to_rgb(from_network(grey_to_network(grey), ab))


def _small_hints(hints: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Brings a user's hints `[B, H, W, 4]` uint8 to `size` (h, w), none of them larger, as `[B, h, w, 3]`."""
    size = tf.cast(size, tf.int64)
    full = tf.shape(hints, tf.int64)
    points = tf.where(hints[..., 3] > 127)  # [N, 3]: image, row, column
    _, ab = to_network(rgb_to_lab(to_float(tf.gather_nd(hints, points)[:, :3])))
    indices = tf.concat([points[:, :1], places_in_small(points[:, 1:], full[1:3], size)], -1)
    sums = tf.scatter_nd(indices, tf.concat([ab, tf.ones_like(ab[:, :1])], -1), tf.concat([full[:1], size, [3]], 0))
    return mean_of_points(sums)


def _grey(image: tf.Tensor) -> tf.Tensor:
    channels = image.shape[-1]
    if channels is not None:
        return image if channels == 1 else to_grey(image)
    return tf.cond(
        tf.shape(image)[-1] == 1,
        lambda: tf.ensure_shape(image, [None, None, None, 1]),
        lambda: to_grey(tf.ensure_shape(image, [None, None, None, 3])),
    )


def _shrunk(image: tf.Tensor, longest: int) -> tf.Tensor:
    size = tf.cast(tf.shape(image)[1:3], tf.float32)
    share = tf.minimum(1.0, longest / tf.reduce_max(size))
    small = tf.maximum(tf.cast(tf.round(size * share), tf.int32), 1)
    return tf.clip_by_value(tf.image.resize(image, small, "bicubic", antialias=True), -1.0, 1.0)
