"""Features of any size brought to one."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import widened


@keras.saving.register_keras_serializable("gan_zoo")
class ResizeToSquare(keras.layers.Layer):
    """`[B, H, W, C]` -> `[B, side, side, C]`, by bilinear interpolation without aliasing; as it is if of that size.

    Args:
        side: of the result.
    """

    def __init__(self, side: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if side < 1:
            raise ValueError(f"side must be at least 1. Received: side={side}")
        self.side = side

    def call(self, features: tf.Tensor) -> tf.Tensor:
        if tuple(features.shape[1:3]) == (self.side, self.side):
            return features
        resized = tf.image.resize(widened(features), [self.side, self.side], antialias=True)
        return tf.cast(resized, features.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.side, self.side, input_shape[-1])

    def get_config(self) -> dict:
        return {**super().get_config(), "side": self.side}
