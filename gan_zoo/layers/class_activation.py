"""Attention by a classifier: features weighed by what they say of the class of their image."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import widened
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D


@keras.saving.register_keras_serializable("gan_zoo")
class ClassActivation(keras.layers.Layer):
    """Classifies an image by its features, and weighs these by the classifier: `[B, H, W, C]` to a pair of tensors.

    Kim et al. 2019 (U-GAT-IT, arXiv 1907.10830, section 2.1.1), after Zhou et al. 2016 (arXiv 1512.04150). One
    classifier sees the mean of each channel over the image, another its maximum; neither has a bias. A channel that
    speaks for the class gets a large weight wherever it is active. The pair is

    * the features times the weights of the first, then of the second: `[B, H, W, 2 C]`;
    * both logits: `[B, 1, 1, 2]`.

    The classifiers learn from both.

    Args:
        spectral: whether the logits come from spectrally normalized weights. The features are multiplied by the
            weights as they are in any case, as in both of the authors' codes.
        init_type, init_gain: of the weights, see `gan_zoo.layers.initializers.make_initializer`.
    """

    def __init__(
        self, *, spectral: bool = False, init_type: str = "pytorch", init_gain: float = 0.02, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.spectral, self.init_type, self.init_gain = spectral, init_type, init_gain
        conv_class = SpectralConv2D if spectral else keras.layers.Conv2D

        def classifier(name: str) -> keras.layers.Layer:
            kernel = make_initializer(init_type, init_gain)
            return conv_class(1, 1, use_bias=False, kernel_initializer=kernel, dtype=self.dtype_policy, name=name)

        self.mean, self.maximum = classifier("mean"), classifier("maximum")

    def build(self, input_shape: tuple) -> None:
        for classifier in (self.mean, self.maximum):
            classifier.build((input_shape[0], 1, 1, input_shape[-1]))

    def call(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pooled = (
            tf.reduce_mean(widened(features), (1, 2), keepdims=True),
            tf.reduce_max(features, (1, 2), keepdims=True),
        )
        logits, weighed = [], []
        for classifier, values in zip((self.mean, self.maximum), pooled, strict=True):
            logits.append(classifier(tf.cast(values, features.dtype)))  # [B, 1, 1, 1]
            weighed.append(features * tf.cast(tf.reshape(classifier.kernel, [-1]), features.dtype))
        return tf.concat(weighed, -1), tf.concat(logits, -1)

    def compute_output_shape(self, input_shape: tuple) -> tuple[tuple, tuple]:
        *around, channels = input_shape
        return (*around, 2 * channels), (input_shape[0], 1, 1, 2)

    def get_config(self) -> dict:
        own = {"spectral": self.spectral, "init_type": self.init_type, "init_gain": self.init_gain}
        return {**super().get_config(), **own}
