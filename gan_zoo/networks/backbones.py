"""ImageNet classifiers as encoders of grey images: features at each resolution, with or without trained weights.

The image is lightness, L / 50 - 1, in [-1, 1]; further channels, such as a user's hints, may follow it. L / 100 stands
for the grey value g that the classifiers know, which it is but for 0.034 at most. Each was trained on images that were
normalized in one of three ways (x and g are in [0, 1]):

| backbone | trained on | of grey here |
| --- | --- | --- |
| resnet18, resnet34, densenet121 | x - [0.485, 0.456, 0.406], over [0.229, 0.224, 0.225] | (g - 0.449) / 0.226 |
| resnet50, resnet101, vgg16, vgg19 | BGR, 255 x - [103.939, 116.779, 123.68] | 255 g - 114.799 |
| mobilenet_v2 | 2 x - 1 | 2 g - 1 |

One mean and one deviation for all three channels: with three, grey would have a tint. The mean is subtracted where the
image goes in. The deviation is in the weights: `load_imagenet` sums the first kernel over its three channels, which is
what a grey image thrice would meet, and divides it. So a network without trained weights starts with inputs around 1.

resnet18 and resnet34 are ours, with PyTorch's padding and batch norm; the others come from `keras.applications`, with
our batch norm in the place of theirs, which under several replicas would know only the images of its own.
"""

import dataclasses
import os
import warnings
from collections.abc import Callable, Mapping

import keras
import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.layers.convolutions import StridedConv1x1
from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.networks.classifiers import load_torchvision
from gan_zoo.networks.resnet_encoder import BLOCKS, resnet_encoder

MIN_SIZE = 32  # pixels: each backbone halves its image five times


@dataclasses.dataclass(frozen=True)
class _Backbone:
    """How one is built, and the grey values, in [0, 1], that it was trained on.

    Attributes:
        build: of `keras.applications`; None for ours.
        mean, deviation: what grey values are normalized by.
        end: the last layer in use; none: the one before the classifier.
    """

    build: Callable[..., keras.Model] | None = None
    mean: float = 0.449
    deviation: float = 0.226
    end: str | None = None


_CAFFE = {"mean": (103.939 + 116.779 + 123.68) / 765, "deviation": 1 / 255}
_BACKBONES = {
    "resnet18": _Backbone(),
    "resnet34": _Backbone(),
    "resnet50": _Backbone(keras.applications.ResNet50, **_CAFFE),
    "resnet101": _Backbone(keras.applications.ResNet101, **_CAFFE),
    # What follows its last bottleneck widens 320 channels to 1280 for the classifier's sake.
    "mobilenet_v2": _Backbone(keras.applications.MobileNetV2, 0.5, 0.5, end="block_16_project_BN"),
    "vgg16": _Backbone(keras.applications.VGG16, **_CAFFE),
    "vgg19": _Backbone(keras.applications.VGG19, **_CAFFE),
    "densenet121": _Backbone(keras.applications.DenseNet121),
}
BACKBONES = tuple(_BACKBONES)


def encoder(name: str, *, input_channels: int = 1, image_size: int = 256, base_filters: int = 64) -> keras.Model:
    """Builds a backbone with weights drawn at random.

    Args:
        name: one of `BACKBONES`.
        input_channels: lightness, and what may follow it.
        image_size: pixels, at which the network is asked how large its tensors are.
        base_filters: of the first convolution, resnet18 and resnet34 only; trained weights are for 64.

    Returns:
        A model from `[B, H, W, input_channels]` in [-1, 1] to a list of features, largest first: the last tensor of
        each size that occurs, so before each drop of resolution and at the end. In general they are five, at 1/2 to
        1/32 of the size; VGG begins with one of the full size. Sides that are no multiples of 32 are rounded, up or
        down, as the backbone has it.

    Raises:
        ValueError: for another name, or images of less than 32 pixels.
    """
    if name not in _BACKBONES:
        raise ValueError(f"name must be one of {', '.join(BACKBONES)}. Received: name={name!r}")
    if image_size < MIN_SIZE:
        raise ValueError(f"image_size must be at least {MIN_SIZE}. Received: image_size={image_size}")
    if name in BLOCKS:
        backbone = resnet_encoder(name, input_channels=input_channels, base_filters=base_filters)
    else:
        backbone = _application(name, input_channels)
    features = keras.Model(backbone.input, _last_of_each_size(backbone, image_size), name=name)
    image = keras.Input((None, None, input_channels), name="image")
    shift = [1 - 2 * _BACKBONES[name].mean] + [0.0] * (input_channels - 1)
    return keras.Model(image, features(keras.layers.Rescaling(1.0, shift, name="shift")(image)), name="encoder")


