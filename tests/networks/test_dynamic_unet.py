"""The U-Net around any backbone: its size, every size of image, and that all of it learns."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.upsampling import PairBlur, SubPixelConv2D
from gan_zoo.networks.dynamic_unet import CropOrExtend, dynamic_unet


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def test_as_many_weights_as_the_original() -> None:
    """Counted at an eighth of the width, part by part; the widths are read off the layers."""
    network = dynamic_unet(input_channels=1, output_channels=2, base_filters=8)

    def conv(inputs: int, outputs: int, side: int) -> int:
        return side * side * inputs * outputs + outputs

    def count(filters: int) -> int:
        """fastai's network around a ResNet-18 of so many filters, from 1 channel to 2; a bias with each convolution."""
        deep = 8 * filters
        stages = [filters, filters, 2 * filters, 4 * filters, deep]
        total = 49 * filters + 2 * filters  # the first convolution and its norm
        for inputs, outputs in itertools.pairwise(stages):
            convs = 9 * inputs * outputs + 3 * 9 * outputs**2 + 4 * 2 * outputs
            total += convs + (inputs * outputs + 2 * outputs if inputs != outputs else 0)
        total += 2 * deep + conv(deep, 2 * deep, 3) + conv(2 * deep, deep, 3)
        x = deep
        for level in (3, 2, 1, 0):
            skip = stages[level]
            joined = x // 2 + skip
            filters_here = joined if level else joined // 2
            total += conv(x, 4 * (x // 2), 1) + 2 * skip
            total += conv(joined, filters_here, 3) + conv(filters_here, filters_here, 3)
            x = filters_here
        total += conv(x, 4 * x, 1) + 2 * conv(x + 1, x + 1, 3) + conv(x + 1, 2, 1)
        return total

    assert count(64) == 31_099_672
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == count(8)


@pytest.mark.parametrize(
    ("backbone", "size", "channels", "blur"),
    [
        ("resnet18", (48, 37), 4, True),
        ("mobilenet_v2", (40, 64), 1, False),
        ("vgg16", (35, 64), 1, False),
    ],
)
def test_every_weight_learns_at_any_size(backbone, size, channels, blur) -> None:
    keras.utils.set_random_seed(0)
    network = dynamic_unet(
        input_channels=channels,
        output_channels=2,
        backbone=backbone,
        image_size=64,
        base_filters=4,
        blur=blur,
    )
    image, weighting = noise(2, *size, channels), noise(2, *size, 2)
    with tf.GradientTape() as tape:
        output = network(image, training=True)
        loss = tf.reduce_sum(output * weighting)
    assert output.shape == (2, *size, 2) and 0.001 < np.abs(output).max() < 0.999
    assert sum(isinstance(layer, PairBlur) for layer in network.layers) == (5 if blur else 0)
    gradients = tape.gradient(loss, network.trainable_weights)
    for variable, gradient in zip(network.trainable_weights, gradients, strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, variable.path


def test_a_graph_takes_images_of_every_size() -> None:
    network = dynamic_unet(input_channels=1, output_channels=2, image_size=64, base_filters=2)
    graph = tf.function(network, input_signature=[tf.TensorSpec([None, None, None, 1])])
    for size in ((64, 64), (33, 50)):
        image = noise(1, *size, 1)
        np.testing.assert_allclose(graph(image), network(image), atol=1e-5)
    assert network.output.shape == (None, None, None, 2)


def test_it_starts_without_a_checkerboard() -> None:
    """Each upsampling repeats its pixels twice, whatever it sees."""
    network = dynamic_unet(input_channels=1, output_channels=2, image_size=32, base_filters=2)
    shuffles = [layer for layer in network.layers if isinstance(layer, SubPixelConv2D)]
    assert len(shuffles) == 5
    for layer in shuffles:
        image = layer(noise(1, 3, 4, layer.kernel.shape[2])).numpy()
        np.testing.assert_array_equal(image, image[:, ::2, ::2].repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize("other", [(4, 6), (5, 6), (3, 7), (5, 5), (4, 7)])
def test_sizes_are_met_at_the_far_border(other) -> None:
    image = noise(2, 4, 6, 3)
    rows, columns = (np.minimum(np.arange(size), have - 1) for size, have in zip(other, (4, 6), strict=True))
    expected = image.numpy()[:, rows][:, :, columns]
    np.testing.assert_array_equal(CropOrExtend()(image, tf.zeros([2, *other, 1])), expected)
    dynamic = tf.function(CropOrExtend(), input_signature=[tf.TensorSpec([None] * 4)] * 2)
    np.testing.assert_array_equal(dynamic(image, tf.zeros([2, *other, 1])), expected)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="Received: name='alexnet'"):
        dynamic_unet(input_channels=1, output_channels=2, backbone="alexnet")
