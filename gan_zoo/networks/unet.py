"""The U-Net generator of pix2pix and BicycleGAN."""

import keras

from gan_zoo.layers.convolutions import FewPixelsConv2D, FewPixelsConv2DTranspose
from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import NORMS, make_norm, norm_has_bias
from gan_zoo.layers.padding import ReflectionPad2D
from gan_zoo.layers.tiling import TileConcat
from gan_zoo.layers.upsampling import BilinearUpsampling, FewChannelsConv2DTranspose

MIN_DOWNS = 5


def most_downs(image_size: int) -> int:
    """As many halvings as a square image of `image_size` takes, but at least those that a U-Net has."""
    return max((image_size & -image_size).bit_length() - 1, MIN_DOWNS)


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
    norm: str = "instance",
    init_type: str = "xavier",
    dropout_from_seed: bool = False,
    inference_mode: str = "eval",
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
        init_gain: of the initializer of all kernels.
        name: of the Keras model.
        norm: batch, instance, layer or none. As in the authors' code all convolutions but the last have a bias only if
            it is instance.
        init_type: of all kernels, see `make_initializer`.
        dropout_from_seed: whether the same blocks draw their dropout from a seed given with each image, see
            `SeededDropout`, instead of from a state of its own; replaces `dropout`. A network too shallow for dropout
            takes the seed too.
        inference_mode: out of training, `train` still drops values (if `dropout_from_seed`) and gives batch norm each
            image's own statistics; `eval` drops none and takes the running statistics.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1], or from a list of it, z `[B, latent_dim]` if it
        takes one, and the seed `[B]` int64 if it takes one, to an image `[B, H, W, output_channels]` in [-1, 1].

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if num_downs < MIN_DOWNS:
        raise ValueError(f"num_downs must be at least {MIN_DOWNS}. Received: num_downs={num_downs}")
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}. Received: norm={norm!r}")
    if inference_mode not in ("train", "eval"):
        raise ValueError(f"inference_mode must be train or eval. Received: inference_mode={inference_mode!r}")
    image = keras.Input((None, None, input_channels), name="image")
    z = keras.Input((latent_dim,), name="z") if latent_dim else None
    seed = keras.Input((), dtype="int64", name="seed") if dropout_from_seed else None
    inputs = [given for given in (image, z, seed) if given is not None]
    has_bias = norm_has_bias(norm)

    def normalize(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        layer = make_norm(norm, name=name, inference="image" if inference_mode == "train" else "running")
        return x if layer is None else layer(x)

    def drop(x: keras.KerasTensor, level: int) -> keras.KerasTensor:
        if seed is None:
            return keras.layers.Dropout(0.5, name=f"up_{level}_dropout")(x)
        layer = SeededDropout(0.5, stream=level, at_inference=inference_mode == "train", name=f"up_{level}_dropout")
        return layer(x, seed)

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
        kwargs = {"kernel_initializer": make_initializer(init_type, init_gain), "name": f"down_{level}"}
        x = _downsample(x, filters[level], few_pixels, use_bias=has_bias, **kwargs)
        if 0 < level < innermost:
            x = normalize(x, f"down_{level}_norm")

    for level in reversed(range(num_downs)):
        channels = filters[level - 1] if level > 0 else output_channels
        x = keras.layers.ReLU(name=f"up_{level}_activation")(x)
        few_pixels = level >= num_downs - 4
        # [B, H / 2^level, W / 2^level, channels]
        kwargs = {"kernel_initializer": make_initializer(init_type, init_gain), "name": f"up_{level}"}
        x = _upsample(x, channels, upsampling, few_pixels, use_bias=has_bias or level == 0, **kwargs)
        if level > 0:
            x = normalize(x, f"up_{level}_norm")
            if (dropout or dropout_from_seed) and MIN_DOWNS - 1 <= level < innermost:
                x = drop(x, level)
            x = keras.layers.Concatenate(name=f"skip_{level}")([x, skips[level]])
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(inputs if len(inputs) > 1 else image, output, name=name)


def _downsample(x: keras.KerasTensor, filters: int, few_pixels: bool, **kwargs) -> keras.KerasTensor:
    if few_pixels:
        return FewPixelsConv2D(filters, **kwargs)(x)
    return keras.layers.Conv2D(filters, 4, strides=2, padding="same", **kwargs)(x)


def _upsample(x: keras.KerasTensor, filters: int, upsampling: str, few_pixels: bool, **kwargs) -> keras.KerasTensor:
    if upsampling == "transposed":
        if few_pixels:
            return FewPixelsConv2DTranspose(filters, **kwargs)(x)
        if filters <= 4:  # an image
            return FewChannelsConv2DTranspose(filters, **kwargs)(x)
        return keras.layers.Conv2DTranspose(filters, 4, strides=2, padding="same", **kwargs)(x)
    if upsampling == "bilinear":
        x = BilinearUpsampling(name=f"{kwargs['name']}_resize")(x)
        x = ReflectionPad2D(1, name=f"{kwargs['name']}_pad")(x)
        return keras.layers.Conv2D(filters, 3, **kwargs)(x)
    raise ValueError(f"upsampling must be transposed or bilinear. Received: upsampling={upsampling!r}")
