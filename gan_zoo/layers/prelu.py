"""A rectifier that learns its slope."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class PReLU(keras.layers.Layer):
    """x where it is positive, `slope` times x where it is not, with one slope for the whole layer; any shape.

    He et al. 2015 (arXiv 1502.01852, equation 1) in its channel-shared form, as `torch.nn.PReLU()` computes it. Keras'
    own layer has a slope for each channel, and a variable of another shape.

    Args:
        slope: at the start.
    """

    def __init__(self, slope: float = 0.25, **kwargs) -> None:
        super().__init__(**kwargs)
        self.start = slope

    def build(self, input_shape: tuple) -> None:
        start = keras.initializers.Constant(self.start)
        self.slope = self.add_weight(name="slope", shape=(1,), initializer=start, autocast=False)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        slope = tf.cast(tf.convert_to_tensor(self.slope), x.dtype)
        return tf.where(x > 0, x, slope * x)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "slope": self.start}
