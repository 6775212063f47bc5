"""Colours for pictures of any size, predicted in small: the eye sees fine detail in the lightness alone."""

from collections.abc import Callable

import tensorflow as tf

from gan_zoo.images import crop_back, pad_to_multiple
from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, to_grey


def colorized(
    predict: Callable[[tf.Tensor], tf.Tensor],
    image: tf.Tensor,
    *,
    working_size: int,
    size_multiple: int,
    saturation: float = 1.0,
) -> tf.Tensor:
    """Gives a picture the ab that `predict` finds in small, and leaves its L as it is in every pixel; graph-safe.

    Args:
        predict: from lightness, L / 50 - 1, `[B, h, w, 1]` to ab / 110 `[B, h, w, 2]`.
        image: `[B, H, W, 1]` grey or `[B, H, W, 3]` RGB in [-1, 1]; the number of channels may be known but to the
            graph's run. Of RGB, the L alone is looked at.
        working_size: the longer side in `predict` of what is larger; what is smaller stays as it is.
        size_multiple: what `predict` takes; the picture is padded by reflection.
        saturation: a factor for ab.

    Returns:
        `[B, H, W, 3]` RGB in [-1, 1].
    """
    grey = _grey(image)
    size = tf.shape(grey)[1:3]
    small, padding = pad_to_multiple(_shrunk(grey, working_size), size_multiple)
    ab = crop_back(predict(grey_to_network(small)), padding)
    # Bilinear: a kernel with negative lobes would draw lines of the opposite colour along every border.
    ab = saturation * tf.image.resize(ab, size, "bilinear")
    return lab_to_rgb(from_network(grey_to_network(grey), ab))


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
