"""The normalizations that networks choose from: batch, instance and layer norm, and spectrally normalized kernels."""

from typing import Literal

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import Halving, widened

NORMS = ("batch", "instance", "layer", "none")
DISCRIMINATOR_NORMS = (*NORMS, "spectral")


def make_norm(
    norm: str, *, name: str, gamma_gain: float = 0.02, inference: Literal["running", "image"] = "running"
) -> keras.layers.Layer | None:
    """The layer for the name of a norm, or None for `none` and `spectral` (which normalizes kernels, not images).

    Args:
        norm: one of `DISCRIMINATOR_NORMS`.
        name: of the layer.
        gamma_gain, inference: see `BatchNorm`; the other norms have no use for them.
    """
    if norm == "batch":
        return BatchNorm(gamma_gain=gamma_gain, inference=inference, name=name)
    if norm == "instance":
        return InstanceNorm(name=name)
    if norm == "layer":
        return LayerNorm(name=name)
    if norm in ("none", "spectral"):
        return None
    raise ValueError(f"norm must be one of {', '.join(DISCRIMINATOR_NORMS)}. Received: norm={norm!r}")


def norm_has_bias(norm: str) -> bool:
    """Whether the convolutions before this norm carry a bias.

    In the authors' code those before instance norm do (to no effect), those before batch norm, or before none at all,
    do not. Ours before layer norm, which theirs does not know, have none either: it brings its own offset. Spectral
    norm leaves a network without any other offset, so ours keeps them there.
    """
    return norm in ("instance", "spectral")


def centered_and_variance(image: tf.Tensor, axes: tuple[int, ...]) -> tuple[tf.Tensor, tf.Tensor]:
    """`image - mean`, and the variance, over `axes` (kept, with length 1); of an image that is float32 at least.

    In bfloat16 the variance of an image drowns in its mean.

    Not `tf.nn.moments`: that holds the mean constant where it differentiates the variance, which is right for the first
    derivative and wrong for the second, the one that a gradient penalty needs.
    """
    centered = image - tf.reduce_mean(image, axes, keepdims=True)
    return centered, tf.reduce_mean(tf.square(centered), axes, keepdims=True)


