"""BicycleGAN's encoders: from an image to the mean and log-variance of its latent vector."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import HalvingConv2D, widened, with_bias
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import InstanceNorm


def resnet_encoder(
    *,
    input_channels: int,
    latent_dim: int,
    num_blocks: int,
    base_filters: int = 64,
    init_gain: float = 0.02,
    name: str = "encoder",
) -> keras.Model:
    """Builds the residual encoder (Zhu et al. 2017, arXiv 1711.11586, section 4, `E_ResNet`).

    The authors average the last 8x8 pixels, which is all of a 256 px image after 4 blocks (128 px after 3); ours
    averages whatever is left, so that any size works.

    Args:
        input_channels: of the image.
        latent_dim: length of mu and logvar.
        num_blocks: residual blocks, each of which halves the image after a first halving.
        base_filters: channels of the first convolution; they grow to fourfold.
        init_gain: of the xavier initializer of all kernels.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` in [-1, 1] to `(mu, logvar)`, both `[B, latent_dim]`.
    """
    image = keras.Input((None, None, input_channels), name="image")
    kernel = make_initializer("xavier", init_gain)
    x = HalvingConv2D(base_filters, kernel_initializer=kernel, name="conv_0")(image)  # [B, H/2, W/2, base_filters]
    for block in range(1, num_blocks + 1):
        width, next_width = (base_filters * min(count, 4) for count in (block, block + 1))
        y = InstanceNorm(name=f"block_{block}_norm_0")(x)
        y = keras.layers.LeakyReLU(0.2, name=f"block_{block}_activation_0")(y)
        y = _conv(width, 3, init_gain, padding="same", name=f"block_{block}_conv_0")(y)
        y = InstanceNorm(name=f"block_{block}_norm_1")(y)
        y = keras.layers.LeakyReLU(0.2, name=f"block_{block}_activation_1")(y)
        y = ConvMeanPool(
            next_width, kernel_initializer=make_initializer("xavier", init_gain), name=f"block_{block}_conv_1"
        )(y)
        shortcut = keras.layers.AveragePooling2D(2, name=f"block_{block}_half_size")(x)
        shortcut = _conv(next_width, 1, init_gain, name=f"block_{block}_shortcut")(shortcut)
        x = keras.layers.Add(name=f"block_{block}")([y, shortcut])  # [B, H/2^(block+1), W/2^(block+1), next_width]
    x = keras.layers.LeakyReLU(0.2, name="last_activation")(x)
    return _with_heads(image, x, latent_dim, init_gain, name)


def plain_encoder(
    *,
    input_channels: int,
    latent_dim: int,
    num_layers: int,
    base_filters: int = 64,
    init_gain: float = 0.02,
    name: str = "encoder",
) -> keras.Model:
    """Builds the encoder of strided 4x4 convolutions (`E_NLayers` of the authors' code).

    Args:
        input_channels: of the image.
        latent_dim: length of mu and logvar.
        num_layers: convolutions, each of which halves the image.
        base_filters: channels of the first convolution; they double to fourfold.
        init_gain: of the xavier initializer of all kernels.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]` in [-1, 1] to `(mu, logvar)`, both `[B, latent_dim]`.
    """
    image = keras.Input((None, None, input_channels), name="image")
    x = image
    for layer in range(num_layers):
        kernel = make_initializer("xavier", init_gain)
        x = HalvingConv2D(base_filters * min(2**layer, 4), kernel_initializer=kernel, name=f"conv_{layer}")(x)
        if layer > 0:
            x = InstanceNorm(name=f"norm_{layer}")(x)
        x = keras.layers.LeakyReLU(0.2, name=f"activation_{layer}")(x)
    return _with_heads(image, x, latent_dim, init_gain, name)


def _with_heads(
    image: keras.KerasTensor, x: keras.KerasTensor, latent_dim: int, init_gain: float, name: str
) -> keras.Model:
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)

    def head(head_name: str) -> keras.KerasTensor:
        dense = keras.layers.Dense(
            latent_dim,
            kernel_initializer=make_initializer("xavier", init_gain),
            dtype=keras.backend.floatx(),
            name=head_name,
        )
        return dense(x)

    return keras.Model(image, [head("mu"), head("logvar")], name=name)


def _conv(filters: int, kernel_size: int, init_gain: float, **kwargs) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, kernel_size, kernel_initializer=make_initializer("xavier", init_gain), **kwargs)


@keras.saving.register_keras_serializable("gan_zoo")
class ConvMeanPool(keras.layers.Conv2D):
    """A 3x3 convolution and 2x2 mean pooling, computed as one strided 4x4 convolution: `[B, H, W, C]` -> half the size.

    The mean of four shifted 3x3 kernels is a 4x4 kernel: 16 instead of 36 products a result, the same number up to
    rounding. The 3x3 kernel stays the variable that is trained and stored.

    Args:
        filters: output channels.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, kwargs.pop("kernel_size", 3), padding=kwargs.pop("padding", "same"), **kwargs)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        kernel = widened(tf.convert_to_tensor(self.kernel))
        shifts = [
            tf.pad(kernel, [[top, 1 - top], [left, 1 - left], [0, 0], [0, 0]]) for top in (0, 1) for left in (0, 1)
        ]
        folded = tf.add_n(shifts) / 4.0
        pooled = tf.nn.conv2d(widened(image), folded, strides=2, padding=[[0, 0], [1, 1], [1, 1], [0, 0]])
        return tf.cast(with_bias(self, pooled), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, _ = input_shape
        return (batch, height and height // 2, width and width // 2, self.filters)
