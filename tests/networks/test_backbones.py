"""Backbones as encoders: where their resolutions end, what grey images mean to them, and their weights from files."""

import functools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from narrow_backbones import narrow_state, tiny_classifier

from gan_zoo.errors import UserError
from gan_zoo.layers.convolutions import StridedConv1x1
from gan_zoo.networks import backbones
from gan_zoo.networks.backbones import BACKBONES, encoder, load_imagenet
from gan_zoo.networks.classifiers import load_torchvision
from gan_zoo.networks.resnet_encoder import resnet_encoder


def lightness(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


@functools.cache
def whole(name: str) -> keras.Model:
    return resnet_encoder(name, base_filters=2) if name == "resnet18" else backbones._application(name, 1)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("resnet18", ["relu", "layer1.1.relu2", "layer2.1.relu2", "layer3.1.relu2", "layer4.1.relu2"]),
        (
            "mobilenet_v2",
            [*(f"block_{place}_expand_relu" for place in (1, 3, 6, 13)), "block_16_project_BN"],
        ),
        (
            "vgg16",
            ["block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3", "block5_pool"],
        ),
    ],
)
@pytest.mark.parametrize("image_size", [32, 70, 256])
def test_the_last_tensor_of_each_size_is_found(name, layers, image_size) -> None:
    """Also where zeros are padded or sizes are odd."""
    found = backbones._last_of_each_size(whole(name), image_size)
    assert [tensor._keras_history.operation.name for tensor in found] == layers


@pytest.mark.parametrize(
    ("name", "preprocess"),
    [
        ("resnet50", keras.applications.resnet.preprocess_input),
        ("vgg16", keras.applications.vgg16.preprocess_input),
        ("mobilenet_v2", keras.applications.mobilenet_v2.preprocess_input),
        ("densenet121", keras.applications.densenet.preprocess_input),
    ],
)
def test_grey_is_normalized_as_keras_does_but_without_a_tint(name, preprocess) -> None:
    grey = np.linspace(0, 255, 11, dtype=np.float32)
    expected = preprocess(np.tile(grey[:, np.newaxis], 3)[np.newaxis].copy())[0]  # [11, 3]
    backbone = backbones._BACKBONES[name]
    ours = (grey / 255 - backbone.mean) / backbone.deviation
    # Of a mean of quotients and a quotient of means the two differ by 0.02 deviations.
    atol = 0.02 if name == "densenet121" else 1e-4
    np.testing.assert_allclose(ours, expected.mean(-1), atol=atol)


def test_no_convolution_of_a_backbone_is_1x1_with_strides_but_ours() -> None:
    convolutions = [layer for layer in whole("resnet50").layers if isinstance(layer, keras.layers.Conv2D)]
    strided = [layer for layer in convolutions if layer.kernel_size == (1, 1) and layer.strides != (1, 1)]
    # Three of the four stages begin with two of them.
    assert len(strided) == 6 and all(isinstance(layer, StridedConv1x1) for layer in strided)


def test_resnet18_sees_grey_images_as_the_three_channel_network_does() -> None:
    image = lightness(2, 40, 33, 1)
    original = resnet_encoder("resnet18", base_filters=4)
    load_torchvision(original, narrow_state())
    grey = (image + 1) / 2
    expected = original(np.tile((grey - 0.449) / 0.226, 3))
    for channels in (1, 4):
        network = encoder("resnet18", input_channels=channels, image_size=40, base_filters=4)
        load_imagenet(network, narrow_state())
        hints = np.random.default_rng(1).normal(size=(2, 40, 33, channels - 1))
        for feature, other in zip(network(np.concatenate([image, hints], -1)), expected, strict=True):
            # float32, through 17 convolutions.
            assert np.abs(feature - other).max() < 1e-5 * np.abs(other).max()


def test_weights_of_keras_come_from_a_file(tmp_path, monkeypatch) -> None:
    tiny = backbones._Backbone(tiny_classifier, mean=0.4, deviation=1 / 255, end="second")
    monkeypatch.setitem(backbones._BACKBONES, "tiny", tiny)
    original = tiny_classifier(False, None, (None, None, 3))
    original.get_layer("norm").set_weights([np.full(4, value) for value in (0.5, 0.1, 3.0, 7.0)])
    file = tmp_path / "notop.weights.h5"
    original.save_weights(file)
    network = encoder("tiny", input_channels=2, image_size=32)
    load_imagenet(network, file)
    image = lightness(2, 32, 20, 2)
    normalized = 255 * ((image[..., :1] + 1) / 2 - 0.4)
    expected = keras.Model(original.input, original.get_layer("second").output)(np.tile(normalized, 3))
    half, quarter = network(image)
    assert half.shape == (2, 16, 10, 4)
    assert np.abs(quarter - expected).max() < 1e-5 * np.abs(expected).max()
    for wrong in (tmp_path / "missing.weights.h5", pathlib.Path(__file__)):
        with pytest.raises(UserError, match=f"{wrong.name} has no weights of tiny without classifier"):
            load_imagenet(network, wrong)
    np.testing.assert_array_equal(network(image)[1], quarter)


def test_other_weights_and_names_are_refused() -> None:
    network = encoder("resnet18", image_size=32, base_filters=4)
    before = [variable.numpy() for variable in network.variables]
    for wrong in ({}, {**narrow_state(), "conv1.weight": np.zeros([4, 3, 3, 3], np.float32)}):
        with pytest.raises(UserError, match=r"these are no weights of resnet18: conv1\.weight"):
            load_imagenet(network, wrong)
    with pytest.raises(UserError, match=r"another kind than those of resnet18: give torchvision's file"):
        load_imagenet(network, "resnet18_notop.h5")
    with pytest.raises(UserError, match=r"another kind than those of vgg16: give the file of keras\.applications"):
        load_imagenet(encoder("vgg16", image_size=32), narrow_state())
    for variable, value in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    with pytest.raises(ValueError, match="Received: name='alexnet'"):
        encoder("alexnet")
    with pytest.raises(ValueError, match="Received: image_size=31"):
        encoder("resnet18", image_size=31)
    assert set(BACKBONES) >= {"resnet18", "resnet34", "resnet50", "mobilenet_v2", "vgg16"}


def test_without_weights_the_input_is_around_one() -> None:
    """The deviation belongs to trained kernels: VGG's would make it 127."""
    network = encoder("resnet18", image_size=32, base_filters=4)
    shifted = network.get_layer("shift")(tf.constant([[[[-1.0], [1.0]]]]))
    np.testing.assert_allclose(tf.squeeze(shifted), [-0.898, 1.102], atol=1e-6)


def test_further_channels_bring_no_warning(recwarn) -> None:
    """A user's hints go into networks that expect one or three channels."""
    assert backbones._application("vgg16", 4).input_shape[-1] == 4
    assert not [warning.message for warning in recwarn]
