"""The discriminator that judges an image as a whole."""

import keras

from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D, make_norm, norm_has_bias

LAST_SIDE = 4


def image_discriminator(
    *,
    input_channels: int,
    image_size: int,
    base_filters: int = 64,
    norm: str = "instance",
    init_type: str = "xavier",
    init_gain: float = 0.02,
    outer_bias: bool = True,
    unit_range: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the ImageGAN: strided 4x4 convolutions down to 4 px, then one over all that is left.

    Isola et al. 2017 (arXiv 1611.07004, section 4.4) by way of DCGAN (Radford et al. 2015, arXiv 1511.06434). 4 px are
    left of 4 times a power of two, of other sizes up to 7.

    Args:
        input_channels: of the image, or of the condition and the image joined.
        image_size: side of the square images, at least 8.
        base_filters: channels of the first convolution; they double up to eightfold.
        norm: batch, instance, layer or none, behind every convolution but the first and the last; or spectral, which
            normalizes all kernels. The convolutions in between have no bias with batch, layer or none.
        init_type, init_gain: of all kernels, see `make_initializer`.
        outer_bias: whether the first and the last convolution have a bias; DiscoGAN's have none.
        unit_range: whether the network's own range is [0, 1], as that of DiscoGAN's.
        name: of the Keras model.

    Returns:
        A model from `[B, image_size, image_size, input_channels]` to a list of one tensor of logits `[B, 1, 1, 1]`.

    Raises:
        ValueError: if the image is smaller.
    """
    if image_size < 2 * LAST_SIDE:
        raise ValueError(f"image_size must be at least {2 * LAST_SIDE}. Received: image_size={image_size}")
    conv_class = SpectralConv2D if norm == "spectral" else keras.layers.Conv2D

    def conv(filters: int, kernel_size: int, index: int, **kwargs) -> keras.layers.Layer:
        initializer = make_initializer(init_type, init_gain)
        return conv_class(filters, kernel_size, kernel_initializer=initializer, name=f"conv_{index}", **kwargs)

    image = keras.Input((image_size, image_size, input_channels), name="image")
    x = keras.layers.Rescaling(0.5, 0.5, name="to_unit_range")(image) if unit_range else image
    index = 0
    while x.shape[1] >= 2 * LAST_SIDE:
        has_bias = outer_bias if index == 0 else norm_has_bias(norm)
        # [B, image_size / 2^(index + 1), image_size / 2^(index + 1), filters]
        # Odd sides are rounded up, other than in the other discriminators: how many layers there are and how large the
        # last kernel is depends on it, and with them whether a checkpoint fits. The logit is one in any case.
        x = conv(base_filters * min(2**index, 8), 4, index, strides=2, padding="same", use_bias=has_bias)(x)
        norm_layer = make_norm(norm, name=f"norm_{index}") if index > 0 else None
        x = x if norm_layer is None else norm_layer(x)
        x = keras.layers.LeakyReLU(0.2, name=f"activation_{index}")(x)
        index += 1
    x = conv(1, x.shape[1], index, use_bias=outer_bias)(x)
    logits = keras.layers.Activation("linear", dtype=keras.backend.floatx(), name="logits")(x)
    return keras.Model(image, [logits], name=name)
