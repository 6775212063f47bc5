"""DiscoGAN's generator: an encoder and a decoder, and nothing that goes past the few pixels between them."""

import keras

from gan_zoo.layers.convolutions import HalvingConv2D
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import make_norm
from gan_zoo.layers.upsampling import FewChannelsConv2DTranspose

NUM_DOWNS = 4
EXTRA_SIZE, EXTRA_CHANNELS = 4, 100


def encoder_decoder(
    *,
    input_channels: int,
    output_channels: int,
    base_filters: int = 64,
    extra_layer: bool = False,
    norm: str = "batch",
    inference_mode: str = "eval",
    init_type: str = "pytorch",
    init_gain: float = 0.02,
    name: str = "generator",
) -> keras.Model:
    """Builds four halvings and four doublings by 4x4 convolutions, from one width to its eightfold and back.

    Kim et al. 2017 (DiscoGAN, arXiv 1703.05192, section 3) in the form of the authors' code: LeakyReLU 0.2 on the way
    down, ReLU on the way up, a norm behind all convolutions but the first and the last, no bias. The network's own
    range is [0, 1].

    Args:
        input_channels, output_channels: of the images.
        base_filters: of the first convolution.
        extra_layer: a 4x4 convolution without a stride to 100 channels and a transposed one back between encoder and
            decoder: an image of 64 px comes down to one pixel.
        norm: batch, instance, layer or none. Only with none the convolutions have a bias.
        inference_mode: out of training, `train` gives batch norm each image's own statistics; `eval` takes the running
            ones.
        init_type, init_gain: of all kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from an image `[B, H, W, input_channels]` in [-1, 1], whose sides are multiples of 16 and with
        `extra_layer` at least 64, to an image `[B, H, W, output_channels]` in [-1, 1].
    """
    widths = [base_filters * 2**level for level in range(NUM_DOWNS)]

    def kwargs(name: str) -> dict:
        initializer = make_initializer(init_type, init_gain)
        return {"kernel_initializer": initializer, "use_bias": norm == "none", "name": name}

    def normalized(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        inference = "image" if inference_mode == "train" else "running"
        layer = make_norm(norm, name=f"{name}_norm", gamma_gain=0.0, inference=inference)
        return x if layer is None else layer(x)

    image = keras.Input((None, None, input_channels), name="image")
    x = keras.layers.Rescaling(0.5, 0.5, name="to_unit_range")(image)
    for level, width in enumerate(widths):
        path = f"encode_{level}"
        x = HalvingConv2D(width, **kwargs(path))(x)  # [B, H / 2^(level + 1), W / 2^(level + 1), width]
        x = keras.layers.LeakyReLU(0.2, name=f"encode_{level}_activation")(normalized(x, path) if level else x)
    if extra_layer:
        x = keras.layers.Conv2D(EXTRA_CHANNELS, EXTRA_SIZE, **kwargs("extra_encode"))(x)  # [B, H / 16 - 3, ...]
        x = keras.layers.LeakyReLU(0.2, name="extra_encode_activation")(normalized(x, "extra_encode"))
        x = keras.layers.Conv2DTranspose(widths[-1], EXTRA_SIZE, **kwargs("extra_decode"))(x)  # [B, H / 16, ...]
        x = keras.layers.ReLU(name="extra_decode_activation")(normalized(x, "extra_decode"))
    for level in reversed(range(1, NUM_DOWNS)):
        path = f"decode_{level}"
        shape = {"kernel_size": 4, "strides": 2, "padding": "same"}
        # [B, H / 2^level, W / 2^level, width]
        x = keras.layers.Conv2DTranspose(widths[level - 1], **shape, **kwargs(path))(x)
        x = keras.layers.ReLU(name=f"{path}_activation")(normalized(x, path))
    x = FewChannelsConv2DTranspose(output_channels, **kwargs("decode_0"))(x)
    # float32 at least: the losses and the image's 256 grey values need more than bfloat16 holds.
    x = keras.layers.Activation("sigmoid", dtype=keras.backend.floatx(), name="unit_image_out")(x)
    output = keras.layers.Rescaling(2.0, -1.0, dtype=keras.backend.floatx(), name="image_out")(x)
    return keras.Model(image, output, name=name)
