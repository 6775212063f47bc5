"""The generator of U-GAT-IT: a residual one that attends to what tells the two domains apart."""

import functools

import keras

from gan_zoo.layers.adalin import AdaptiveLayerInstanceNorm, LayerInstanceNorm
from gan_zoo.layers.class_activation import ClassActivation
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.mirrored import ConvFromImage, ConvToImage, MirroredConv2D
from gan_zoo.layers.normalization import InstanceNorm
from gan_zoo.layers.padding import ReflectionPad2D
from gan_zoo.layers.resizing import ResizeToSquare


def attention_resnet(
    *,
    input_channels: int,
    output_channels: int,
    image_size: int,
    num_blocks: int = 4,
    base_filters: int = 64,
    light: bool = False,
    unbiased: bool = False,
    init_type: str = "pytorch",
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds a ResNet whose features are weighed by class activation, and whose decoder is normalized by AdaLIN.

    Kim et al. 2019 (U-GAT-IT, arXiv 1907.10830, section 2.1.1 and appendix B), as the authors' PyTorch code has it: no
    convolution or dense layer has a bias but the one behind the attention. The sides of the image must be multiples of
    4. What AdaLIN's gamma and beta are made of are all weighed features, in a fixed grid: of an image that has not the
    size of training they are resized to it first. `light` takes the mean of each channel instead.

    Args:
        input_channels, output_channels: of the images.
        image_size: side of the square images of training.
        num_blocks: residual blocks on each side, in the encoder (instance norm) and in the decoder (AdaLIN).
        base_filters: channels of the first convolution; the blocks and the dense layers have four times as many.
        light: whether the dense layers see the means alone: at 256 px and 64 filters 11 instead of 279 million
            weights.
        unbiased: of AdaLIN and LIN, see `gan_zoo.layers.adalin`.
        init_type, init_gain: of the kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1] to a list: an image `[B, H, W, output_channels]`
        in [-1, 1]; the logits of the two classifiers, `[B, 1, 1, 2]`; and how strongly each place is attended to,
        `[B, H / 4, W / 4, 1]`, 0 or more.

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if num_blocks < 0:
        raise ValueError(f"num_blocks must not be negative. Received: num_blocks={num_blocks}")
    width = 4 * base_filters
    kernel = functools.partial(make_initializer, init_type, init_gain)

    def conv(
        x: keras.KerasTensor, layer: type, name: str, *args, use_bias: bool = False, **kwargs
    ) -> keras.KerasTensor:
        return layer(*args, use_bias=use_bias, kernel_initializer=kernel(), name=name, **kwargs)(x)

    def dense(x: keras.KerasTensor, name: str, activation: str | None = None) -> keras.KerasTensor:
        layer = keras.layers.Dense(width, use_bias=False, activation=activation, kernel_initializer=kernel(), name=name)
        return layer(x)

    def relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.ReLU(name=f"{name}_activation")(x)

    image = keras.Input((None, None, input_channels), name="image")
    x = conv(image, ConvFromImage, "conv_in", base_filters, 7)
    x = relu(InstanceNorm(name="conv_in_norm")(x), "conv_in")  # [B, H, W, base_filters]
    for level in (0, 1):
        x = ReflectionPad2D(name=f"down_{level}_pad")(x)
        # [B, H / 2^(level + 1), W / 2^(level + 1), base_filters * 2^(level + 1)]
        x = conv(x, keras.layers.Conv2D, f"down_{level}", base_filters * 2 ** (level + 1), 3, strides=2)
        x = relu(InstanceNorm(name=f"down_{level}_norm")(x), f"down_{level}")

    for block in range(num_blocks):
        y = conv(x, MirroredConv2D, f"encoder_{block}_conv_0", width)
        y = relu(InstanceNorm(name=f"encoder_{block}_norm_0")(y), f"encoder_{block}")
        y = conv(y, MirroredConv2D, f"encoder_{block}_conv_1", width)
        y = InstanceNorm(name=f"encoder_{block}_norm_1")(y)
        x = keras.layers.Add(name=f"encoder_{block}")([x, y])  # [B, H/4, W/4, width]

    x, class_logits = ClassActivation(init_type=init_type, init_gain=init_gain, name="attention")(
        x
    )  # [B, H/4, W/4, 2 * width]
    x = relu(conv(x, keras.layers.Conv2D, "attention_conv", width, 1, use_bias=True), "attention")
    # In float32 at least what is looked at and learnt from: bfloat16 holds 8 bits.
    wide = {"dtype": keras.backend.floatx()}
    attended = keras.ops.sum(keras.layers.Activation("linear", name="attended", **wide)(x), axis=-1, keepdims=True)

    if light:
        style = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # [B, width]
    else:
        style = ResizeToSquare(image_size // 4, name="resize")(x)
        style = keras.layers.Permute((3, 1, 2), name="channels_first")(style)  # the authors' order of the weights
        style = keras.layers.Flatten(name="flatten")(style)  # [B, width * (image_size / 4)^2]
    for layer in (0, 1):
        style = dense(style, f"style_{layer}", activation="relu")
    gamma, beta = dense(style, "gamma"), dense(style, "beta")

    for block in range(num_blocks):
        y = conv(x, MirroredConv2D, f"decoder_{block}_conv_0", width)
        y = AdaptiveLayerInstanceNorm(unbiased=unbiased, name=f"decoder_{block}_norm_0")(y, gamma, beta)
        y = conv(relu(y, f"decoder_{block}"), MirroredConv2D, f"decoder_{block}_conv_1", width)
        y = AdaptiveLayerInstanceNorm(unbiased=unbiased, name=f"decoder_{block}_norm_1")(y, gamma, beta)
        x = keras.layers.Add(name=f"decoder_{block}")([x, y])

    for level in (1, 0):
        x = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"up_{level}_resize")(x)
        # [B, H / 2^level, W / 2^level, base_filters * 2^level]
        x = conv(x, MirroredConv2D, f"up_{level}", base_filters * 2**level)
        x = relu(LayerInstanceNorm(unbiased=unbiased, name=f"up_{level}_norm")(x), f"up_{level}")
    x = conv(x, ConvToImage, "conv_out", output_channels, 7)
    output = keras.layers.Activation("tanh", name="image_out", **wide)(x)
    logits = keras.layers.Activation("linear", name="class_logits", **wide)(class_logits)
    return keras.Model(image, [output, logits, attended], name=name)
