"""DualGAN's U-Net."""

import keras

from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import InstanceNorm, make_norm

EPSILON = 1e-6  # of the instance norm
NUM_DROPPING = 3  # blocks on the way up, from the innermost on


def dual_unet(
    *,
    input_channels: int,
    output_channels: int,
    num_downs: int,
    base_filters: int = 64,
    norm: str = "instance",
    dropout: bool = True,
    inference_mode: str = "train",
    bottleneck_norm: bool = False,
    init_type: str = "truncated",
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net of 3x3 kernels, the first and the last of 5x5: `num_downs` halvings, as many doublings.

    Yi et al. 2017 (DualGAN, arXiv 1704.02510) in the form of the authors' code: LeakyReLU 0.2 on the way down and ReLU
    on the way up, both before the convolution, so that the skips carry raw values; no norm behind the first and the
    last convolution, a bias in all of them.

    Args:
        input_channels, output_channels: of the images.
        num_downs: halvings; the sides of the image must be multiples of `2**num_downs`.
        base_filters: channels of the first convolution; they double up to eightfold.
        norm: instance (with scale and shift), batch, layer or none.
        dropout: whether the three innermost blocks on the way up drop half of their values, by a seed given with each
            image, see `SeededDropout`.
        inference_mode: out of training, `train` still drops values, and gives batch norm each image's own statistics;
            `eval` drops none and takes the running statistics.
        bottleneck_norm: whether there is a norm behind the innermost convolution too, as the authors have. Where that
            leaves one pixel, an instance norm makes it a constant, and nothing passes.
        init_type, init_gain: of the kernels, see `make_initializer`; only those on the way down are truncated.
        name: of the Keras model.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1], or with dropout from `[image, seed]`, seed `[B]`
        int64, to an image `[B, H, W, output_channels]` in [-1, 1].
    """
    image = keras.Input((None, None, input_channels), name="image")
    seed = keras.Input((), dtype="int64", name="seed") if dropout else None
    innermost = num_downs - 1
    filters = [base_filters * min(2**level, 8) for level in range(num_downs)]

    def kernel(level: int, init_type: str, name: str) -> dict:
        initializer = make_initializer(init_type, init_gain)
        shape = {"kernel_size": 3 if level else 5, "strides": 2, "padding": "same"}
        return {**shape, "kernel_initializer": initializer, "name": f"{name}_{level}"}

    def normalized(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        layer = dual_norm(norm, name, inference="image" if inference_mode == "train" else "running")
        return x if layer is None else layer(x)

    x = image
    skips = []
    for level in range(num_downs):
        if level:
            x = keras.layers.LeakyReLU(0.2, name=f"encode_{level}_activation")(x)
        # [B, H / 2^(level + 1), W / 2^(level + 1), filters]
        x = keras.layers.Conv2D(filters[level], **kernel(level, init_type, "encode"))(x)
        if 0 < level < innermost or (level == innermost and bottleneck_norm):
            x = normalized(x, f"encode_{level}_norm")
        skips.append(x)
    not_truncated = "normal" if init_type == "truncated" else init_type
    for level in reversed(range(num_downs)):
        channels = filters[level - 1] if level else output_channels
        x = keras.layers.ReLU(name=f"decode_{level}_activation")(x)
        # [B, H / 2^level, W / 2^level, channels]
        x = keras.layers.Conv2DTranspose(channels, **kernel(level, not_truncated, "decode"))(x)
        if level:
            x = normalized(x, f"decode_{level}_norm")
            if seed is not None and level > innermost - NUM_DROPPING:
                drop = SeededDropout(0.5, level, inference_mode == "train", name=f"decode_{level}_dropout")
                x = drop(x, seed)
            x = keras.layers.Concatenate(name=f"skip_{level}")([x, skips[level - 1]])
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image if seed is None else [image, seed], output, name=name)


def dual_norm(norm: str, name: str, inference: str = "running") -> keras.layers.Layer | None:
    """`make_norm`, but that DualGAN's instance norm has a scale and a shift, and an epsilon of its own."""
    if norm == "instance":
        return InstanceNorm(EPSILON, affine=True, name=name)
    return make_norm(norm, name=name, inference=inference)
