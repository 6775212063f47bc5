"""Vectors beside the channels of images."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class TileConcat(keras.layers.Layer):
    """Appends a vector to the channels of every pixel: `[B, H, W, C]`, `[B, Z]` -> `[B, H, W, C + Z]`."""

    def call(self, image: tf.Tensor, vector: tf.Tensor) -> tf.Tensor:
        height_width = tf.shape(image)[1:3]
        tiled = tf.tile(vector[:, tf.newaxis, tf.newaxis, :], tf.concat([[1], height_width, [1]], axis=0))
        return tf.concat([image, tf.cast(tiled, image.dtype)], axis=-1)

    def compute_output_shape(self, image_shape: tuple, vector_shape: tuple) -> tuple:
        return (*image_shape[:-1], image_shape[-1] + vector_shape[-1])
