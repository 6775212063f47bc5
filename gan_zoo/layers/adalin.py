"""Norms that mix instance and layer normalization by a learnt ratio, from U-GAT-IT.

Kim et al. 2019 (arXiv 1907.10830), equations 1 and 2: `gamma * (rho * IN(x) + (1 - rho) * LN(x)) + beta`, rho a number
per channel in [0, 1]. IN takes the mean and variance of each channel of an image, LN those of the whole image. The
variances are those of the pixels themselves, as in `InstanceNorm` and in the authors' TensorFlow code; with `unbiased`
they are divided by n - 1, as in their PyTorch code, a difference of 1e-4 at 64 px.
"""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import widened
from gan_zoo.layers.normalization import centered_and_variance

EPSILON = 1e-5


@keras.saving.register_keras_serializable("gan_zoo")
class UnitInterval(keras.constraints.Constraint):
    """Clips a variable to [0, 1]; Keras' optimizers apply it after each step."""

    def __call__(self, value: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(tf.convert_to_tensor(value), 0.0, 1.0)


@keras.saving.register_keras_serializable("gan_zoo")
class AdaptiveLayerInstanceNorm(keras.layers.Layer):
    """AdaLIN: gamma and beta come from outside: `[B, H, W, C]`, gamma `[B, C]`, beta `[B, C]` -> `[B, H, W, C]`.

    Args:
        rho: where the share of the instance norm starts, in [0, 1].
        unbiased: whether variances are divided by n - 1.
    """

    def __init__(self, rho: float = 0.9, unbiased: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.initial_rho, self.unbiased = _checked(rho), unbiased

    def build(self, image_shape: tuple, *vector_shapes: tuple) -> None:
        self.rho = _add_rho(self, image_shape[-1])

    def call(self, image: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
        return mixed_norm(image, self.rho, gamma, beta, unbiased=self.unbiased)

    def compute_output_shape(self, image_shape: tuple, *vector_shapes: tuple) -> tuple:
        return image_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rho": self.initial_rho, "unbiased": self.unbiased}


@keras.saving.register_keras_serializable("gan_zoo")
class LayerInstanceNorm(keras.layers.Layer):
    """LIN: the same with a gamma and beta of its own, 1 and 0 at the start: `[B, H, W, C]` in and out.

    Args:
        rho: where the share of the instance norm starts, in [0, 1]: 0 is a layer norm.
        unbiased: whether variances are divided by n - 1.
    """

    def __init__(self, rho: float = 0.0, unbiased: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.initial_rho, self.unbiased = _checked(rho), unbiased

    def build(self, input_shape: tuple) -> None:
        channels = input_shape[-1]
        self.rho = _add_rho(self, channels)
        self.gamma = self.add_weight(shape=(channels,), initializer="ones", autocast=False, name="gamma")
        self.beta = self.add_weight(shape=(channels,), initializer="zeros", autocast=False, name="beta")

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return mixed_norm(image, self.rho, self.gamma, self.beta, unbiased=self.unbiased)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rho": self.initial_rho, "unbiased": self.unbiased}


def mixed_norm(
    image: tf.Tensor, rho: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, *, unbiased: bool = False
) -> tf.Tensor:
    """`gamma * (rho * IN(image) + (1 - rho) * LN(image)) + beta`, computed in float32 at least.

    Args:
        image: `[B, H, W, C]`.
        rho: share of the instance norm, `[C]`.
        gamma, beta: scale and offset, `[C]` or `[B, C]`.
        unbiased: whether variances are divided by n - 1; of a single pixel by 1.

    Returns:
        `[B, H, W, C]` in the type of the image.
    """
    wide = widened(image)
    rho, gamma, beta = (tf.cast(tf.convert_to_tensor(value), wide.dtype) for value in (rho, gamma, beta))
    centered, variance = centered_and_variance(wide, axes=(1, 2))  # [B, H, W, C], [B, 1, 1, C]
    mean, variance = tf.reduce_mean(wide, axis=(1, 2)), variance[:, 0, 0, :]  # [B, C]
    # All channels have the same number of pixels: the whole image's variance is the mean of theirs and that of their
    # means, which saves a second walk over the pixels.
    layer_mean = tf.reduce_mean(mean, axis=1, keepdims=True)  # [B, 1]
    layer_variance = tf.reduce_mean(variance + tf.square(mean - layer_mean), axis=1, keepdims=True)
    if unbiased:
        pixels = tf.cast(tf.reduce_prod(tf.shape(image)[1:3]), wide.dtype)
        values = pixels * image.shape[-1]
        variance *= pixels / tf.maximum(pixels - 1.0, 1.0)
        layer_variance *= values / tf.maximum(values - 1.0, 1.0)
    instance_scale = rho * tf.math.rsqrt(variance + EPSILON)
    layer_scale = (1.0 - rho) * tf.math.rsqrt(layer_variance + EPSILON)
    scale = gamma * (instance_scale + layer_scale)
    # What is left of the layer norm's offset once the channel's own mean is gone from the pixels.
    offset = beta + gamma * layer_scale * (mean - layer_mean)
    scale, offset = (value[:, tf.newaxis, tf.newaxis, :] for value in (scale, offset))
    return tf.cast(centered * scale + offset, image.dtype)


def _add_rho(layer: keras.layers.Layer, channels: int) -> keras.Variable:
    return layer.add_weight(
        shape=(channels,),
        initializer=keras.initializers.Constant(layer.initial_rho),
        constraint=UnitInterval(),
        autocast=False,
        name="rho",
    )


def _checked(rho: float) -> float:
    if not 0.0 <= rho <= 1.0:
        raise ValueError(f"rho must be in [0, 1]. Received: rho={rho}")
    return rho
