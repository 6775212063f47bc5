"""Half and double the size without aliasing: a blur before pixels are dropped, and after they are put in between.

Zhang 2019, "Making Convolutional Networks Shift-Invariant Again" (arXiv 1904.11486), as CUT's authors have it. Sums are
computed in float32 at least.
"""

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.layers.convolutions import sizes, widened

# What the two layers do to a single pixel of 1, as PyTorch's modules keep it: `BlurUp`'s pixels are four times as many.
DOWN_FILTER = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
UP_FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16


@keras.saving.register_keras_serializable("gan_zoo")
class BlurDown(keras.layers.Layer):
    """Every second pixel of a blurred image: `[B, H, W, C]` -> `[B, ceil(H / 2), ceil(W / 2), C]`, H and W at least 2.

    The blur is [1, 2, 1] / 4 along each axis, over a mirrored border: two means of two, of which the second halves.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(widened(image), [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
        pairs = tf.nn.avg_pool2d(padded, 2, 1, "VALID")
        return tf.cast(tf.nn.avg_pool2d(pairs, 2, 2, "VALID"), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        return (batch, height and (height + 1) // 2, width and (width + 1) // 2, channels)


@keras.saving.register_keras_serializable("gan_zoo")
class BlurUp(keras.layers.Layer):
    """Double size, blurred: `[B, H, W, C]` -> `[B, 2 H, 2 W, C]`.

    Zeros between the pixels under [1, 3, 3, 1] / 4 along each axis, the border repeated: each pixel of the result is
    three quarters of the one that it lies in and a quarter of the nearest neighbour. The same numbers as
    `BilinearUpsampling`, which knows float32 alone.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return tf.cast(_doubled(_doubled(widened(image), 1), 2), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


def _doubled(image: tf.Tensor, axis: int) -> tf.Tensor:
    """Along the rows (axis 1) or the columns (2) of `[B, H, W, C]`."""

    def part(start: int | None, stop: int | None) -> tf.Tensor:
        return image[:, start:stop] if axis == 1 else image[:, :, start:stop]

    before = tf.concat([part(None, 1), part(None, -1)], axis)
    after = tf.concat([part(1, None), part(-1, None)], axis)
    both = tf.stack([0.75 * image + 0.25 * before, 0.75 * image + 0.25 * after], axis + 1)
    shape = sizes(image)
    shape[axis] *= 2
    return tf.reshape(both, shape)
