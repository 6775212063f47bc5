"""The U-Net generator of pix2pix and BicycleGAN."""

import keras

from gan_zoo.layers import (
    FewPixelsConv2D,
    FewPixelsConv2DTranspose,
    InstanceNorm,
    ReflectionPad2D,
    TileConcat,
    xavier_normal,
)

MIN_DOWNS = 5


def unet(
    *,
    input_channels: int,
    output_channels: int,
    num_downs: int,
    base_filters: int = 64,
    latent_dim: int = 0,
    z_injection: str = "input",
    upsampling: str = "transposed",
    dropout: bool = False,
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net: `num_downs` halvings of the image, as many doublings, a skip between each pair of equals.

    Isola et al. 2017 (arXiv 1611.07004, section 6.1.1) in the authors' later PyTorch form; the latent vector is
    BicycleGAN's (Zhu et al. 2017, arXiv 1711.11586, section 4). Skips of that code carry activated tensors in one
    variant and raw ones in the other; behind the ReLU of the way up both are the same, so ours are always raw.

    Args:
        input_channels, output_channels: of the images.
        num_downs: halvings, at least 5; the sides of the image must be multiples of `2**num_downs`.
        base_filters: channels of the first convolution; they double up to eightfold.
        latent_dim: length of the latent vector z; 0 builds a network without it.
        z_injection: `input` appends z to the image's channels, `all` to the input of every convolution on the way
            down (there, as in the authors' code, the LeakyReLU bends z too and the skips carry no z).
        upsampling: `transposed` (4x4 transposed convolution) or `bilinear` (resize, reflection padding, 3x3).
        dropout: whether the blocks of eightfold width on the way up, all but the innermost, drop half of their values.
        init_gain: of the xavier initializer of all kernels.
        name: of the Keras model.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1], or from `[image, z]` with z `[B, latent_dim]`,
        to an image `[B, H, W, output_channels]` in [-1, 1].
    """
    if num_downs < MIN_DOWNS:
        raise ValueError(f"num_downs must be at least {MIN_DOWNS}. Received: num_downs={num_downs}")
    image = keras.Input((None, None, input_channels), name="image")
    z = keras.Input((latent_dim,), name="z") if latent_dim else None
    filters = [base_filters * min(2**level, 8) for level in range(num_downs)]
    innermost = num_downs - 1

    x = image
    skips = []
    for level in range(num_downs):
        skips.append(x)
        if z is not None and (level == 0 or z_injection == "all"):
            x = TileConcat(name=f"z_{level}")(x, z)
        if level > 0:
            x = keras.layers.LeakyReLU(0.2, name=f"down_{level}_activation")(x)
        few_pixels = level >= num_downs - 2
        # [B, H / 2^(level + 1), W / 2^(level + 1), filters]
        kwargs = {"kernel_initializer": xavier_normal(init_gain), "name": f"down_{level}"}
        x = _downsample(x, filters[level], few_pixels, **kwargs)
        if 0 < level < innermost:
            x = InstanceNorm(name=f"down_{level}_norm")(x)

    for level in reversed(range(num_downs)):
        channels = filters[level - 1] if level > 0 else output_channels
        x = keras.layers.ReLU(name=f"up_{level}_activation")(x)
        few_pixels = level >= num_downs - 3
        # [B, H / 2^level, W / 2^level, channels]
        kwargs = {"kernel_initializer": xavier_normal(init_gain), "name": f"up_{level}"}
        x = _upsample(x, channels, upsampling, few_pixels, **kwargs)
        if level > 0:
            x = InstanceNorm(name=f"up_{level}_norm")(x)
            if dropout and MIN_DOWNS - 1 <= level < innermost:
                x = keras.layers.Dropout(0.5, name=f"up_{level}_dropout")(x)
            x = keras.layers.Concatenate(name=f"skip_{level}")([x, skips[level]])
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image if z is None else [image, z], output, name=name)


def _downsample(x: keras.KerasTensor, filters: int, few_pixels: bool, **kwargs) -> keras.KerasTensor:
    if few_pixels:
        return FewPixelsConv2D(filters, **kwargs)(x)
    return keras.layers.Conv2D(filters, 4, strides=2, padding="same", **kwargs)(x)


def _upsample(x: keras.KerasTensor, filters: int, upsampling: str, few_pixels: bool, **kwargs) -> keras.KerasTensor:
    if upsampling == "transposed":
        if few_pixels:
            return FewPixelsConv2DTranspose(filters, **kwargs)(x)
        return keras.layers.Conv2DTranspose(filters, 4, strides=2, padding="same", **kwargs)(x)
    if upsampling == "bilinear":
        x = keras.layers.UpSampling2D(2, interpolation="bilinear", name=f"{kwargs['name']}_resize")(x)
        x = ReflectionPad2D(1, name=f"{kwargs['name']}_pad")(x)
        return keras.layers.Conv2D(filters, 3, **kwargs)(x)
    raise ValueError(f"upsampling must be transposed or bilinear. Received: upsampling={upsampling!r}")
