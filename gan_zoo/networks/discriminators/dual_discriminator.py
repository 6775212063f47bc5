"""DualGAN's discriminators: of patches, or of the image as a whole."""

import keras

from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D
from gan_zoo.networks.dual_unet import dual_norm

HEADS = ("patch", "image")
NUM_STRIDED = 5


def dual_discriminator(
    *,
    input_channels: int,
    image_size: int,
    base_filters: int = 64,
    head: str = "image",
    norm: str = "instance",
    init_type: str = "truncated",
    init_gain: float = 0.02,
    name: str = "discriminator",
) -> keras.Model:
    """Builds five convolutions of stride 2, one of 5x5 and four of 3x3, and what makes logits of the last features.

    Yi et al. 2017 (DualGAN, arXiv 1704.02510) in the form of the authors' code: widths double up to eightfold, a norm
    behind all strided convolutions but the first, LeakyReLU 0.2, a bias everywhere.

    Args:
        input_channels: of the image.
        image_size: side of the square images, for `image`; `patch` takes any other too.
        base_filters: of the first convolution.
        head: `patch`, a sixth convolution of stride 2; or `image`, which sees each pixel of the last features.
        norm: instance (with scale and shift), batch, layer, none, or spectral, which normalizes all kernels.
        init_type, init_gain: of the kernels, see `make_initializer`; what `image` ends in is not truncated.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` to a list of one tensor of logits, `[B, h, w, 1]` with
        h = H / 64 for `patch`, `[B, 1, 1, 1]` for `image`.

    Raises:
        ValueError: for another head.
    """
    if head not in HEADS:
        raise ValueError(f"head must be one of {', '.join(HEADS)}. Received: head={head!r}")
    conv_class = SpectralConv2D if norm == "spectral" else keras.layers.Conv2D

    def conv(filters: int, size: int, index: int, init_type: str = init_type, **kwargs) -> keras.layers.Layer:
        initializer = make_initializer(init_type, init_gain)
        return conv_class(filters, size, kernel_initializer=initializer, name=f"conv_{index}", **kwargs)

    side = image_size if head == "image" else None
    image = keras.Input((side, side, input_channels), name="image")
    x = image
    for index in range(NUM_STRIDED):
        filters = base_filters * min(2**index, 8)
        # [B, H / 2^(index + 1), W / 2^(index + 1), filters]
        x = conv(filters, 3 if index else 5, index, strides=2, padding="same")(x)
        norm_layer = dual_norm(norm, f"norm_{index}") if index else None
        x = x if norm_layer is None else norm_layer(x)
        x = keras.layers.LeakyReLU(0.2, name=f"activation_{index}")(x)
    if head == "patch":
        x = conv(1, 3, NUM_STRIDED, strides=2, padding="same")(x)
    else:
        # All of the features in one window: what a dense layer computes.
        x = conv(1, x.shape[1], NUM_STRIDED, "normal" if init_type == "truncated" else init_type)(x)
    logits = keras.layers.Activation("linear", dtype=keras.backend.floatx(), name="logits")(x)
    return keras.Model(image, [logits], name=name)
