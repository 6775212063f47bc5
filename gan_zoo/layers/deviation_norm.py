"""UNIT's layer norm, which divides by a deviation and not by the root of a variance."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import widened
from gan_zoo.layers.normalization import centered_and_variance


@keras.saving.register_keras_serializable("gan_zoo")
class DeviationNorm(keras.layers.Layer):
    """Normalizes each image by its mean and deviation over all pixels and channels: `[B, H, W, C]` in and out.

    `gamma * (x - mean) / (deviation + epsilon) + beta`, one gamma and beta a channel, which start as 1 and 0. The
    deviation is the unbiased one, n / (n - 1), and epsilon is added to it. `LayerNorm` differs in both. The statistics
    are computed in float32 at least.

    Args:
        epsilon: added to the deviation.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs) -> None:
        super().__init__(**kwargs)
        if epsilon <= 0:
            raise ValueError(f"epsilon must be positive. Received: epsilon={epsilon}")
        self.epsilon = epsilon

    def build(self, input_shape: tuple) -> None:
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        wide = widened(image)
        centered, variance = centered_and_variance(wide, (1, 2, 3))
        count = tf.cast(tf.reduce_prod(tf.shape(image)[1:]), wide.dtype)
        # Of a flat image no gradient comes through the root: TensorFlow's slope of it at 0, times 0, is 0.
        deviation = tf.sqrt(variance * (count / tf.maximum(count - 1.0, 1.0)))
        return tf.cast(centered * (self.gamma / (deviation + self.epsilon)) + self.beta, image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}
