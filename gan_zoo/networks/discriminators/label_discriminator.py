"""The discriminator of StarGAN, which judges patches of an image, and says what label the whole of it has."""

import keras

from gan_zoo.layers.convolutions import HalvingConv2D, OneChannelConv2D
from gan_zoo.layers.initializers import pytorch_default


def label_discriminator(
    *,
    channels: int = 3,
    num_labels: int,
    image_size: int,
    num_layers: int = 6,
    base_filters: int = 64,
    name: str = "discriminator",
) -> keras.Model:
    """Builds strided 4x4 convolutions without a norm, of which two heads look at the last features.

    Choi et al. 2018 (arXiv 1711.09020, table 5) as the authors' code has it: LeakyReLU with a slope of 0.01; the heads
    are a 3x3 convolution for patches and one over all that is left for the label, both without a bias.

    Args:
        channels: of the image.
        num_labels: length of the label.
        image_size: side of the square images, at least `2**num_layers`.
        num_layers: strided convolutions.
        base_filters: channels of the first convolution; each layer doubles them.
        name: of the Keras model.

    Returns:
        A model from `[B, image_size, image_size, channels]` in [-1, 1] to two tensors: the logits of the patches
        `[B, h, w, 1]` with `h = w = image_size // 2**num_layers`, and those of the label `[B, num_labels]`.

    Raises:
        ValueError: for a smaller image.
    """
    if image_size < 2**num_layers:
        raise ValueError(f"image_size must be at least {2**num_layers}. Received: image_size={image_size}")
    image = keras.Input((image_size, image_size, channels), name="image")
    x = image
    for index in range(num_layers):
        filters = base_filters * 2**index
        # [B, image_size / 2^(index + 1), image_size / 2^(index + 1), filters]
        x = HalvingConv2D(filters, kernel_initializer=pytorch_default(), name=f"conv_{index}")(x)
        x = keras.layers.LeakyReLU(0.01, name=f"activation_{index}")(x)
    head = {"kernel_initializer": pytorch_default(), "use_bias": False}
    patches = OneChannelConv2D(3, border=1, name="patches", **head)(x)
    label = keras.layers.Conv2D(num_labels, x.shape[1], name="label", **head)(x)  # [B, 1, 1, num_labels]
    label = keras.layers.Reshape((num_labels,), name="label_flat")(label)
    wide = {"dtype": keras.backend.floatx()}
    outputs = [
        keras.layers.Activation("linear", name="patch_logits", **wide)(patches),
        keras.layers.Activation("linear", name="label_logits", **wide)(label),
    ]
    return keras.Model(image, outputs, name=name)
