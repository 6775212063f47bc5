"""How far our layers are from the truth in bfloat16: no farther than Keras' plain ones, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.convolutions import FewPixelsConv2D, FewPixelsConv2DTranspose, HalvingConv2D, OneChannelConv2D
from gan_zoo.layers.mirrored import (
    ConvFromImage,
    ConvToImage,
    DoubleSizeConv2DTranspose,
    HalfSizeConv2D,
    MirroredConv2D,
)
from gan_zoo.layers.upsampling import FewChannelsConv2DTranspose, PairBlur, SubPixelConv2D
from gan_zoo.networks.discriminators.patch_discriminator import HalfSize
from gan_zoo.networks.latent_encoder import ConvMeanPool


class Padded(keras.layers.Conv2D):
    """Keras' convolution over a border."""

    def __init__(self, filters: int, kernel_size: int, border: int, mode: str = "CONSTANT", **kwargs) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.border, self.mode = [border, border], mode

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return super().call(tf.pad(image, [[0, 0], self.border, self.border, [0, 0]], mode=self.mode))


class ThenPooled(keras.layers.Conv2D):
    def call(self, image: tf.Tensor) -> tf.Tensor:
        return tf.nn.avg_pool2d(super().call(image), 2, 2, "VALID")


class WithoutFirst(keras.layers.Conv2DTranspose):
    def call(self, image: tf.Tensor) -> tf.Tensor:
        return super().call(image)[:, 1:, 1:]


HALVES = {"strides": 2, "padding": "same"}
CASES = {
    "OneChannel": (OneChannelConv2D, (4, 1), Padded, (1, 4, 1), {}, (2, 16, 16, 64)),
    "ToImage": (ConvToImage, (3, 7), Padded, (3, 7, 3, "REFLECT"), {}, (2, 32, 32, 16)),
    "FromImage": (ConvFromImage, (16, 7), Padded, (16, 7, 3, "REFLECT"), {}, (2, 32, 32, 3)),
    "FewPixelsTranspose": (
        FewPixelsConv2DTranspose,
        (16,),
        keras.layers.Conv2DTranspose,
        (16, 4),
        HALVES,
        (2, 4, 4, 64),
    ),
    "FewPixels": (FewPixelsConv2D, (16,), keras.layers.Conv2D, (16, 4), HALVES, (2, 4, 4, 64)),
    "FewChannels": (FewChannelsConv2DTranspose, (3,), keras.layers.Conv2DTranspose, (3, 4), HALVES, (2, 16, 16, 64)),
    "Halving": (HalvingConv2D, (16,), keras.layers.Conv2D, (16, 4), HALVES, (2, 32, 32, 16)),
    "HalfSize": (HalfSizeConv2D, (16,), Padded, (16, 3, 1), {"strides": 2}, (2, 32, 32, 16)),
    "DoubleSize": (DoubleSizeConv2DTranspose, (16,), WithoutFirst, (16, 3), {"strides": 2}, (2, 16, 16, 16)),
    "Mirrored": (MirroredConv2D, (16,), Padded, (16, 3, 1, "REFLECT"), {}, (2, 16, 16, 16)),
    "SubPixel": (SubPixelConv2D, (16, 3, 1), keras.layers.Conv2D, (16, 3), {"padding": "same"}, (2, 32, 32, 16)),
    "MeanPool": (ConvMeanPool, (16,), ThenPooled, (16, 3), {"padding": "same"}, (2, 32, 32, 16)),
}


def rounded(*shape: int) -> np.ndarray:
    """Standard normal numbers that bfloat16 has, in float64."""
    values = tf.constant(np.random.default_rng(0).standard_normal(shape), tf.bfloat16)
    return tf.cast(values, tf.float64).numpy()


def results(layer: keras.layers.Layer, shape: tuple, dtype: tf.DType) -> list[np.ndarray]:
    """The output, and the gradients of a weighting of it to the image and to the weights, in float64."""
    layer.build(shape)
    layer.set_weights([rounded(*weight.shape) for weight in layer.weights])
    image = tf.constant(rounded(*shape), dtype)
    with tf.GradientTape() as tape:
        tape.watch(image)
        output = layer(image)
    assert output.dtype == dtype
    sources = [image, *(weight.value for weight in layer.weights)]
    gradients = tape.gradient(output, sources, tf.constant(rounded(*output.shape), dtype))
    return [tf.cast(array, tf.float64).numpy() for array in (output, *gradients)]


def error(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values - truth)) / np.mean(np.square(truth))))


def rounding_alone(truth: np.ndarray) -> float:
    return error(tf.cast(tf.cast(truth, tf.bfloat16), tf.float64).numpy(), truth)


def bfloat16() -> keras.dtype_policies.DTypePolicy:
    return keras.dtype_policies.DTypePolicy("mixed_bfloat16")


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_as_near_to_the_truth_as_the_plain_convolution(case, use_bias) -> None:
    ours, arguments, plain, plain_arguments, more, shape = CASES[case]
    more = more | {"use_bias": use_bias}
    truth = results(plain(*plain_arguments, dtype="float64", **more), shape, tf.float64)
    theirs = results(plain(*plain_arguments, dtype=bfloat16(), **more), shape, tf.bfloat16)
    mine = results(ours(*arguments, dtype=bfloat16(), use_bias=use_bias), shape, tf.bfloat16)
    for place, (own, other, true) in enumerate(zip(mine, theirs, truth, strict=True)):
        # Nothing that is bfloat16 in the end is nearer than the truth, rounded. The plain convolution is there, where
        # no second rounding follows. That of float32 is less than a hundredth of it.
        assert 0.99 * rounding_alone(true) <= error(own, true) <= 1.02 * error(other, true), place


@pytest.mark.parametrize("layer_class", [HalfSize, PairBlur])
def test_a_mean_of_pixels_is_rounded_once(layer_class) -> None:
    shape = (2, 31, 32, 6)
    truth = results(layer_class(dtype="float64"), shape, tf.float64)
    for own, true in zip(results(layer_class(dtype=bfloat16()), shape, tf.bfloat16), truth, strict=True):
        assert error(own, true) == pytest.approx(rounding_alone(true), rel=0.02)
