"""UNIT's discriminator, which looks at ever smaller versions of an image with networks of one shape."""

import keras

from gan_zoo.layers.convolutions import HalvingConv2D
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import make_norm
from gan_zoo.layers.padding import ReflectionPad2D
from gan_zoo.networks.discriminators.patch_discriminator import HalfSize

PADDINGS = ("reflect", "zero")


def smallest_side(num_layers: int, num_scales: int) -> int:
    """The shortest side, in pixels, that leaves a logit at the smallest scale.

    A convolution halves and rounds down, `HalfSize` halves and rounds up.
    """
    return (2**num_layers - 1) * 2 ** (num_scales - 1) + 1


def multi_scale_discriminator(
    *,
    input_channels: int,
    base_filters: int = 64,
    num_layers: int = 4,
    num_scales: int = 3,
    norm: str = "none",
    padding: str = "reflect",
    init_type: str = "normal",
    init_gain: float = 0.02,
    name: str = "discriminator",
) -> keras.Model:
    """Builds at each scale strided 4x4 convolutions, and one of 1x1 to the logits.

    Liu, Breuel and Kautz 2017 (arXiv 1703.00848), as the authors' later code has it. Other than in
    `patch_discriminator` all convolutions but the last halve their image, and no scale is narrower than another.

    Args:
        input_channels: of the image.
        base_filters: channels of the first convolution; they double with each.
        num_layers: strided convolutions.
        num_scales: independent networks, the first one on the image, each other one on half the size of the one before.
        norm: batch, instance, layer or none, behind every strided convolution but the first.
        padding: what lies around the images: themselves, mirrored (`reflect`), or `zero`.
        init_type, init_gain: of all kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` to a list of logits `[B, h, w, 1]`, one a scale.

    Raises:
        ValueError: for another padding.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}. Received: padding={padding!r}")

    def one_scale(x: keras.KerasTensor, scale: int) -> keras.KerasTensor:
        for layer in range(num_layers):
            conv_name = f"scale_{scale}_conv_{layer}"
            filters = base_filters * 2**layer
            kwargs = {"kernel_initializer": make_initializer(init_type, init_gain), "name": conv_name}
            if padding == "zero":
                x = HalvingConv2D(filters, **kwargs)(x)
            else:
                x = ReflectionPad2D(1, name=f"{conv_name}_padding")(x)
                x = keras.layers.Conv2D(filters, 4, strides=2, **kwargs)(x)
            norm_layer = make_norm(norm, name=f"{conv_name}_norm") if layer > 0 else None
            x = x if norm_layer is None else norm_layer(x)
            x = keras.layers.LeakyReLU(0.2, name=f"{conv_name}_activation")(x)
        kernel = make_initializer(init_type, init_gain)
        x = keras.layers.Conv2D(1, 1, kernel_initializer=kernel, name=f"scale_{scale}_conv_{num_layers}")(x)
        return keras.layers.Activation("linear", dtype=keras.backend.floatx(), name=f"scale_{scale}_logits")(x)

    image = keras.Input((None, None, input_channels), name="image")
    seen, logits = image, []
    for scale in range(num_scales):
        seen = HalfSize(name=f"half_size_{scale}")(seen) if scale else seen
        logits.append(one_scale(seen, scale))
    return keras.Model(image, logits, name=name)
