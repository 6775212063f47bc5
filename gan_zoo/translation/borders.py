"""Pictures of any size for networks that take multiples of a number: padded, and cut back."""

import tensorflow as tf


def pad_to_multiple(image: tf.Tensor, multiple: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Reflects `[B, H, W, C]` at its borders, on both sides, until H and W are multiples of `multiple`.

    Works in a graph with unknown sizes, and where the border is wider than the picture.

    Returns:
        The padded `[B, H', W', C]`, and `[top, left, H, W]` int32 for `crop_back`.
    """
    size = tf.shape(image)[1:3]
    border = tf.math.floormod(-size, multiple)
    before = border // 2
    for axis in (0, 1):
        place = tf.range(-before[axis], size[axis] + border[axis] - before[axis])
        period = tf.maximum(2 * (size[axis] - 1), 1)
        place = tf.math.floormod(place, period)
        image = tf.gather(image, tf.minimum(place, period - place), axis=1 + axis)
    return image, tf.concat([before, size], 0)


def crop_back(image: tf.Tensor, padding: tf.Tensor, scale: int = 1) -> tf.Tensor:
    """Cuts the translation of a padded picture, `scale` times as large, to where the picture was."""
    top, left, height, width = tf.unstack(padding * scale)
    return image[:, top : top + height, left : left + width]
