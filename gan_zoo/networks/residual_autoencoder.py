"""UNIT's encoders and decoders: from an image to a code that keeps its places, and back.

Liu, Breuel and Kautz 2017 (arXiv 1703.00848, appendix A), with the sizes, norms and borders of the authors' later code.
A code is `[B, H / 2^num_downs, W / 2^num_downs, base_filters * 2^num_downs]`. Its networks take up where each other
ends: what two domains share is a `residual_trunk` behind their encoders, and one before their decoders.
"""

import dataclasses

import keras

from gan_zoo.layers.convolutions import HalvingConv2D
from gan_zoo.layers.deviation_norm import DeviationNorm
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.mirrored import ConvFromImage, ConvToImage, MirroredConv2D
from gan_zoo.layers.normalization import InstanceNorm
from gan_zoo.layers.padding import ReflectionPad2D

ACTIVATIONS = ("relu", "leaky_relu")
PADDINGS = ("reflect", "zero")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """What the convolutions of all these networks have in common.

    Attributes:
        activation: `relu` or `leaky_relu` (slope 0.2).
        padding: what lies around the images: themselves, mirrored (`reflect`), or `zero`.
        init_type, init_gain: of all kernels, see `make_initializer`.

    Raises:
        ValueError: if one is not among those.
    """

    activation: str = "relu"
    padding: str = "reflect"
    init_type: str = "kaiming"
    init_gain: float = 0.02

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {ACTIVATIONS}. Received: activation={self.activation!r}")
        if self.padding not in PADDINGS:
            raise ValueError(f"padding must be one of {PADDINGS}. Received: padding={self.padding!r}")

    def conv(self, x: keras.KerasTensor, filters: int, size: int, name: str) -> keras.KerasTensor:
        """A convolution that keeps the sides."""
        kwargs = {"kernel_initializer": make_initializer(self.init_type, self.init_gain), "name": name}
        if self.padding == "zero":
            return keras.layers.Conv2D(filters, size, padding="same", **kwargs)(x)
        if size == 3:
            return MirroredConv2D(filters, **kwargs)(x)
        if size == 7:  # at the images
            return (ConvFromImage if filters > x.shape[-1] else ConvToImage)(filters, size, **kwargs)(x)
        return keras.layers.Conv2D(filters, size, **kwargs)(ReflectionPad2D(size // 2, name=f"{name}_padding")(x))

    def halving_conv(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """A 4x4 convolution that halves the sides."""
        kwargs = {"kernel_initializer": make_initializer(self.init_type, self.init_gain), "name": name}
        if self.padding == "zero":
            return HalvingConv2D(filters, **kwargs)(x)
        return keras.layers.Conv2D(filters, 4, strides=2, **kwargs)(ReflectionPad2D(1, name=f"{name}_padding")(x))

    def activated(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        if self.activation == "relu":
            return keras.layers.ReLU(name=f"{name}_activation")(x)
        return keras.layers.LeakyReLU(0.2, name=f"{name}_activation")(x)

    def blocks(self, x: keras.KerasTensor, count: int) -> keras.KerasTensor:
        """Residual blocks of two 3x3 convolutions with instance norm; nothing follows the sum."""
        filters = x.shape[-1]
        for block in range(count):
            name = f"block_{block}"
            y = InstanceNorm(name=f"{name}_norm_0")(self.conv(x, filters, 3, f"{name}_conv_0"))
            y = self.conv(self.activated(y, f"{name}_conv_0"), filters, 3, f"{name}_conv_1")
            x = keras.layers.Add(name=name)([x, InstanceNorm(name=f"{name}_norm_1")(y)])
        return x


def residual_encoder(
    *,
    input_channels: int,
    num_downs: int = 2,
    num_blocks: int = 4,
    base_filters: int = 64,
    style: Style | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Builds a 7x7 convolution, `num_downs` that halve the sides and double the filters, and residual blocks.

    Instance norm, without an offset of its own, behind every convolution.

    Args:
        input_channels: of the image.
        num_downs: halvings.
        num_blocks: residual blocks; 0 is allowed.
        base_filters: channels of the first convolution.
        style: None for that of the authors.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` in [-1, 1], H and W multiples of `2**num_downs`, to the code.
    """
    style = Style() if style is None else style
    image = keras.Input((None, None, input_channels), name="image")
    x = style.conv(image, base_filters, 7, "conv_in")  # [B, H, W, base_filters]
    x = style.activated(InstanceNorm(name="conv_in_norm")(x), "conv_in")
    for level in range(num_downs):
        # [B, H / 2^(level + 1), W / 2^(level + 1), base_filters * 2^(level + 1)]
        x = style.halving_conv(x, base_filters * 2 ** (level + 1), f"down_{level}")
        x = style.activated(InstanceNorm(name=f"down_{level}_norm")(x), f"down_{level}")
    return keras.Model(image, _wide(style.blocks(x, num_blocks), "code"), name=name)


def residual_trunk(*, channels: int, num_blocks: int, style: Style | None = None, name: str = "trunk") -> keras.Model:
    """Builds residual blocks alone, from a code of `channels` channels to another one."""
    style = Style() if style is None else style
    code = keras.Input((None, None, channels), name="code")
    return keras.Model(code, _wide(style.blocks(code, num_blocks), "code_out"), name=name)


def residual_decoder(
    *,
    output_channels: int,
    num_downs: int = 2,
    num_blocks: int = 4,
    base_filters: int = 64,
    style: Style | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Builds residual blocks, `num_downs` 5x5 convolutions of enlarged images with layer norm, and one of 7x7.

    Args:
        output_channels: of the image.
        num_downs: doublings, by repeated pixels.
        num_blocks, base_filters, style: as of the encoder that it belongs to.
        name: of the Keras model.

    Returns:
        A model from the code to `[B, H, W, output_channels]` in [-1, 1].
    """
    style = Style() if style is None else style
    code = keras.Input((None, None, base_filters * 2**num_downs), name="code")
    x = style.blocks(code, num_blocks)
    for level in reversed(range(num_downs)):
        # [B, H / 2^level, W / 2^level, base_filters * 2^level]
        x = keras.layers.UpSampling2D(2, name=f"up_{level}_resize")(x)
        x = style.conv(x, base_filters * 2**level, 5, f"up_{level}")
        x = style.activated(DeviationNorm(name=f"up_{level}_norm")(x), f"up_{level}")
    x = style.conv(x, output_channels, 7, "conv_out")
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    image = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(code, image, name=name)


def _wide(code: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """In float32 at least, since the losses see codes too."""
    return keras.layers.Activation("linear", dtype=keras.backend.floatx(), name=name)(code)
