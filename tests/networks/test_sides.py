"""How many logits, and how large the encoders' features are: as PyTorch counts them, for odd sides too."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.convolutions import Halving, HalvingConv2D
from gan_zoo.layers.normalization import SpectralConv2D
from gan_zoo.networks.backbones import encoder
from gan_zoo.networks.discriminators.image_discriminator import image_discriminator
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator, smallest_side
from gan_zoo.networks.discriminators.pixel_discriminator import pixel_discriminator
from gan_zoo.networks.latent_encoder import plain_encoder, resnet_encoder

SIDES = (100, 250, 340)


def side(length: int, *layers: tuple[int, int, int]) -> int:
    """What PyTorch's convolutions or poolings (kernel, stride, padding), one behind the other, leave of a side."""
    for kernel, stride, padding in layers:
        length = math.floor((length + 2 * padding - kernel) / stride) + 1
    return length


def patch_sides(length: int, num_layers: int, num_scales: int) -> list[int]:
    convolutions = [(4, 2, 1)] * num_layers + [(4, 1, 1)] * 2
    return [side(length, *[(3, 2, 1)] * scale, *convolutions) for scale in range(num_scales)]


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def outputs(network: keras.Model, height: int, width: int) -> list[tf.Tensor]:
    return keras.tree.flatten(network(noise(1, height, width, network.inputs[0].shape[-1])))


def test_the_authors_logits() -> None:
    assert [patch_sides(length, 3, 1) for length in SIDES] == [[10], [29], [40]]


@pytest.mark.parametrize(
    ("num_layers", "norm"), [(1, "none"), (2, "none"), (3, "none"), (4, "none"), (5, "none"), (3, "spectral")]
)
def test_patch_logits(num_layers, norm) -> None:
    network = patch_discriminator(input_channels=1, base_filters=1, num_layers=num_layers, num_scales=2, norm=norm)
    for height, width in zip(SIDES, (340, 131, 250), strict=True):
        if min(height, width) < smallest_side(num_layers, 2):
            continue
        expected = list(zip(*(patch_sides(length, num_layers, 2) for length in (height, width)), strict=True))
        assert [scale.shape[1:3] for scale in outputs(network, height, width)] == expected
        shapes = network.compute_output_shape((1, height, width, 1))
        assert [shape[1:3] for shape in shapes] == expected


@pytest.mark.parametrize(("num_layers", "num_scales"), [(3, 1), (1, 4), (5, 1)])
@pytest.mark.parametrize("antialias", [False, True])
def test_the_smallest_side_leaves_one_logit(num_layers, num_scales, antialias) -> None:
    smallest = smallest_side(num_layers, num_scales)
    assert patch_sides(smallest, num_layers, num_scales)[-1] == 1
    assert patch_sides(smallest - 1, num_layers, num_scales)[-1] == 0
    network = patch_discriminator(
        input_channels=1, base_filters=1, num_layers=num_layers, num_scales=num_scales, antialias=antialias
    )
    assert outputs(network, smallest, smallest)[-1].shape == (1, 1, 1, 1)


@pytest.mark.parametrize("length", SIDES)
def test_logits_of_pixels_and_of_the_whole(length) -> None:
    (logits,) = outputs(pixel_discriminator(input_channels=1, base_filters=1), length, 33)
    assert logits.shape[1:3] == (side(length, *[(1, 1, 0)] * 3), 33)
    (logits,) = outputs(image_discriminator(input_channels=1, image_size=length, base_filters=1), length, length)
    assert logits.shape[1:3] == (1, 1)


@pytest.mark.parametrize("length", SIDES)
def test_features_of_the_encoders(length) -> None:
    half, block = (4, 2, 1), [(3, 1, 1), (3, 1, 1), (2, 2, 0)]
    shared = {"input_channels": 1, "latent_dim": 2, "base_filters": 1}
    for network, layers in [
        (plain_encoder(num_layers=4, **shared), [half] * 4),
        (resnet_encoder(num_blocks=3, **shared), [half, *block * 3]),
    ]:
        features = keras.Model(network.inputs, network.get_layer("pool").input)
        (seen,) = outputs(features, length, 131)
        assert seen.shape[1:3] == (side(length, *layers), side(131, *layers))
        assert features.compute_output_shape((1, length, 131, 1)) == seen.shape
    stem, pool, stage = (7, 2, 3), (3, 2, 1), (3, 2, 1)
    backbone = encoder("resnet18", image_size=64, base_filters=1)
    for count, seen in enumerate(outputs(backbone, length, 131)):
        layers = [stem, pool, stage, stage, stage][: count + 1]
        assert seen.shape[1:3] == (side(length, *layers), side(131, *layers))


def with_keras_padding(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer like `layer`, but one that halves with Keras' padding alone."""
    if not isinstance(layer, Halving):
        return type(layer).from_config(layer.get_config())
    plain = SpectralConv2D if isinstance(layer, SpectralConv2D) else keras.layers.Conv2D
    return plain.from_config(layer.get_config())


@pytest.mark.parametrize(
    "build",
    [
        lambda: patch_discriminator(input_channels=2, base_filters=3, num_scales=2),
        lambda: patch_discriminator(input_channels=2, base_filters=3, norm="spectral"),
        lambda: plain_encoder(input_channels=2, latent_dim=3, num_layers=3, base_filters=3),
        lambda: resnet_encoder(input_channels=2, latent_dim=3, num_blocks=2, base_filters=3),
    ],
    ids=["patch", "spectral", "plain", "resnet"],
)
def test_even_sides_are_to_the_bit_what_keras_padding_makes_of_them(build) -> None:
    network = build()
    assert any(isinstance(layer, Halving) for layer in network.layers)
    keras_network = keras.models.clone_model(network, clone_function=with_keras_padding)
    assert not any(isinstance(layer, Halving) for layer in keras_network.layers)
    names = [(variable.path, variable.shape) for variable in network.variables]
    assert names == [(variable.path, variable.shape) for variable in keras_network.variables]
    weights = [np.random.default_rng(0).normal(size=array.shape) for array in network.get_weights()]
    image, results = noise(2, 64, 96, 2), []
    for either in (network, keras_network):
        either.set_weights(weights)

        @tf.function
        def learn(network: keras.Model) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(image)
                outputs = keras.tree.flatten(network(image, training=True))
                loss = tf.add_n([tf.reduce_sum(tf.square(output - 0.3)) for output in outputs])
            return [*outputs, *tape.gradient(loss, [image, *(weight.value for weight in network.trainable_variables)])]

        results.append(learn(either))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_at_an_odd_side_the_window_over_two_zeros_is_left_out() -> None:
    image = noise(1, 9, 12, 2)
    ours, keras_layer = HalvingConv2D(3), keras.layers.Conv2D(3, 4, strides=2, padding="same")
    for layer in (ours, keras_layer):
        layer.build(image.shape)
    keras_layer.set_weights(ours.get_weights())
    graph = tf.function(ours, input_signature=[tf.TensorSpec([None, None, None, 2])])
    assert ours(image).shape == graph(image).shape == ours.compute_output_shape(image.shape) == (1, 4, 6, 3)
    np.testing.assert_array_equal(ours(image), keras_layer(image)[:, :4])
    np.testing.assert_array_equal(graph(image), ours(image))
    copy = HalvingConv2D.from_config(ours.get_config())
    assert copy.get_config() == ours.get_config()
