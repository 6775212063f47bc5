"""Borders of images."""

import keras
import tensorflow as tf


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
