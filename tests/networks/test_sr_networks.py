"""SRGAN's networks against arrays recorded from leftthomas/SRGAN, of 64 filters and 5 blocks, and by themselves.

The recordings' images are in [0, 1], and of a large output they hold every third pixel of every third row.
"""

import itertools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign
from drawn_weights import drawn_weights

from gan_zoo.authors_weights.names import BATCHES, torch_variables
from gan_zoo.layers.prelu import PReLU
from gan_zoo.networks.discriminators.sr_discriminator import sr_discriminator
from gan_zoo.networks.sr_resnet import reach, sr_resnet

PARITY = pathlib.Path(__file__).parents[1] / "parity"


def with_drawn_weights(network: keras.Model, arrays, prefix: str) -> keras.Model:
    """The network with the weights of a recording, which all find their place."""
    counts = {name: None for name in torch_variables(network) if name.endswith(BATCHES)}
    assign(network, drawn_weights(arrays, prefix) | counts)
    return network


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


@pytest.mark.parametrize(("name", "scale"), [("net_G_srgan_bn_eval", 4), ("net_G_srgan_bn_eval_x2", 2)])
def test_the_generator_is_the_recorded_one(name, scale) -> None:
    recorded = np.load(PARITY / f"{name}.npz")
    network = with_drawn_weights(sr_resnet(scale=scale, num_blocks=5), recorded, f"{name}.")
    image = 2.0 * recorded["input"].astype(np.float32) - 1.0
    output = (network(image, training=False).numpy()[:, ::3, ::3] + 1.0) / 2.0
    # float32, of sums of some thousand products.
    assert relative_error(output, recorded["output"]) < 1e-4


def test_the_discriminator_is_the_recorded_one() -> None:
    recorded = np.load(PARITY / "net_D_srgan_eval.npz")
    network = with_drawn_weights(sr_discriminator(image_size=96, head="pool"), recorded, "net_D_srgan_eval.")
    (logits,) = keras.tree.flatten(network(2.0 * recorded["input"].astype(np.float32) - 1.0, training=False))
    assert logits.shape == (2, 1, 1, 1)
    assert relative_error(tf.sigmoid(logits)[:, 0, 0, 0], recorded["output"]) < 1e-4


def parameters(network: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_papers_networks_have_as_many_weights_as_its_figure_says() -> None:
    generator, discriminator = sr_resnet(), sr_discriminator(image_size=96)
    conv, norm = 9 * 64 * 64 + 64, 2 * 64
    ends = 81 * 3 * 64 + 64 + 81 * 64 * 3 + 3
    blocks = 16 * (2 * conv + 2 * norm + 1)
    assert parameters(generator) == ends + 1 + blocks + conv + norm + 2 * (4 * conv + 1)
    widths = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    convolutions = sum(9 * a * b + b for a, b in itertools.pairwise(widths))
    norms = 2 * sum(widths[2:])
    assert parameters(discriminator) == convolutions + norms + 6 * 6 * 512 * 1024 + 1024 + 1024 + 1


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_the_image_grows_by_the_scale_and_looks_as_far_as_it_says(scale, norm) -> None:
    keras.utils.set_random_seed(0)
    network = sr_resnet(scale=scale, num_blocks=2, base_filters=4, norm=norm)
    assert any("norm" in layer.name for layer in network.layers) == (norm == "batch")
    for variable in network.trainable_variables:
        variable.assign(variable + tf.random.stateless_normal(variable.shape, [1, 2], stddev=0.05))
    side, far = 2 * reach(2, scale) + 3, reach(2, scale)
    images = np.random.default_rng(0).uniform(-1, 1, (2, side, side, 3)).astype(np.float32)
    # Two images that differ in one pixel: from the pixel `far` before it on, and no sooner, so do their outputs.
    images[1] = images[0]
    images[1, far + 1, far + 1] *= -1
    one, other = network(images, training=False).numpy()
    assert one.shape == (side * scale, side * scale, 3)
    rows = np.flatnonzero(np.abs(one - other).max((1, 2)))
    assert scale <= rows[0] < 2 * scale and rows[-1] < (side - 1) * scale


def test_the_kernels_of_subpixel_convolutions_start_without_a_checkerboard() -> None:
    network = sr_resnet(num_blocks=1, base_filters=4)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3))
    trunk = keras.Model(network.input, network.get_layer("subpixel_0").output)(image).numpy()
    blocks = trunk.reshape(1, 8, 2, 8, 2, 4)
    np.testing.assert_allclose(blocks, np.broadcast_to(blocks[:, :, :1, :, :1], blocks.shape), atol=1e-6)


def test_the_rectifier_has_one_slope() -> None:
    layer = PReLU(0.5)
    x = tf.constant([[-2.0, 3.0], [-1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y * [[1.0, 10.0], [100.0, 1000.0]])
    gradients = tape.gradient(total, [x, layer.slope.value])
    np.testing.assert_array_equal(y, [[-1.0, 3.0], [-0.5, 0.0]])
    np.testing.assert_array_equal(gradients[0], [[0.5, 10.0], [50.0, 500.0]])
    np.testing.assert_array_equal(gradients[1], [-2.0 - 100.0])
    assert layer.slope.shape == (1,) and PReLU.from_config(layer.get_config()).start == 0.5


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (sr_resnet, {"scale": 3}),
        (sr_resnet, {"norm": "instance"}),
        (sr_resnet, {"trunk_end": "relu"}),
        (sr_resnet, {"num_blocks": 0}),
        (sr_discriminator, {"image_size": 8}),
        (sr_discriminator, {"image_size": 32, "head": "conv"}),
    ],
)
def test_other_networks_are_refused(build, arguments) -> None:
    with pytest.raises(ValueError, match="must be"):
        build(**arguments)