class _Norm(keras.layers.Layer):
    """What the norms share: an epsilon, and the shape of the image."""

    def __init__(self, epsilon: float = 1e-5, **kwargs) -> None:
        super().__init__(**kwargs)
        if epsilon <= 0:
            raise ValueError(f"epsilon must be positive. Received: epsilon={epsilon}")
        self.epsilon = epsilon

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}

    def _scaled(self, centered: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        return centered * (tf.math.rsqrt(variance + self.epsilon) * self.gamma) + self.beta


@keras.saving.register_keras_serializable("gan_zoo")
class InstanceNorm(_Norm):
    """Normalizes each image and channel by its own mean and variance: `[B, H, W, C]` in and out.

    The statistics are computed in float32 at least, whatever the compute type.

    Args:
        epsilon: added to the variance. 1e-5 is PyTorch's; tensorflow-addons took 1e-3.
        affine: whether each channel is then scaled and shifted, by a gamma drawn from N(1, gamma_deviation^2) and a
            beta of 0.
        gamma_deviation: 0 for a gamma of 1.
    """

    def __init__(self, epsilon: float = 1e-5, affine: bool = False, gamma_deviation: float = 0.02, **kwargs) -> None:
        super().__init__(epsilon, **kwargs)
        self.affine, self.gamma_deviation = affine, gamma_deviation

    def build(self, input_shape: tuple) -> None:
        if self.affine:
            shape, around_one = (input_shape[-1],), keras.initializers.RandomNormal(1.0, self.gamma_deviation)
            self.gamma = self.add_weight(name="gamma", shape=shape, initializer=around_one, autocast=False)
            self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        centered, variance = centered_and_variance(widened(image), (1, 2))
        if self.affine:
            return tf.cast(self._scaled(centered, variance), image.dtype)
        return tf.cast(centered * tf.math.rsqrt(variance + self.epsilon), image.dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "affine": self.affine, "gamma_deviation": self.gamma_deviation}


@keras.saving.register_keras_serializable("gan_zoo")
class LayerNorm(_Norm):
    """Normalizes each image by its mean and variance over all pixels and channels: `[B, H, W, C]` in and out.

    Ba et al. 2016 (arXiv 1607.06450) as convolutional networks use it: one gamma and beta a channel, which start as 1
    and 0. The statistics are computed in float32 at least.

    Args:
        epsilon: added to the variance.
    """

    def build(self, input_shape: tuple) -> None:
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return tf.cast(self._scaled(*centered_and_variance(widened(image), (1, 2, 3))), image.dtype)


@keras.saving.register_keras_serializable("gan_zoo")
class BatchNorm(_Norm):
    """Normalizes each channel by its mean and variance over the batch: `[B, H, W, C]` in and out.

    Ioffe and Szegedy 2015 (arXiv 1502.03167) as `torch.nn.BatchNorm2d` computes it. Keras' own layer differs in three
    ways: epsilon, the running variance (here the unbiased one, n / (n - 1)), and the statistics under several replicas:
    here they are those of the whole batch, of which each replica must hold an equal share. All in float32 at least.

    Args:
        epsilon: added to the variance.
        momentum: weight of the new statistics in the running ones (Keras means the weight of the old ones).
        gamma_gain: deviation of the normal distribution around 1 that gamma is drawn from; beta starts at 0.
        inference: by what images are normalized outside of training: `running`, the running statistics, or `image`,
            each by its own, as in a training batch of one.
    """

    def __init__(
        self,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        gamma_gain: float = 0.02,
        inference: Literal["running", "image"] = "running",
        **kwargs,
    ) -> None:
        super().__init__(epsilon, **kwargs)
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum must be in (0, 1]. Received: momentum={momentum}")
        if inference not in ("running", "image"):
            raise ValueError(f"inference must be running or image. Received: inference={inference!r}")
        self.momentum = momentum
        self.gamma_gain = gamma_gain
        self.inference = inference

    def build(self, input_shape: tuple) -> None:
        shape = (input_shape[-1],)
        around_one = keras.initializers.RandomNormal(1.0, self.gamma_gain)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer=around_one, autocast=False)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)
        # Every replica computes the same running statistics: the first one's may stand for all.
        running = {"trainable": False, "autocast": False, "aggregation": "only_first_replica"}
        self.moving_mean = self.add_weight(name="moving_mean", shape=shape, initializer="zeros", **running)
        self.moving_variance = self.add_weight(name="moving_variance", shape=shape, initializer="ones", **running)

    def call(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        wide = widened(image)
        if training:
            return tf.cast(self._by_batch(wide), image.dtype)
        if self.inference == "image":
            centered, variance = centered_and_variance(wide, (1, 2))
        else:
            centered, variance = wide - self.moving_mean, tf.convert_to_tensor(self.moving_variance)
        return tf.cast(self._scaled(centered, variance), image.dtype)

    def _by_batch(self, image: tf.Tensor) -> tf.Tensor:
        """The image normalized by the whole batch's statistics; the running ones move towards them."""
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1

        def batch_mean(values: tf.Tensor) -> tf.Tensor:
            mean = tf.reduce_mean(values, (0, 1, 2))
            return mean if replicas == 1 else context.all_reduce(tf.distribute.ReduceOp.SUM, mean) / replicas

        # The mean first: a sum of squares in one go would drown the variance of a channel far from zero.
        mean = batch_mean(image)
        variance = batch_mean(tf.square(image - mean))
        inverse = tf.math.rsqrt(variance + self.epsilon)

        @tf.custom_gradient
        def normalized(image: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor):
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                # What comes through the mean and the variance is in the image's gradient. All is computed from the
                # image itself, which is often kept for others anyway: TensorFlow's own gradient keeps the centered
                # one beside it. By the detour of the mean the graph's optimizer does not notice the repetition.
                with tf.control_dependencies([upstream]):
                    again = tf.identity(mean)
                unit = (image - again) * inverse
                to_gamma, to_beta = (tf.reduce_sum(values, (0, 1, 2)) for values in (upstream * unit, upstream))
                through = unit * batch_mean(upstream * unit) + batch_mean(upstream)
                return inverse * gamma * (upstream - through), to_gamma, to_beta

            return (image - mean) * (inverse * gamma) + beta, gradient

        output = normalized(image, tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta))
        count = tf.cast(tf.reduce_prod(tf.shape(image)[:3]) * replicas, image.dtype)
        unbiased = variance * (count / tf.maximum(count - 1.0, 1.0))
        for running, new in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            running.assign(running + self.momentum * (new - running))
        return output

    def get_config(self) -> dict:
        own = {"momentum": self.momentum, "gamma_gain": self.gamma_gain, "inference": self.inference}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("gan_zoo")
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution by its kernel over the kernel's largest singular value: `[B, H, W, C]` -> `[B, h, w, filters]`.

    Miyato et al. 2018 (arXiv 1802.05957, algorithm 1) as `torch.nn.utils.spectral_norm` computes it. The variable that
    is trained and stored is the kernel as it is, not the divided one (which Keras' `SpectralNormalization` writes back
    into it); gradients reach it through sigma = u^T W v, with the vectors u and v held constant. Each forward pass in
    training brings these one power iteration nearer to the singular vectors.
    """

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)

        def start_u(shape: tuple, dtype: str | None = None) -> tf.Tensor:
            return _unit(keras.random.normal(shape, dtype=dtype))

        def start_v(shape: tuple, dtype: str | None = None) -> tf.Tensor:
            return _unit(tf.linalg.matvec(self._matrix(), self.u))

        # Every replica finds the same vectors: the first one's may stand for all.
        state = {"trainable": False, "aggregation": "only_first_replica"}
        self.u = self.add_weight(name="u", shape=(self.filters,), initializer=start_u, **state)
        rows = self.kernel.shape[0] * self.kernel.shape[1] * self.kernel.shape[2]
        self.v = self.add_weight(name="v", shape=(rows,), initializer=start_v, **state)

    def add_weight(self, *args, **kwargs) -> keras.Variable:
        """The variables stay float32 under mixed precision: sigma needs it."""
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def _matrix(self) -> tf.Tensor:
        return tf.reshape(self.kernel, [-1, self.filters])

    def call(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        matrix = self._matrix()  # [kh * kw * C, filters], PyTorch's transposed
        u, v = tf.convert_to_tensor(self.u), tf.convert_to_tensor(self.v)
        if training:
            constant = tf.stop_gradient(matrix)
            v = _unit(tf.linalg.matvec(constant, u))
            u = _unit(tf.linalg.matvec(constant, v, transpose_a=True))
            self.u.assign(u)
            self.v.assign(v)
        sigma = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
        kernel = tf.cast(tf.convert_to_tensor(self.kernel) / sigma, image.dtype)
        result = self.convolution_op(image, kernel)
        return tf.nn.bias_add(result, tf.cast(self.bias, image.dtype)) if self.use_bias else result


@keras.saving.register_keras_serializable("gan_zoo")
class SpectralHalvingConv2D(Halving, SpectralConv2D):
    """PyTorch's `spectral_norm(Conv2d(4, stride=2, padding=1))`: `[B, H, W, C]` -> `[B, H // 2, W // 2, filters]`."""


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), 1e-12)
