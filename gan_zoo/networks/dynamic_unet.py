"""A U-Net around any backbone, whose way up is made of sub-pixel convolutions."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import sizes
from gan_zoo.layers.initializers import ICNR, make_initializer
from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.layers.upsampling import PairBlur, SubPixelConv2D
from gan_zoo.networks.backbones import encoder


@keras.saving.register_keras_serializable("gan_zoo")
class CropOrExtend(keras.layers.Layer):
    """Brings an image to another's size, at the far borders: `[B, H, W, C]`, `[B, h, w, D]` -> `[B, h, w, C]`.

    Doubling undoes a halving but for one pixel: what is too much is cut off, what is missing repeats the last one.
    """

    def call(self, image: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        if None not in image.shape[1:3] and image.shape[1:3] == other.shape[1:3]:
            return image
        _, height, width, _ = sizes(image)
        _, other_height, other_width, _ = sizes(other)
        missing = [[0, tf.maximum(other_height - height, 0)], [0, tf.maximum(other_width - width, 0)]]
        return tf.pad(image, [[0, 0], *missing, [0, 0]], mode="SYMMETRIC")[:, :other_height, :other_width]

    def compute_output_shape(self, image_shape: tuple, other_shape: tuple) -> tuple:
        return (*other_shape[:-1], image_shape[-1])


def dynamic_unet(
    *,
    input_channels: int,
    output_channels: int,
    backbone: str = "resnet18",
    image_size: int = 256,
    base_filters: int = 64,
    blur: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net whose way down is an ImageNet classifier; its features before each drop of resolution are skips.

    fastai's DynamicUnet (Howard and Gugger 2020, arXiv 2002.04688): from the innermost features through norm, ReLU and
    two 3x3 convolutions, then for each skip a sub-pixel convolution to half the channels, the skip behind a batch norm,
    ReLU and two 3x3 convolutions; the last skip's have half the channels. At full size the image itself is joined, and
    a residual block and a 1x1 convolution follow. The convolutions of the way up have a bias and no norm.

    With ResNet-18 of 64 filters from 1 channel to 2 it has 31,099,672 weights that learn, as theirs: 11,170,240 in the
    encoder, 9,439,744 in the middle, 5,245,440 + 3,180,544 + 1,475,968 + 380,736 at the four skips, 37,248 + 169,556 +
    196 at full size. What differs: the tanh, the last kernel, which starts near zero so that the image does too, and
    odd sizes, which theirs resizes. Widths end at `8 * base_filters`, which only wider backbones than ResNet-34 notice.

    Args:
        input_channels, output_channels: of the images.
        backbone: one of `gan_zoo.networks.backbones.BACKBONES`, drawn at random; `load_imagenet` of that file brings
            trained weights into the layer `encoder`.
        image_size: pixels at which the backbone is asked for its resolutions, at least 32.
        base_filters: of resnet18 and resnet34, and an eighth of the largest width of the way up.
        blur: whether each upsampling averages neighbouring pixels, against checkerboards.
        name: of the Keras model.

    Returns:
        A model from an image `[B, H, W, input_channels]` in [-1, 1] of any size from 32 pixels to an image
        `[B, H, W, output_channels]` in [-1, 1].

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    widest = 8 * base_filters
    image = keras.Input((None, None, input_channels), name="image")
    down = encoder(backbone, input_channels=input_channels, image_size=image_size, base_filters=base_filters)
    *skips, x = down(image)  # of 1/2, 1/4, 1/8, 1/16 of the size, and the innermost 1/32

    x = BatchNorm(gamma_gain=0.0, name="middle_norm")(x)
    x = keras.layers.ReLU(name="middle_activation")(x)
    filters = min(x.shape[-1], widest)
    x = _conv(_conv(x, 2 * filters, "middle_conv_0"), filters, "middle_conv_1")  # [B, H / 32, W / 32, filters]
    for level in reversed(range(len(skips))):
        skip = skips[level]
        up = f"up_{level}"
        x = _upsample(x, x.shape[-1] // 2, blur, up)
        x = CropOrExtend(name=f"{up}_size")(x, skip)
        x = keras.layers.Concatenate(name=f"skip_{level}")([x, BatchNorm(gamma_gain=0.0, name=f"{up}_norm")(skip)])
        x = keras.layers.ReLU(name=f"{up}_skip_activation")(x)
        filters = min(x.shape[-1], widest)
        filters = filters if level > 0 else filters // 2
        x = _conv(_conv(x, filters, f"{up}_conv_0"), filters, f"{up}_conv_1")  # of the skip's size
    if down.compute_output_shape((1, image_size, image_size, input_channels))[0][1] < image_size:
        x = _upsample(x, x.shape[-1], blur, "up_image")
        x = CropOrExtend(name="up_image_size")(x, image)
    x = keras.layers.Concatenate(name="skip_image")([x, image])  # [B, H, W, filters + input_channels]
    y = _conv(x, x.shape[-1], "block_conv_0")
    y = _conv(y, x.shape[-1], "block_conv_1", activation=False)
    x = keras.layers.ReLU(name="block_activation")(keras.layers.Add(name="block")([x, y]))
    kernel = make_initializer("normal")
    x = keras.layers.Conv2D(output_channels, 1, kernel_initializer=kernel, name="conv_out")(x)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image, output, name=name)


def _conv(x: keras.KerasTensor, filters: int, name: str, activation: bool = True) -> keras.KerasTensor:
    kernel = make_initializer("kaiming")
    x = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=kernel, name=name)(x)
    return keras.layers.ReLU(name=f"{name}_activation")(x) if activation else x


def _upsample(x: keras.KerasTensor, filters: int, blur: bool, name: str) -> keras.KerasTensor:
    """A rectified 1x1 convolution to double size."""
    x = SubPixelConv2D(filters, kernel_initializer=ICNR(make_initializer("kaiming")), name=name)(x)
    x = keras.layers.ReLU(name=f"{name}_activation")(x)
    return PairBlur(name=f"{name}_blur")(x) if blur else x
