"""The residual generator of U-GAT-IT, whose decoder is normalized by AdaLIN."""

import keras

from gan_zoo.layers.adalin import AdaptiveLayerInstanceNorm, LayerInstanceNorm
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.mirrored import ConvFromImage, ConvToImage, HalfSizeConv2D, MirroredConv2D
from gan_zoo.layers.normalization import InstanceNorm


def adalin_resnet(
    *,
    input_channels: int,
    output_channels: int,
    num_blocks: int = 6,
    base_filters: int = 64,
    skips: bool = False,
    init_type: str = "normal",
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds a ResNet whose decoder is scaled and shifted by what the encoder saw in the whole image.

    Kim et al. 2019 (U-GAT-IT, arXiv 1907.10830, section 2.1 and appendix), without its attention map. The bottleneck's
    average over all pixels goes through two dense layers to one gamma and one beta, which the AdaLIN of every residual
    block of the decoder takes. The head of gamma has a bias that starts at 1 (theirs has none), so that with small
    kernels too the blocks start as plain norms. As in their code no convolution has a bias but, here, the last. The
    sides of the image must be multiples of 4.

    Args:
        input_channels, output_channels: of the images.
        num_blocks: residual blocks on each side, in the encoder (instance norm) and in the decoder (AdaLIN); the
            authors have 4 on each.
        base_filters: channels of the first convolution; the blocks and the dense layers have four times as many.
        skips: whether each convolution of the upsampling decoder also sees the encoder's features of its size.
        init_type, init_gain: of the kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from the image `[B, H, W, input_channels]` in [-1, 1] to an image `[B, H, W, output_channels]` in
        [-1, 1].

    Raises:
        ValueError: if an argument is not one of those named above.
    """
    if num_blocks < 0:
        raise ValueError(f"num_blocks must not be negative. Received: num_blocks={num_blocks}")
    width = 4 * base_filters

    def conv(x: keras.KerasTensor, layer: type, name: str, *args, use_bias: bool = False) -> keras.KerasTensor:
        kernel = make_initializer(init_type, init_gain)
        return layer(*args, use_bias=use_bias, kernel_initializer=kernel, name=name)(x)

    def relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.ReLU(name=f"{name}_activation")(x)

    def dense(x: keras.KerasTensor, name: str, **kwargs) -> keras.KerasTensor:
        return keras.layers.Dense(
            width, kernel_initializer=make_initializer(init_type, init_gain), name=name, **kwargs
        )(x)

    image = keras.Input((None, None, input_channels), name="image")
    x = conv(image, ConvFromImage, "conv_in", base_filters, 7)
    x = relu(InstanceNorm(name="conv_in_norm")(x), "conv_in")  # [B, H, W, base_filters]
    features = []
    for level in (0, 1):
        features.append(x)
        # [B, H / 2^(level + 1), W / 2^(level + 1), base_filters * 2^(level + 1)]
        x = conv(x, HalfSizeConv2D, f"down_{level}", base_filters * 2 ** (level + 1))
        x = relu(InstanceNorm(name=f"down_{level}_norm")(x), f"down_{level}")

    for block in range(num_blocks):
        y = conv(x, MirroredConv2D, f"encoder_{block}_conv_0", width)
        y = relu(InstanceNorm(name=f"encoder_{block}_norm_0")(y), f"encoder_{block}")
        y = conv(y, MirroredConv2D, f"encoder_{block}_conv_1", width)
        y = InstanceNorm(name=f"encoder_{block}_norm_1")(y)
        x = keras.layers.Add(name=f"encoder_{block}")([x, y])  # [B, H/4, W/4, width]

    style = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # [B, width]
    for layer in (0, 1):
        style = dense(style, f"style_{layer}", activation="relu")
    gamma, beta = dense(style, "gamma", bias_initializer="ones"), dense(style, "beta")

    for block in range(num_blocks):
        y = conv(x, MirroredConv2D, f"decoder_{block}_conv_0", width)
        y = AdaptiveLayerInstanceNorm(name=f"decoder_{block}_norm_0")(y, gamma, beta)
        y = conv(relu(y, f"decoder_{block}"), MirroredConv2D, f"decoder_{block}_conv_1", width)
        y = AdaptiveLayerInstanceNorm(name=f"decoder_{block}_norm_1")(y, gamma, beta)
        x = keras.layers.Add(name=f"decoder_{block}")([x, y])

    for level in (1, 0):
        x = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"up_{level}_resize")(x)
        if skips:
            x = keras.layers.Concatenate(name=f"skip_{level}")([x, features[level]])
        # [B, H / 2^level, W / 2^level, base_filters * 2^level]
        x = conv(x, MirroredConv2D, f"up_{level}", base_filters * 2**level)
        x = relu(LayerInstanceNorm(name=f"up_{level}_norm")(x), f"up_{level}")
    x = conv(x, ConvToImage, "conv_out", output_channels, 7, use_bias=True)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    output = keras.layers.Activation("tanh", dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image, output, name=name)
