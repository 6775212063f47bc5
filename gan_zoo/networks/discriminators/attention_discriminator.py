"""The discriminators of U-GAT-IT, which attend to what gives a fake away."""

import functools

import keras

from gan_zoo.layers.class_activation import ClassActivation
from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.normalization import SpectralConv2D
from gan_zoo.layers.padding import ReflectionPad2D


def smallest_attended_side(num_layers: int) -> int:
    """The shortest side, in pixels, that leaves a logit: the last two convolutions take a pixel each from 3."""
    return 3 * 2 ** (num_layers - 2)


def attention_discriminator(
    *,
    input_channels: int,
    base_filters: int = 64,
    num_layers: int = 7,
    norm: str = "spectral",
    init_type: str = "pytorch",
    init_gain: float = 0.02,
    name: str = "discriminator",
) -> keras.Model:
    """Builds a discriminator of patches whose last features are weighed by class activation.

    Kim et al. 2019 (U-GAT-IT, arXiv 1907.10830, section 2.1.2 and appendix B), as the authors' PyTorch code has it. The
    paper has two for each domain, of 7 layers (286 px wide patches, the whole of most images) and of 5 (70 px).

    Args:
        input_channels: of the image.
        base_filters: channels of the first convolution; every further one has twice as many.
        num_layers: 4x4 convolutions, all but the last two of which halve the image; at least 3.
        norm: spectral, which normalizes all kernels but that of the 1x1 convolution behind the attention, or none.
        init_type, init_gain: of the kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, input_channels]`, no side shorter than `smallest_attended_side`, to a list: logits
        `[B, h, w, 1]` of patches, and those of the two classifiers of the whole, `[B, 1, 1, 2]`.

    Raises:
        ValueError: for another norm, or fewer layers.
    """
    if norm not in ("spectral", "none"):
        raise ValueError(f"norm must be spectral or none. Received: norm={norm!r}")
    if num_layers < 3:
        raise ValueError(f"num_layers must be at least 3. Received: num_layers={num_layers}")
    conv_class = SpectralConv2D if norm == "spectral" else keras.layers.Conv2D
    kernel = functools.partial(make_initializer, init_type, init_gain)

    def conv(x: keras.KerasTensor, filters: int, index: int, **kwargs) -> keras.KerasTensor:
        x = ReflectionPad2D(name=f"pad_{index}")(x)
        return conv_class(filters, 4, kernel_initializer=kernel(), name=f"conv_{index}", **kwargs)(x)

    def activation(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.LeakyReLU(0.2, name=f"{name}_activation")(x)

    image = keras.Input((None, None, input_channels), name="image")
    x, last = image, num_layers - 1
    for index in range(last):
        strides = 2 if index < last - 1 else 1
        x = activation(conv(x, base_filters * 2**index, index, strides=strides), f"conv_{index}")
    spectral = {"spectral": norm == "spectral"}
    x, class_logits = ClassActivation(init_type=init_type, init_gain=init_gain, name="attention", **spectral)(x)
    width = base_filters * 2 ** (last - 1)
    x = keras.layers.Conv2D(width, 1, kernel_initializer=kernel(), name="attention_conv")(x)
    x = conv(activation(x, "attention"), 1, last, use_bias=False)
    logits = [("logits", x), ("class_logits", class_logits)]
    wide = keras.backend.floatx()
    outputs = [keras.layers.Activation("linear", dtype=wide, name=name)(tensor) for name, tensor in logits]
    return keras.Model(image, outputs, name=name)
