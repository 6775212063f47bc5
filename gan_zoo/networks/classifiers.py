"""The convolutional trunks of ImageNet classifiers, as far as LPIPS and perceptual losses listen to them.

Layers bear the names that torchvision gives to its modules (`features.3`), so that weights find their place by name.
All of them compute in float32, whatever the policy of the models that are measured. Weights are zeros until they are
loaded: a network without its weights finds no difference between any two images, instead of a plausible one.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.pretrained.torch_layout import to_keras_layout, torch_shape


def alexnet() -> keras.Model:
    """The trunk of torchvision's AlexNet: Krizhevsky 2014, "One weird trick", arXiv 1404.5997.

    Returns:
        A model from `[B, H, W, 3]`, H and W at least 31, to a list of five: what the five convolutions give, rectified,
        with 64, 192, 384, 256 and 256 channels, at 1/4, 1/8 and three times 1/16 of the size.
    """
    image = keras.Input((None, None, 3), name="image", dtype=keras.backend.floatx())
    x = keras.layers.ZeroPadding2D(2, name="padding", dtype=keras.backend.floatx())(image)
    taps = [_conv(x, 64, 11, "features.0", strides=4)]
    taps.append(_conv(_max_pool(taps[-1], 3, "features.2"), 192, 5, "features.3"))
    taps.append(_conv(_max_pool(taps[-1], 3, "features.5"), 384, 3, "features.6"))
    taps.append(_conv(taps[-1], 256, 3, "features.8"))
    taps.append(_conv(taps[-1], 256, 3, "features.10"))
    return keras.Model(image, taps, name="alexnet")


def vgg16() -> keras.Model:
    """The trunk of torchvision's VGG16 without batch norm: Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, D.

    Returns:
        A model from `[B, H, W, 3]`, H and W at least 16, to a list of five: what the last convolution before each
        pooling gives, rectified, with 64, 128, 256, 512 and 512 channels, at 1/1, 1/2, 1/4, 1/8 and 1/16 of the size.
    """
    return _vgg((2, 2, 3, 3, 3), "vgg16")


def vgg19(stages: int = 5) -> keras.Model:
    """The trunk of torchvision's VGG19 without batch norm: Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, E.

    Args:
        stages: how many of the five there are.

    Returns:
        As `vgg16`: a list of `stages`, of which the last is conv1_2, conv2_2, conv3_4, conv4_4 or conv5_4, rectified.
    """
    return _vgg((2, 2, 4, 4, 4)[:stages], "vgg19")


def _vgg(convs: Sequence[int], name: str) -> keras.Model:
    image = keras.Input((None, None, 3), name="image", dtype=keras.backend.floatx())
    x, place, taps = image, 0, []  # the place counts torchvision's modules: convolution, activation, ..., pooling
    for stage, (filters, num_convs) in enumerate(zip((64, 128, 256, 512, 512), convs, strict=False)):
        if stage:
            x = _max_pool(x, 2, f"features.{place}")
            place += 1
        for _ in range(num_convs):
            x = _conv(x, filters, 3, f"features.{place}")
            place += 2
        taps.append(x)
    return keras.Model(image, taps, name=name)


def squeezenet() -> keras.Model:
    """The trunk of torchvision's SqueezeNet 1.1: Iandola et al. 2016, arXiv 1602.07360.

    Returns:
        A model from `[B, H, W, 3]`, H and W at least 17, to a list of seven: what the first convolution, the last fire
        module before each further pooling and the last four give, with 64, 128, 256, 384, 384, 512 and 512 channels,
        at 1/2, 1/4, 1/8 and four times 1/16 of the size.
    """
    image = keras.Input((None, None, 3), name="image", dtype=keras.backend.floatx())
    taps = [_conv(image, 64, 3, "features.0", strides=2)]
    x = _fire(_ceil_pool(taps[-1], "features.2"), 16, 64, "features.3")
    taps.append(_fire(x, 16, 64, "features.4"))
    x = _fire(_ceil_pool(taps[-1], "features.5"), 32, 128, "features.6")
    taps.append(_fire(x, 32, 128, "features.7"))
    taps.append(_fire(_ceil_pool(taps[-1], "features.8"), 48, 192, "features.9"))
    taps.append(_fire(taps[-1], 48, 192, "features.10"))
    taps.append(_fire(taps[-1], 64, 256, "features.11"))
    taps.append(_fire(taps[-1], 64, 256, "features.12"))
    return keras.Model(image, taps, name="squeezenet")


def _conv(x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1) -> keras.KerasTensor:
    """A convolution, rectified; with strides only whole windows, else an output as large as the input."""
    shape = {"kernel_size": size, "strides": strides, "padding": "same" if strides == 1 else "valid"}
    fixed = {"activation": "relu", "kernel_initializer": "zeros", "dtype": keras.backend.floatx()}
    return keras.layers.Conv2D(filters, **shape, **fixed, name=name)(x)


def _max_pool(x: keras.KerasTensor, size: int, name: str) -> keras.KerasTensor:
    """Windows of `size` at every second pixel; what does not fill a window at the far border is left out."""
    return keras.layers.MaxPooling2D(size, 2, name=name, dtype=keras.backend.floatx())(x)


def _ceil_pool(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """PyTorch's `MaxPool2d(3, 2, ceil_mode=True)` of rectified values: windows may reach over the far border.

    Where the size is odd, no window reaches the row and the column that are added; zeros win over no rectified value.
    """
    padded = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}.padding", dtype=keras.backend.floatx())(x)
    return _max_pool(padded, 3, name)


def _fire(x: keras.KerasTensor, squeezed: int, expanded: int, name: str) -> keras.KerasTensor:
    """1x1 to few channels, then 1x1 and 3x3 side by side."""
    x = _conv(x, squeezed, 1, f"{name}.squeeze")
    both = [_conv(x, expanded, 1, f"{name}.expand1x1"), _conv(x, expanded, 3, f"{name}.expand3x3")]
    return keras.layers.Concatenate(name=name, dtype=keras.backend.floatx())(both)


def load_torchvision(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Loads weights by torchvision's names into a network whose layers bear them.

    Args:
        network: `alexnet()`, `vgg16()`, `vgg19()`, `squeezenet()` or a `resnet_encoder`.
        arrays: a state_dict in PyTorch's layout: `features.0.weight` `[out, in, h, w]`, `features.0.bias` `[out]` ...;
            what the trunk has not, such as `classifier.*`, is left out.

    Raises:
        UserError: that names what is missing or has another shape; nothing is loaded then.
    """
    variables = {}
    for layer in network.layers:
        if isinstance(layer, BatchNorm):
            variables |= {f"{layer.name}.weight": layer.gamma, f"{layer.name}.bias": layer.beta}
            variables[f"{layer.name}.running_mean"] = layer.moving_mean
            variables[f"{layer.name}.running_var"] = layer.moving_variance
        elif layer.variables:
            variables[f"{layer.name}.weight"] = layer.kernel
            if layer.use_bias:
                variables[f"{layer.name}.bias"] = layer.bias
    wrong = []
    for name, variable in variables.items():
        if name not in arrays:
            wrong.append(f"{name} is missing")
        elif arrays[name].shape != torch_shape(variable):
            wrong.append(f"{name} has the shape {list(arrays[name].shape)} instead of {list(torch_shape(variable))}")
    if wrong:
        more = [f"and {len(wrong) - 4} more"] if len(wrong) > 4 else []
        raise UserError(f"these are no weights of {network.name}: {', '.join(wrong[:4] + more)}")
    for name, variable in variables.items():
        variable.assign(to_keras_layout(arrays[name]))
