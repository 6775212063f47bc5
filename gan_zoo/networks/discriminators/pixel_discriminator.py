"""The discriminator that judges each pixel by itself."""

import keras

from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D, make_norm, norm_has_bias


def pixel_discriminator(
    *,
    input_channels: int,
    base_filters: int = 64,
    norm: str = "instance",
    init_type: str = "xavier",
    init_gain: float = 0.02,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the PixelGAN (Isola et al. 2017, arXiv 1611.07004, section 6.1.2): three 1x1 convolutions.

    Args:
        input_channels: of the image, or of the condition and the image joined.
        base_filters: channels of the first convolution; the second has twice as many.
        norm: batch, instance, layer or none, behind the second convolution; or spectral, which normalizes all kernels.
            The first convolution always has a bias, the second and the third only with instance, as in the authors'
            code, or spectral.
        init_type, init_gain: of all kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` to a list of one tensor of logits `[B, H, W, 1]`.
    """
    conv_class = SpectralConv2D if norm == "spectral" else keras.layers.Conv2D

    def conv(filters: int, index: int, use_bias: bool) -> keras.layers.Layer:
        initializer = make_initializer(init_type, init_gain)
        return conv_class(filters, 1, use_bias=use_bias, kernel_initializer=initializer, name=f"conv_{index}")

    image = keras.Input((None, None, input_channels), name="image")
    x = keras.layers.LeakyReLU(0.2, name="activation_0")(conv(base_filters, 0, use_bias=True)(image))
    x = conv(2 * base_filters, 1, norm_has_bias(norm))(x)
    norm_layer = make_norm(norm, name="norm_1")
    x = keras.layers.LeakyReLU(0.2, name="activation_1")(x if norm_layer is None else norm_layer(x))
    x = conv(1, 2, norm_has_bias(norm))(x)
    logits = keras.layers.Activation("linear", dtype=keras.backend.floatx(), name="logits")(x)
    return keras.Model(image, [logits], name=name)
