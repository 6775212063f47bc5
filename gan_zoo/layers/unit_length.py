"""Vectors onto the unit sphere."""

import keras
import tensorflow as tf

EPSILON = 1e-7


@keras.saving.register_keras_serializable("gan_zoo")
class UnitLength(keras.layers.Layer):
    """Divides each vector by its length plus 1e-7: `[..., C]` in and out.

    A vector of zeros stays one, and nothing is learnt from it: a length has no slope there (PyTorch's is not a number).
    """

    def call(self, vectors: tf.Tensor) -> tf.Tensor:
        squares = tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True)
        units = vectors / (tf.sqrt(squares) + EPSILON)
        return tf.where(squares == 0, tf.zeros_like(vectors), units)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
