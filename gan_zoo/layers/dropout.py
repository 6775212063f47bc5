"""Dropout from seeds that come with the images."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("gan_zoo")
class SeededDropout(keras.layers.Layer):
    """Dropout whose mask is a function of seeds given with the images: `[B, H, W, C]`, `[B]` int64 -> `[B, H, W, C]`.

    What image i loses depends on (seed[i], stream) alone: not on its neighbours in the batch, the replica it lies on or
    the calls before. The values that stay are divided by `1 - rate`.

    Args:
        rate: share of the values that are dropped, in [0, 1).
        stream: tells the dropouts of one network apart, so that they draw different numbers from one seed.
        at_inference: whether it drops outside of training too (pix2pix' noise).
    """

    def __init__(self, rate: float, stream: int, at_inference: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1). Received: rate={rate}")
        self.rate = rate
        self.stream = stream
        self.at_inference = at_inference

    def call(self, image: tf.Tensor, seed: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not (training or self.at_inference) or self.rate == 0:
            return image
        shape = tf.shape(image)[1:]

        def kept(row_seed: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_uniform(shape, tf.stack([row_seed, self.stream])) >= self.rate

        keep = tf.map_fn(kept, seed, fn_output_signature=tf.TensorSpec(image.shape[1:], tf.bool))
        return tf.where(keep, image / (1 - self.rate), tf.zeros([], image.dtype))

    def compute_output_shape(self, image_shape: tuple, seed_shape: tuple) -> tuple:
        return image_shape

    def get_config(self) -> dict:
        own = {"rate": self.rate, "stream": self.stream, "at_inference": self.at_inference}
        return {**super().get_config(), **own}
