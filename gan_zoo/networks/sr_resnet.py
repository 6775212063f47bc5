"""SRResNet, the generator of SRGAN: residual blocks at the small size, sub-pixel convolutions to the large one."""

import math

import keras

from gan_zoo.layers.initializers import ICNR, pytorch_default
from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.layers.prelu import PReLU
from gan_zoo.layers.upsampling import SubPixelConv2D

SCALES = (2, 4, 8)
NORMS = ("batch", "none")
TRUNK_ENDS = ("norm", "prelu")
END_SIZE = 9  # of the first and of the last kernel


def sr_resnet(
    *,
    channels: int = 3,
    scale: int = 4,
    num_blocks: int = 16,
    base_filters: int = 64,
    norm: str = "batch",
    trunk_end: str = "norm",
    name: str = "generator",
) -> keras.Model:
    """Builds a ResNet that makes an image `scale` times as large.

    Ledig et al. 2017 (arXiv 1609.04802, figure 4): a 9x9 convolution; blocks of convolution, norm, PReLU, convolution,
    norm and a sum; a convolution and a norm, and the sum with what the blocks started from; for each doubling a
    convolution to four times the channels, which become pixels (Shi et al. 2016, arXiv 1609.05158); a 9x9 convolution.
    All other kernels are 3x3; zeros around the images. As in leftthomas/SRGAN, the network's own range is [0, 1], a
    PReLU has one slope, and a tanh stands at the end; each sub-pixel kernel starts without a checkerboard (`ICNR`).

    Args:
        channels: of both images.
        scale: 2, 4 or 8.
        num_blocks: residual blocks, at least 1.
        base_filters: channels of all hidden layers.
        norm: `batch`, the paper's, or `none`, in which the field found no loss later (EDSR, arXiv 1707.02921).
        trunk_end: what follows the convolution after the blocks: `norm`, as in the paper, or `prelu`, as in the weights
            that leftthomas/SRGAN released.
        name: of the Keras model.

    Returns:
        A model from an image `[B, H, W, channels]` in [-1, 1], of any size, to one of
        `[B, H * scale, W * scale, channels]` in [-1, 1].

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    for argument, value, choices in (
        ("scale", scale, SCALES),
        ("norm", norm, NORMS),
        ("trunk_end", trunk_end, TRUNK_ENDS),
    ):
        if value not in choices:
            raise ValueError(f"{argument} must be one of {', '.join(map(str, choices))}. Received: {value!r}")
    if num_blocks < 1:
        raise ValueError(f"num_blocks must be at least 1. Received: num_blocks={num_blocks}")

    def conv(x: keras.KerasTensor, filters: int, size: int, name: str) -> keras.KerasTensor:
        return keras.layers.Conv2D(filters, size, padding="same", kernel_initializer=pytorch_default(), name=name)(x)

    def normalized(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return BatchNorm(gamma_gain=0.0, name=name)(x) if norm == "batch" else x

    image = keras.Input((None, None, channels), name="image")
    x = keras.layers.Rescaling(0.5, 0.5, name="to_unit_range")(image)
    start = x = PReLU(name="conv_in_prelu")(conv(x, base_filters, END_SIZE, "conv_in"))  # [B, H, W, base_filters]
    for block in range(num_blocks):
        path = f"block_{block}"
        y = normalized(conv(x, base_filters, 3, f"{path}_conv_0"), f"{path}_norm_0")
        y = PReLU(name=f"{path}_prelu")(y)
        y = normalized(conv(y, base_filters, 3, f"{path}_conv_1"), f"{path}_norm_1")
        x = keras.layers.Add(name=path)([x, y])
    y = conv(x, base_filters, 3, "trunk")
    y = normalized(y, "trunk_norm") if trunk_end == "norm" else PReLU(name="trunk_prelu")(y)
    x = keras.layers.Add(name="trunk_sum")([start, y])
    for level in range(_doublings(scale)):
        # [B, H * 2^(level + 1), W * 2^(level + 1), base_filters]
        x = SubPixelConv2D(base_filters, 3, kernel_initializer=ICNR(pytorch_default()), name=f"subpixel_{level}")(x)
        x = PReLU(name=f"subpixel_{level}_prelu")(x)
    x = conv(x, channels, END_SIZE, "conv_out")
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image, output, name=name)


def reach(num_blocks: int, scale: int) -> int:
    """How many pixels of its input, on each side, a pixel of an `sr_resnet`'s output looks at, outside of training."""
    radius = END_SIZE // 2 + 2 * num_blocks + 1
    radius += sum(2.0**-level for level in range(_doublings(scale)))  # 3x3 kernels, each at twice the size
    return math.ceil(radius + END_SIZE // 2 / scale)


def _doublings(scale: int) -> int:
    return scale.bit_length() - 1
