"""The residual generator of StarGAN, which sees beside the image the label that it is to have."""

import keras

from gan_zoo.layers.initializers import pytorch_default
from gan_zoo.layers.normalization import InstanceNorm
from gan_zoo.layers.tiling import TileConcat
from gan_zoo.layers.upsampling import BilinearUpsampling

UPSAMPLINGS = ("transposed", "bilinear")


def label_resnet(
    *,
    channels: int = 3,
    num_labels: int,
    num_blocks: int = 6,
    base_filters: int = 64,
    upsampling: str = "transposed",
    name: str = "generator",
) -> keras.Model:
    """Builds a generator that halves the image twice, changes it in residual blocks and doubles it twice.

    Choi et al. 2018 (arXiv 1711.09020, table 4) as the authors' code has it: the label stands beside each pixel of the
    image, the borders are zeros (which is how the label gets past the instance norm: what is the same everywhere has
    no deviation), instance norm has a gamma and a beta, and no convolution has a bias.

    Args:
        channels: of both images.
        num_labels: length of the label.
        num_blocks: residual blocks of two 3x3 convolutions, at a quarter of the size; 0 is allowed.
        base_filters: channels of the first convolution; the blocks have four times as many.
        upsampling: `transposed` (4x4 transposed convolution) or `bilinear` (resize, 3x3).
        name: of the Keras model.

    Returns:
        A model from `[image, label]`, `[B, H, W, channels]` in [-1, 1], H and W multiples of 4, and
        `[B, num_labels]`, to an image of the same shape.

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if upsampling not in UPSAMPLINGS:
        raise ValueError(f"upsampling must be one of {UPSAMPLINGS}. Received: upsampling={upsampling!r}")
    if num_blocks < 0:
        raise ValueError(f"num_blocks must not be negative. Received: num_blocks={num_blocks}")

    def conv(
        x: keras.KerasTensor,
        name: str,
        filters: int,
        size: int,
        strides: int = 1,
        *,
        layer: type = keras.layers.Conv2D,
        activation: bool = True,
    ) -> keras.KerasTensor:
        """A convolution, its norm and its activation. Of even sides "same" is a pixel at each side, as in PyTorch."""
        kernel = {"kernel_initializer": pytorch_default(), "use_bias": False}
        x = layer(filters, size, strides, padding="same", name=name, **kernel)(x)
        x = InstanceNorm(affine=True, gamma_deviation=0.0, name=f"{name}_norm")(x)
        return keras.layers.ReLU(name=f"{name}_activation")(x) if activation else x

    image = keras.Input((None, None, channels), name="image")
    label = keras.Input((num_labels,), name="label")
    x = TileConcat(name="image_and_label")(image, label)  # [B, H, W, channels + num_labels]
    x = conv(x, "conv_in", base_filters, 7)  # [B, H, W, base_filters]
    for level in (0, 1):
        # [B, H / 2^(level + 1), W / 2^(level + 1), base_filters * 2^(level + 1)]
        x = conv(x, f"down_{level}", base_filters * 2 ** (level + 1), 4, 2)
    for block in range(num_blocks):
        y = conv(x, f"block_{block}_conv_0", 4 * base_filters, 3)
        y = conv(y, f"block_{block}_conv_1", 4 * base_filters, 3, activation=False)
        x = keras.layers.Add(name=f"block_{block}")([x, y])  # [B, H/4, W/4, 4 * base_filters]
    for level in (1, 0):
        # [B, H / 2^level, W / 2^level, base_filters * 2^level]
        filters = base_filters * 2**level
        if upsampling == "transposed":
            x = conv(x, f"up_{level}", filters, 4, 2, layer=keras.layers.Conv2DTranspose)
        else:
            x = conv(BilinearUpsampling(name=f"up_{level}_resize")(x), f"up_{level}", filters, 3)
    kernel = {"kernel_initializer": pytorch_default(), "use_bias": False}
    x = keras.layers.Conv2D(channels, 7, padding="same", name="conv_out", **kernel)(x)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model([image, label], output, name=name)
