"""The residual generator of CycleGAN, and of CUT, which halves and doubles with a blur."""

import functools
from collections.abc import Callable, Sequence

import keras

from gan_zoo.layers.blur import BlurDown, BlurUp
from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.mirrored import (
    ConvFromImage,
    ConvToImage,
    DoubleSizeConv2DTranspose,
    HalfSizeConv2D,
    MirroredConv2D,
)
from gan_zoo.layers.normalization import NORMS, make_norm, norm_has_bias
from gan_zoo.layers.padding import ReflectionPad2D
from gan_zoo.layers.upsampling import BilinearUpsampling

IMAGE_KERNEL = 7
ZeroPaddedConv2D = functools.partial(keras.layers.Conv2D, kernel_size=3, padding="same")
# The convolution of each way to double the size.
_UP = {"transposed": DoubleSizeConv2DTranspose, "bilinear": MirroredConv2D, "blur": ZeroPaddedConv2D}
UPSAMPLINGS = tuple(_UP)


def resnet(
    *,
    input_channels: int,
    output_channels: int,
    num_blocks: int = 9,
    base_filters: int = 64,
    norm: str = "instance",
    upsampling: str = "transposed",
    antialias: bool = False,
    dropout: bool = False,
    inference_mode: str = "eval",
    init_type: str = "normal",
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds a generator that halves the image twice, changes it in residual blocks and doubles it twice.

    Johnson et al. 2016 (arXiv 1603.08155, appendix) in the form of Zhu et al. 2017 (CycleGAN, arXiv 1703.10593,
    section 7.2): 6 blocks for 128 px, 9 for 256 px. The sides of the image must be multiples of 4.

    Args:
        input_channels, output_channels: of the images.
        num_blocks: residual blocks of two 3x3 convolutions, at a quarter of the size; 0 is allowed.
        base_filters: channels of the first convolution; the blocks have four times as many.
        norm: batch, instance, layer or none, behind every convolution but the last. As in the authors' code, which has
            no layer, the convolutions before it have a bias only if it is instance; the last always has one.
        upsampling: `transposed` (3x3 transposed convolution), `bilinear` (resize, reflection padding, 3x3) or `blur`
            (CUT's: `BlurUp`, which is the same resize, then 3x3 over a border of zeros).
        antialias: whether a halving is a convolution without stride, its norm and activation, and `BlurDown`, as in
            CUT, instead of a strided convolution.
        dropout: whether each block drops half of its values between its convolutions. The model then takes a seed an
            image, that alone decides which values its image loses.
        inference_mode: `train` drops values and takes each image's own statistics out of training too, `eval` does not.
        init_type, init_gain: of the kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1], or from `[image, seed]` with seed int64 `[B]`, to
        an image `[B, H, W, output_channels]` in [-1, 1].

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if num_blocks < 0:
        raise ValueError(f"num_blocks must not be negative. Received: num_blocks={num_blocks}")
    if upsampling not in UPSAMPLINGS:
        raise ValueError(f"upsampling must be one of {UPSAMPLINGS}. Received: upsampling={upsampling!r}")
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}. Received: norm={norm!r}")
    if inference_mode not in ("train", "eval"):
        raise ValueError(f"inference_mode must be train or eval. Received: inference_mode={inference_mode!r}")
    image = keras.Input((None, None, input_channels), name="image")
    seed = keras.Input((), dtype="int64", name="seed") if dropout else None
    inference = "image" if inference_mode == "train" else "running"

    def conv(x: keras.KerasTensor, layer: Callable, name: str, *args, activation: bool = True) -> keras.KerasTensor:
        """A convolution, its norm and its activation."""
        kernel = make_initializer(init_type, init_gain)
        x = layer(*args, use_bias=norm_has_bias(norm), kernel_initializer=kernel, name=name)(x)
        norm_layer = make_norm(norm, name=f"{name}_norm", inference=inference)
        x = x if norm_layer is None else norm_layer(x)
        return keras.layers.ReLU(name=f"{name}_activation")(x) if activation else x

    x = conv(image, ConvFromImage, "conv_in", base_filters, IMAGE_KERNEL)  # [B, H, W, base_filters]
    for level in (0, 1):
        # [B, H / 2^(level + 1), W / 2^(level + 1), base_filters * 2^(level + 1)]
        halving = ZeroPaddedConv2D if antialias else HalfSizeConv2D
        x = conv(x, halving, f"down_{level}", base_filters * 2 ** (level + 1))
        x = BlurDown(name=f"down_{level}_blur")(x) if antialias else x
    for block in range(num_blocks):
        y = conv(x, MirroredConv2D, f"block_{block}_conv_0", 4 * base_filters)
        if seed is not None:
            at_inference = inference_mode == "train"
            y = SeededDropout(0.5, stream=block, at_inference=at_inference, name=f"block_{block}_dropout")(y, seed)
        y = conv(y, MirroredConv2D, f"block_{block}_conv_1", 4 * base_filters, activation=False)
        x = keras.layers.Add(name=f"block_{block}")([x, y])  # [B, H/4, W/4, 4 * base_filters]
    for level in (1, 0):
        # [B, H / 2^level, W / 2^level, base_filters * 2^level]
        if upsampling == "blur":
            x = BlurUp(name=f"up_{level}_blur")(x)
        elif upsampling == "bilinear":
            x = BilinearUpsampling(name=f"up_{level}_resize")(x)
        x = conv(x, _UP[upsampling], f"up_{level}", base_filters * 2**level)
    kernel = make_initializer(init_type, init_gain)
    x = ConvToImage(output_channels, IMAGE_KERNEL, kernel_initializer=kernel, name="conv_out")(x)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image if seed is None else [image, seed], output, name=name)


def feature_names(num_blocks: int) -> list[str]:
    """What `features_of` can give of a generator, in its order; the last one is at the end of its encoder."""
    return ["image", "conv_in", "down_0", "down_1", *(f"block_{block}" for block in range(num_blocks))]


def features_of(generator: keras.Model, names: Sequence[str], *, with_output: bool = False) -> keras.Model:
    """A model that shares the layers of a `resnet` without dropout and gives what is inside.

    Args:
        generator: a `resnet`.
        names: of `feature_names`: `image` is the image as the first convolution sees it, with its mirrored border of 3
            pixels; of a convolution the result before its norm; of a block what leaves it.
        with_output: whether the image that it makes comes last. If not, nothing behind the last feature is computed.

    Returns:
        A model from the image `[B, H, W, input_channels]` to a list, features `[B, h, w, C]` in the order of `names`.
    """
    image = generator.input
    features = [
        ReflectionPad2D(IMAGE_KERNEL // 2, name="image_border")(image)
        if name == "image"
        else generator.get_layer(name).output
        for name in names
    ]
    outputs = [*features, generator.output] if with_output else features
    return keras.Model(image, outputs, name=f"{generator.name}_features")
