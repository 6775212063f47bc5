"""Layers and initializers that several networks share."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class InstanceNorm(keras.layers.Layer):
    """Normalizes each image and channel by its own mean and variance: `[B, H, W, C]` in and out.

    The statistics are computed in float32 at least, whatever the compute type.

    Args:
        epsilon: added to the variance. 1e-5 is PyTorch's; tensorflow-addons took 1e-3.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs) -> None:
        super().__init__(**kwargs)
        if epsilon <= 0:
            raise ValueError(f"epsilon must be positive. Received: epsilon={epsilon}")
        self.epsilon = epsilon

    def call(self, image: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(image, tf.float32) if image.dtype.size < 4 else image
        mean, variance = tf.nn.moments(wide, axes=(1, 2), keepdims=True)
        normalized = (wide - mean) * tf.math.rsqrt(variance + self.epsilon)
        return tf.cast(normalized, image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("gan_zoo")
class TileConcat(keras.layers.Layer):
    """Appends a vector to the channels of every pixel: `[B, H, W, C]`, `[B, Z]` -> `[B, H, W, C + Z]`."""

    def call(self, image: tf.Tensor, vector: tf.Tensor) -> tf.Tensor:
        height_width = tf.shape(image)[1:3]
        tiled = tf.tile(vector[:, tf.newaxis, tf.newaxis, :], tf.concat([[1], height_width, [1]], axis=0))
        return tf.concat([image, tf.cast(tiled, image.dtype)], axis=-1)

    def compute_output_shape(self, image_shape: tuple, vector_shape: tuple) -> tuple:
        return (*image_shape[:-1], image_shape[-1] + vector_shape[-1])


@keras.saving.register_keras_serializable("gan_zoo")
class ReflectionPad2D(keras.layers.Layer):
    """Mirrors `padding` pixels at each border, the border pixel itself not repeated."""

    def __init__(self, padding: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        if padding < 1:
            raise ValueError(f"padding must be at least 1. Received: padding={padding}")
        self.padding = padding

    def call(self, image: tf.Tensor) -> tf.Tensor:
        border = [self.padding, self.padding]
        return tf.pad(image, [[0, 0], border, border, [0, 0]], mode="REFLECT")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        extra = 2 * self.padding
        return (batch, height and height + extra, width and width + extra, channels)

    def get_config(self) -> dict:
        return {**super().get_config(), "padding": self.padding}


def xavier_normal(gain: float = 0.02) -> keras.initializers.Initializer:
    """PyTorch's `xavier_normal_(gain)`: N(0, gain^2 * 2 / (fan_in + fan_out)), not truncated."""
    return keras.initializers.VarianceScaling(scale=gain**2, mode="fan_avg", distribution="untruncated_normal")
