"""The discriminator of SRGAN, which judges an image as a whole."""

import keras

from gan_zoo.layers.initializers import pytorch_default
from gan_zoo.layers.normalization import BatchNorm

HEADS = ("dense", "pool")
NUM_STRIDED = 4


def sr_discriminator(
    *,
    image_size: int,
    channels: int = 3,
    base_filters: int = 64,
    head: str = "dense",
    name: str = "discriminator",
) -> keras.Model:
    """Builds eight 3x3 convolutions, every second one with a stride of 2, and two dense layers.

    Ledig et al. 2017 (arXiv 1609.04802, figure 4): 64, 64, 128, 128, 256, 256, 512, 512 filters, batch norm behind all
    but the first, LeakyReLU 0.2, a dense layer of 1024. Its sigmoid is a matter of the loss here.

    Args:
        image_size: side of the square images, at least 16. With `pool` the network takes any other too.
        channels: of the image.
        base_filters: of the first convolution. The others, and the dense layer, go with it.
        head: `dense`, the paper's, sees each pixel of the last features by itself; `pool`, that of leftthomas/SRGAN,
            their mean over the image.
        name: of the Keras model.

    Returns:
        A model from `[B, H, W, channels]` in [-1, 1] to a list of one tensor of logits `[B, 1, 1, 1]`.

    Raises:
        ValueError: for a smaller image, or another head.
    """
    if head not in HEADS:
        raise ValueError(f"head must be one of {', '.join(HEADS)}. Received: head={head!r}")
    if image_size < 2**NUM_STRIDED:
        raise ValueError(f"image_size must be at least {2**NUM_STRIDED}. Received: image_size={image_size}")

    side = None if head == "pool" else image_size
    image = keras.Input((side, side, channels), name="image")
    x = keras.layers.Rescaling(0.5, 0.5, name="to_unit_range")(image)
    for index in range(2 * NUM_STRIDED):
        filters = base_filters * 2 ** (index // 2)
        if index % 2:
            # Keras would pad even sides below and to the right alone.
            x = keras.layers.ZeroPadding2D(1, name=f"conv_{index}_padding")(x)
        shape = {"strides": 2, "padding": "valid"} if index % 2 else {"padding": "same"}
        # [B, H / 2^((index + 1) // 2), W / 2^((index + 1) // 2), filters]
        x = keras.layers.Conv2D(filters, 3, kernel_initializer=pytorch_default(), name=f"conv_{index}", **shape)(x)
        if index:
            x = BatchNorm(gamma_gain=0.0, name=f"norm_{index}")(x)
        x = keras.layers.LeakyReLU(0.2, name=f"activation_{index}")(x)
    if head == "pool":
        x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    last = {"kernel_initializer": pytorch_default(), "name": "dense_0"}
    # All of the features in one window: what a dense layer computes, with a kernel that still shows where they lie.
    size = 1 if head == "pool" else x.shape[1]
    x = keras.layers.Conv2D(16 * base_filters, size, **last)(x)  # [B, 1, 1, 16 * base_filters]
    x = keras.layers.LeakyReLU(0.2, name="dense_0_activation")(x)
    x = keras.layers.Conv2D(1, 1, kernel_initializer=pytorch_default(), name="dense_1")(x)
    logits = keras.layers.Activation("linear", dtype=keras.backend.floatx(), name="logits")(x)
    return keras.Model(image, [logits], name=name)
