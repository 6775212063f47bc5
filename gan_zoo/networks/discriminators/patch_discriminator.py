"""The PatchGAN discriminator, at one or several scales."""

import keras
import tensorflow as tf

from gan_zoo.layers.blur import BlurDown
from gan_zoo.layers.convolutions import HalvingConv2D, OneChannelConv2D, widened
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D, SpectralHalvingConv2D, make_norm, norm_has_bias


def smallest_side(num_layers: int, num_scales: int) -> int:
    """The shortest side, in pixels, that leaves a logit at the smallest scale.

    The last two convolutions take a pixel each from the 3 that must be left for them. A strided convolution halves and
    rounds down, `HalfSize` halves and rounds up; one without stride takes a pixel too, and `BlurDown` rounds up.
    """
    full_size = 3 * 2**num_layers
    return (full_size - 1) * 2 ** (num_scales - 1) + 1


def patch_discriminator(
    *,
    input_channels: int,
    base_filters: int = 64,
    num_layers: int = 3,
    num_scales: int = 1,
    norm: str = "instance",
    antialias: bool = False,
    init_type: str = "xavier",
    init_gain: float = 0.02,
    name: str = "discriminator",
) -> keras.Model:
    """Builds a discriminator that judges overlapping patches: 16, 34, 70, 142, 286 px wide for 1 to 5 layers.

    Isola et al. 2017 (arXiv 1611.07004, section 6.1.2); several scales as in BicycleGAN's code: scale k sees the image
    averaged down k times and has `base_filters / 2**k` filters.

    Args:
        input_channels: of the image, or of the condition and the image joined.
        base_filters: channels of the first convolution at full size; they double up to eightfold.
        num_layers: strided convolutions.
        num_scales: independent networks on ever smaller images.
        norm: batch, instance, layer or none, behind every convolution but the first and the last; or spectral, which
            normalizes all kernels. The first and the last convolution always have a bias, those in between only with
            instance, as in the authors' code, or spectral.
        antialias: whether a halving is a convolution without stride, its norm and activation, and `BlurDown`, as in
            CUT (arXiv 2007.15651), instead of a strided convolution.
        init_type, init_gain: of all kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` to a list of logits `[B, h, w, 1]`, one a scale.
    """
    image = keras.Input((None, None, input_channels), name="image")
    shared = {"num_layers": num_layers, "norm": norm, "antialias": antialias}
    shared |= {"init_type": init_type, "init_gain": init_gain}
    logits = []
    x = image
    for scale in range(num_scales):
        if scale > 0:
            x = HalfSize(name=f"half_size_{scale}")(x)
        logits.append(_one_scale(x, base_filters=max(base_filters // 2**scale, 1), name=f"scale_{scale}", **shared))
    return keras.Model(image, logits, name=name)


def _one_scale(
    x: keras.KerasTensor,
    *,
    base_filters: int,
    num_layers: int,
    norm: str,
    antialias: bool,
    init_type: str,
    init_gain: float,
    name: str,
) -> keras.KerasTensor:
    conv_class = SpectralConv2D if norm == "spectral" else keras.layers.Conv2D
    halving_class = SpectralHalvingConv2D if norm == "spectral" else HalvingConv2D

    def conv(filters: int, index: int, layer_class: type = conv_class, **kwargs) -> keras.layers.Layer:
        initializer = make_initializer(init_type, init_gain)
        layer_name = f"{name}_conv_{index}"
        return layer_class(filters, kernel_size=4, kernel_initializer=initializer, name=layer_name, **kwargs)

    def pad(x: keras.KerasTensor, index: int) -> keras.KerasTensor:
        # PyTorch pads one pixel on each side of a 4x4 convolution of stride 1, Keras' "same" one before and two behind.
        return keras.layers.ZeroPadding2D(1, name=f"{name}_pad_{index}")(x)

    def activation(index: int) -> keras.layers.Layer:
        return keras.layers.LeakyReLU(0.2, name=f"{name}_activation_{index}")

    for index in range(num_layers + 1):
        filters = base_filters * min(2**index, 8)
        use_bias = index == 0 or norm_has_bias(norm)
        halves = index < num_layers
        if halves and not antialias:
            x = conv(filters, index, halving_class, use_bias=use_bias)(x)
        else:
            x = conv(filters, index, use_bias=use_bias)(pad(x, index))
        norm_layer = make_norm(norm, name=f"{name}_norm_{index}") if index else None
        x = activation(index)(x if norm_layer is None else norm_layer(x))
        if halves and antialias:
            x = BlurDown(name=f"{name}_blur_{index}")(x)
    last = num_layers + 1
    if norm == "spectral":
        x = conv(1, last)(pad(x, last))
    else:
        initializer = make_initializer(init_type, init_gain)
        x = OneChannelConv2D(4, border=1, kernel_initializer=initializer, name=f"{name}_conv_{last}")(x)
    return keras.layers.Activation("linear", dtype=keras.backend.floatx(), name=f"{name}_logits")(x)


@keras.saving.register_keras_serializable("gan_zoo")
class HalfSize(keras.layers.Layer):
    """Averages 3x3 windows at every second pixel, starting at the border; pixels outside do not count.

    PyTorch's `AvgPool2d(3, stride=2, padding=1, count_include_pad=False)`: Keras' "same" pooling starts a pixel later.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        # Sums of 3x3 windows of the image and of ones: their quotient counts only what lies inside.
        border = [[0, 0], [1, 1], [1, 1], [0, 0]]
        wide = widened(image)
        inside = tf.ones_like(wide[:1, :, :, :1])
        mean = tf.nn.avg_pool2d(tf.pad(wide, border), 3, 2, "VALID")
        return tf.cast(mean / tf.nn.avg_pool2d(tf.pad(inside, border), 3, 2, "VALID"), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        return (batch, height and (height + 1) // 2, width and (width + 1) // 2, channels)
