"""The deep residual U-Net as a generator."""

import keras

from gan_zoo.layers.convolutions import StridedConv1x1
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.mirrored import HalfSizeConv2D
from gan_zoo.layers.normalization import NORMS, make_norm


def res_unet(
    *,
    input_channels: int,
    output_channels: int,
    num_downs: int = 3,
    base_filters: int = 64,
    norm: str = "batch",
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net whose levels are residual units: what goes into a unit is added to what comes out.

    Zhang, Liu and Wang 2017 (arXiv 1711.10684): units of norm, ReLU and 3x3 convolution, twice, with the
    activation before the convolution (He et al. 2016, arXiv 1603.05027); instead of pooling, the first convolution of a
    unit has a stride; on the way up the nearest pixel is repeated. Where a unit changes size or channels, a 1x1
    convolution brings its input to both. Theirs has 3 halvings and 64 filters: 7.8 million weights in 3x3 convolutions,
    and 0.4 million in our 1x1 ones. The first unit starts with a convolution, since the image needs no norm.

    Args:
        input_channels, output_channels: of the images.
        num_downs: halvings, at least 1; the sides of the image must be multiples of `2**num_downs`, and at least twice
            as long for instance norm.
        base_filters: channels at full size; they double with each halving, up to eightfold.
        norm: batch, instance, layer or none. The convolutions have no bias but the last.
        name: of the Keras model.

    Returns:
        A model from an image `[B, H, W, input_channels]` in [-1, 1] to an image `[B, H, W, output_channels]` in
        [-1, 1]. Its last kernel starts small, so that the tanh starts unsaturated.

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if num_downs < 1:
        raise ValueError(f"num_downs must be at least 1. Received: num_downs={num_downs}")
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}. Received: norm={norm!r}")

    def conv(x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1) -> keras.KerasTensor:
        # Both keep the variance: He's for what a ReLU has halved, the 1x1 ones without it.
        kernel = make_initializer("kaiming")
        if size == 1:
            kernel = keras.initializers.VarianceScaling(1.0, mode="fan_in", distribution="untruncated_normal")
        kwargs = {"use_bias": False, "kernel_initializer": kernel, "name": name}
        if strides == 2:
            # The windows of the 3x3 convolution lie around the pixels that the 1x1 one takes.
            return (StridedConv1x1 if size == 1 else HalfSizeConv2D)(filters, **kwargs)(x)
        return keras.layers.Conv2D(filters, size, padding="same", **kwargs)(x)

    def activate(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        layer = make_norm(norm, name=f"{name}_norm")
        x = x if layer is None else layer(x)
        return keras.layers.ReLU(name=f"{name}_activation")(x)

    def unit(x: keras.KerasTensor, filters: int, name: str, strides: int = 1, first: bool = False) -> keras.KerasTensor:
        y = x if first else activate(x, f"{name}_0")
        y = conv(y, filters, 3, f"{name}_conv_0", strides)
        y = conv(activate(y, f"{name}_1"), filters, 3, f"{name}_conv_1")
        if strides > 1 or x.shape[-1] != filters:
            x = conv(x, filters, 1, f"{name}_shortcut", strides)
        return keras.layers.Add(name=name)([x, y])

    filters = [base_filters * min(2**level, 8) for level in range(num_downs + 1)]
    image = keras.Input((None, None, input_channels), name="image")
    x = unit(image, filters[0], "down_0", first=True)  # [B, H, W, base_filters]
    skips = []
    for level in range(1, num_downs + 1):
        skips.append(x)
        x = unit(x, filters[level], f"down_{level}", strides=2)  # [B, H / 2^level, W / 2^level, filters[level]]
    for level in reversed(range(num_downs)):
        x = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"up_{level}_resize")(x)
        x = keras.layers.Concatenate(name=f"skip_{level}")([x, skips[level]])
        x = unit(x, filters[level], f"up_{level}")  # [B, H / 2^level, W / 2^level, filters[level]]
    kernel = make_initializer("normal")
    x = keras.layers.Conv2D(output_channels, 1, kernel_initializer=kernel, name="conv_out")(x)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image, output, name=name)
