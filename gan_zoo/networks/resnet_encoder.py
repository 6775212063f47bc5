"""ResNet-18 and ResNet-34 as encoders: what they see at each resolution, as PyTorch computes it.

Layers bear the names that torchvision gives to its modules (`layer1.0.conv1`), so that weights find their place by name
(`gan_zoo.networks.classifiers.load_torchvision`). PyTorch's padding, which is the same on both sides, and its batch
norm's epsilon of 1e-5 make the features equal; Keras' own would shift them by a pixel at each halving.
"""

import keras

from gan_zoo.layers.convolutions import StridedConv1x1
from gan_zoo.layers.mirrored import HalfSizeConv2D
from gan_zoo.layers.normalization import BatchNorm

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


def resnet_encoder(architecture: str, *, input_channels: int = 3, base_filters: int = 64) -> keras.Model:
    """He et al. 2015 (arXiv 1512.03385, table 1, 18 and 34 layers) without the classifier.

    Args:
        architecture: resnet18 or resnet34; also the name of the Keras model.
        input_channels: of the images; ImageNet's weights are for 3.
        base_filters: of the first convolution, 64 in the paper; the stages have 1, 2, 4 and 8 times as many.

    Returns:
        A model from `[B, H, W, input_channels]` of any size to a list of five, largest first: the rectified first
        convolution at 1/2 of the size, and the four stages at 1/4, 1/8, 1/16 and 1/32, with 1, 1, 2, 4 and 8 times
        `base_filters` channels. Sizes are rounded up at each halving. ImageNet's weights expect RGB less the mean
        [0.485, 0.456, 0.406] over the deviation [0.229, 0.224, 0.225], where white is 1.
    """
    if architecture not in BLOCKS:
        raise ValueError(f"architecture must be one of {', '.join(BLOCKS)}. Received: architecture={architecture!r}")
    image = keras.Input((None, None, input_channels), name="image")
    x = keras.layers.ZeroPadding2D(3, name="conv1.padding")(image)
    x = _conv(x, base_filters, 7, 2, "conv1")
    x = keras.layers.ReLU(name="relu")(_norm(x, "bn1"))
    features = [x]
    # What is rectified is no less than the zeros around it, so that they change no maximum.
    x = keras.layers.ZeroPadding2D(1, name="maxpool.padding")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="maxpool")(x)
    for stage, num_blocks in enumerate(BLOCKS[architecture]):
        for block in range(num_blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            x = _block(x, base_filters * 2**stage, strides, f"layer{stage + 1}.{block}")
        features.append(x)
    return keras.Model(image, features, name=architecture)


def _block(x: keras.KerasTensor, filters: int, strides: int, name: str) -> keras.KerasTensor:
    """Two 3x3 convolutions, and the input added before the last activation."""
    y = _norm(_conv(x, filters, 3, strides, f"{name}.conv1"), f"{name}.bn1")
    y = keras.layers.ReLU(name=f"{name}.relu1")(y)
    y = _norm(_conv(y, filters, 3, 1, f"{name}.conv2"), f"{name}.bn2")
    if strides > 1:
        x = _norm(_conv(x, filters, 1, strides, f"{name}.downsample.0"), f"{name}.downsample.1")
    return keras.layers.ReLU(name=f"{name}.relu2")(keras.layers.Add(name=name)([x, y]))


def _conv(x: keras.KerasTensor, filters: int, size: int, strides: int, name: str) -> keras.KerasTensor:
    # As torchvision draws them: the variance of the gradients is kept, not that of the activations.
    kernel = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    kwargs = {"use_bias": False, "kernel_initializer": kernel, "name": name}
    if strides == 2 and size in (1, 3):
        return (StridedConv1x1 if size == 1 else HalfSizeConv2D)(filters, **kwargs)(x)
    padding = "same" if strides == 1 else "valid"
    return keras.layers.Conv2D(filters, size, strides=strides, padding=padding, **kwargs)(x)


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return BatchNorm(gamma_gain=0.0, name=name)(x)
