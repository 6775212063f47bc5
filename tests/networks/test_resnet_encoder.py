"""ResNet-18 and ResNet-34 against PyTorch's features, recorded with weights that are drawn by a recipe.

The recording: ResNets with torchvision's layers and names, computed in float64. A weight is a standard normal draw
seeded by its name: a kernel is brought to He's variance, a batch norm's vectors are a tenth of the draw, around 1 or 0.
`input` is `[2, 64, 64, 3]`. Of resnet18's first three features every 8th, 4th and 2nd channel is kept. resnet34 had 8
filters instead of 64 and saw the part `[:1, :45, :39]`.
"""

import functools
import json
import math
import pathlib
import zlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.networks.classifiers import load_torchvision
from gan_zoo.networks.resnet_encoder import resnet_encoder

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "resnet18.npz")
FILTERS = {"resnet18": 64, "resnet34": 8}


@functools.cache
def drawn(architecture: str) -> dict[str, np.ndarray]:
    arrays = {}
    for name, shape in json.loads(str(RECORDED[f"{architecture}/shapes"])).items():
        normal = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        if name.endswith("running_var"):
            arrays[name] = 1 + np.float32(0.1) * abs(normal)
        elif name.endswith(("running_mean", "bias")):
            arrays[name] = np.float32(0.1) * normal
        elif len(shape) == 1:
            arrays[name] = 1 + np.float32(0.1) * normal
        else:
            arrays[name] = normal * np.float32(math.sqrt(2 / math.prod(shape[1:])))
    return arrays


def resnet(architecture: str) -> keras.Model:
    network = resnet_encoder(architecture, base_filters=FILTERS[architecture])
    load_torchvision(network, drawn(architecture))
    return network


def assert_recorded(features: list[tf.Tensor], key: str, error: float) -> None:
    for place, feature in enumerate(features):
        expected = RECORDED[f"{key}/{place}"]
        step = feature.shape[-1] // expected.shape[-1]
        assert np.abs(feature.numpy()[..., ::step] - expected).max() < error * np.abs(expected).max(), place


def test_resnet18_sees_what_pytorchs_does() -> None:
    network = resnet("resnet18")
    image = tf.constant(RECORDED["input"].astype(np.float32))
    # float32 against float64, seen: 1e-6 and, where the innermost batch statistics are of 8 pixels, 1e-5.
    assert_recorded(network(image), "resnet18/eval", 1e-5)
    assert_recorded(network(image, training=True), "resnet18/train", 1e-4)
    layers = {layer.name: layer for layer in network.layers}
    for key, variable in {
        "running_mean": layers["bn1"].moving_mean,
        "running_var": layers["layer4.1.bn2"].moving_variance,
    }.items():
        np.testing.assert_allclose(variable, RECORDED[f"resnet18/{key}"], rtol=1e-4, atol=1e-5)


def test_resnet34_sees_odd_sizes_as_pytorchs_does() -> None:
    features = resnet("resnet34")(tf.constant(RECORDED["input"][:1, :45, :39].astype(np.float32)))
    assert_recorded(features, "resnet34/eval", 1e-5)


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34"])
def test_names_and_shapes_are_torchvisions(architecture) -> None:
    """A state_dict with a tensor too few is refused, and none is left over but the classifier."""
    shapes = json.loads(str(RECORDED[f"{architecture}/shapes"]))
    network = resnet_encoder(architecture, base_filters=2)
    assert sum(len(layer.variables) for layer in network.layers) == len(shapes)
    with pytest.raises(UserError, match=rf"no weights of {architecture}: .* is missing.* and {len(shapes) - 4} more"):
        load_torchvision(network, {})
    wrong = {name: np.zeros(shape) for name, shape in shapes.items()}
    with pytest.raises(UserError, match=r"conv1\.weight has the shape .* instead of \[2, 3, 7, 7\]"):
        load_torchvision(network, wrong)


def test_any_size_is_halved_and_rounded_up() -> None:
    network = resnet_encoder("resnet18", input_channels=1, base_filters=2)
    features = network(tf.zeros([1, 33, 70, 1]))
    assert [tuple(feature.shape) for feature in features] == [
        (1, 17, 35, 2),
        (1, 9, 18, 2),
        (1, 5, 9, 4),
        (1, 3, 5, 8),
        (1, 2, 3, 16),
    ]
    with pytest.raises(ValueError, match="Received: architecture='resnet19'"):
        resnet_encoder("resnet19")