def _application(name: str, input_channels: int) -> keras.Model:
    backbone = _BACKBONES[name]
    with warnings.catch_warnings():
        # Further channels are meant.
        warnings.filterwarnings("ignore", "This model usually expects 1 or 3 input channels", UserWarning)
        whole = backbone.build(include_top=False, weights=None, input_shape=(None, None, input_channels))
    if backbone.end:
        whole = keras.Model(whole.input, whole.get_layer(backbone.end).output)
    # Without the keywords: they are masks, of which there are none.
    call = {"call_function": lambda layer, *inputs, **_: layer(*inputs)}
    return keras.models.clone_model(whole, clone_function=_with_our_layers, **call)


def _with_our_layers(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer like `layer`; a batch norm has the same variables in the same order, but the statistics of all replicas.

    Not Keras' own `synchronized`: it takes the variance from a sum of squares, in which a small one drowns. A strided
    1x1 convolution is the one that cannot end the process.
    """
    if isinstance(layer, keras.layers.BatchNormalization):
        return BatchNorm(layer.epsilon, 1.0 - layer.momentum, gamma_gain=0.0, name=layer.name)
    if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (1, 1) and layer.strides != (1, 1):
        return StridedConv1x1.from_config(layer.get_config())
    return type(layer).from_config(layer.get_config())


def _last_of_each_size(network: keras.Model, image_size: int) -> list[keras.KerasTensor]:
    """Asks for the shapes of all layers but the paddings, whose sizes are nobody's resolution."""
    ignored = (keras.layers.InputLayer, keras.layers.ZeroPadding2D)
    outputs = [layer.output for layer in network.layers if not isinstance(layer, ignored)]
    shape = (1, image_size, image_size, network.input_shape[-1])
    shapes = keras.Model(network.input, outputs).compute_output_shape(shape)
    last = {height: output for (_, height, _, _), output in zip(shapes, outputs, strict=True)}
    return [last[height] for height in sorted(last, reverse=True)]


def load_imagenet(network: keras.Model, weights: Mapping[str, np.ndarray] | str | os.PathLike[str]) -> None:
    """Loads trained weights into an encoder.

    Channels that follow the lightness start without influence: their part of the first kernel is zero.

    Args:
        network: of `encoder`.
        weights: for resnet18 and resnet34 torchvision's state_dict, in PyTorch's layout; for the others a file that
            `keras.applications` has, without the classifier (`..._notop.h5`).

    Raises:
        UserError: if the weights are not those of this backbone; nothing is loaded then.
    """
    backbone = network.layers[-1]
    of_torch = isinstance(weights, Mapping)
    if of_torch != (backbone.name in BLOCKS):
        wanted = "the file of keras.applications (..._notop.h5)" if of_torch else "torchvision's file (.pth)"
        raise UserError(f"the weights are of another kind than those of {backbone.name}: give {wanted}")
    if of_torch:
        arrays = dict(weights)
        if arrays.get("conv1.weight", np.zeros(0)).shape[1:2] == (3,):
            arrays["conv1.weight"] = _of_lightness(arrays["conv1.weight"], 1, backbone)
        load_torchvision(backbone, arrays)
        return
    trained = _BACKBONES[backbone.name].build(include_top=False, weights=None, input_shape=(None, None, 3))
    try:
        trained.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{os.fspath(weights)} has no weights of {backbone.name} without classifier: {reason}"
        ) from None
    first = next(layer for layer in backbone.layers if isinstance(layer, keras.layers.Conv2D))
    for layer in backbone.layers:
        values = trained.get_layer(layer.name).get_weights() if layer.weights else []
        if layer is first:
            values[0] = _of_lightness(values[0], 2, backbone)
        layer.set_weights(values)


def _of_lightness(kernel: np.ndarray, axis: int, backbone: keras.Model) -> np.ndarray:
    """The first kernel for lightness instead of normalized RGB, which lie along `axis`."""
    channels = backbone.input_shape[-1]
    half = 0.5 / _BACKBONES[backbone.name].deviation  # lightness in [-1, 1] spans twice as much as a grey value
    summed = kernel.sum(axis, keepdims=True, dtype=np.float64) * half
    return np.concatenate([summed, *[np.zeros_like(summed)] * (channels - 1)], axis).astype(kernel.dtype)
