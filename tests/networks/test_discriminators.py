"""The discriminators: the authors' numbers, their patches, and what their options change."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.layers.normalization import DISCRIMINATOR_NORMS, SpectralConv2D
from gan_zoo.networks.discriminators.image_discriminator import image_discriminator
from gan_zoo.networks.discriminators.label_discriminator import label_discriminator
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.discriminators.pixel_discriminator import pixel_discriminator
from gan_zoo.networks.label_resnet import label_resnet

PARITY = pathlib.Path(__file__).parents[1] / "parity"


def convolutions(network: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def logits_of(network: keras.Model, image: tf.Tensor, training: bool = True) -> list[tf.Tensor]:
    return keras.tree.flatten(network(image, training=training))


@pytest.mark.parametrize(
    ("recording", "build"),
    [
        ("net_D_basic_batch", lambda: patch_discriminator(input_channels=6, base_filters=4, norm="batch")),
        (
            "net_D_n_layers5_instance",
            lambda: patch_discriminator(input_channels=6, base_filters=4, num_layers=5, norm="instance"),
        ),
        ("net_D_pixel_batch", lambda: pixel_discriminator(input_channels=6, base_filters=4, norm="batch")),
    ],
)
def test_recorded_logits_of_the_authors_code(recording, build) -> None:
    arrays = np.load(PARITY / f"{recording}.npz")
    network = build()
    assign(network, recorded_weights(arrays))
    image = tf.constant(arrays["input"].astype(np.float32))
    (logits,) = logits_of(network, image, training=bool(arrays["training"]))
    assert logits.shape == arrays["output"].shape
    # Recorded in float64 from weights that are exact in float32: what is left is float32's rounding.
    assert np.abs(logits - arrays["output"]).max() < 1e-4 * np.abs(arrays["output"]).max()


@pytest.mark.parametrize(
    ("arguments", "count"), [({"input_channels": 6, "norm": "batch"}, 2_768_705), ({"input_channels": 3}, 2_764_737)]
)
def test_as_many_weights_as_the_authors(arguments, count) -> None:
    network = patch_discriminator(**arguments)
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == count


@pytest.mark.parametrize(("num_layers", "width"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_each_logit_sees_a_patch(num_layers, width) -> None:
    network = patch_discriminator(input_channels=1, base_filters=1, num_layers=num_layers, norm="none")
    for layer in convolutions(network):
        layer.kernel.assign(tf.ones_like(layer.kernel) / layer.kernel.shape[-2])  # No path may cancel another.
    size = 384 if num_layers == 5 else 256
    image = tf.ones([1, size, size, 1])
    with tf.GradientTape() as tape:
        tape.watch(image)
        (logits,) = logits_of(network, image)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = tape.gradient(middle, image)[0, :, :, 0].numpy() != 0
    assert seen.sum() == width**2
    assert seen.any(axis=0).sum() == seen.any(axis=1).sum() == width


def test_five_convolutions_of_the_lab_colorization_papers_are_the_patch_of_three_layers() -> None:
    found = convolutions(patch_discriminator(input_channels=3, num_layers=3))
    assert [layer.filters for layer in found] == [64, 128, 256, 512, 1]
    assert all(layer.kernel_size == (4, 4) for layer in found)


@pytest.mark.parametrize("norm", DISCRIMINATOR_NORMS)
@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (lambda **kwargs: patch_discriminator(num_layers=2, num_scales=2, **kwargs), [(2, 6, 6, 1), (2, 2, 2, 1)]),
        (pixel_discriminator, [(2, 32, 32, 1)]),
        (lambda **kwargs: image_discriminator(image_size=32, **kwargs), [(2, 1, 1, 1)]),
    ],
    ids=["patch", "pixel", "image"],
)
def test_every_norm(build, shapes, norm) -> None:
    network = build(input_channels=3, base_filters=2, norm=norm)
    image = tf.random.stateless_normal([2, 32, 32, 3], (0, 1))
    with tf.GradientTape() as tape:
        logits = logits_of(network, image)
        loss = tf.add_n([tf.reduce_mean(tf.square(scale - 1.0)) for scale in logits])
    assert [tuple(scale.shape) for scale in logits] == shapes
    gradients = tape.gradient(loss, network.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert all(np.isfinite(scale).all() for scale in logits_of(network, image, training=False))
    spectral = [layer for layer in network.layers if isinstance(layer, SpectralConv2D)]
    assert spectral == (convolutions(network) if norm == "spectral" else [])
    names = [layer.name for layer in network.layers if "norm" in layer.name]
    assert bool(names) == (norm not in ("none", "spectral"))
    assert not any(name.endswith("norm_0") for name in names)


@pytest.mark.parametrize("norm", DISCRIMINATOR_NORMS)
def test_which_convolutions_have_a_bias(norm) -> None:
    between = norm in ("instance", "spectral")
    patch = patch_discriminator(input_channels=3, base_filters=1, norm=norm)
    assert [layer.use_bias for layer in convolutions(patch)] == [True, between, between, between, True]
    # The authors' PixelGAN leaves the bias of its last convolution to the norm too.
    pixel = pixel_discriminator(input_channels=3, base_filters=1, norm=norm)
    assert [layer.use_bias for layer in convolutions(pixel)] == [True, between, between]
    image = image_discriminator(input_channels=3, image_size=32, base_filters=1, norm=norm)
    assert [layer.use_bias for layer in convolutions(image)] == [True, between, between, True]


def test_a_pixel_is_judged_by_itself() -> None:
    network = pixel_discriminator(input_channels=3, base_filters=2, norm="none")
    image = np.random.default_rng(0).standard_normal((1, 4, 4, 3)).astype(np.float32)
    changed = image.copy()
    changed[0, 1, 2] += 1.0
    (before,), (after,) = logits_of(network, tf.constant(image)), logits_of(network, tf.constant(changed))
    np.testing.assert_array_equal(np.argwhere(before.numpy() != after.numpy()), [[0, 1, 2, 0]])


@pytest.mark.parametrize(("size", "convolution_count", "last"), [(8, 2, 4), (64, 5, 4), (96, 5, 6), (286, 7, 5)])
def test_the_whole_image_gives_one_logit(size, convolution_count, last) -> None:
    network = image_discriminator(input_channels=1, image_size=size, base_filters=1)
    found = convolutions(network)
    assert len(found) == convolution_count and found[-1].kernel_size == (last, last)
    assert keras.tree.flatten(network.output)[0].shape == (None, 1, 1, 1)


def test_the_whole_image_is_judged_by_strided_convolutions_and_a_slope_of_a_fifth() -> None:
    network = image_discriminator(input_channels=3, image_size=32, base_filters=4, norm="none", init_gain=0.3)
    image = tf.constant(np.random.default_rng(0).standard_normal((2, 32, 32, 3)), tf.float32)
    x = image
    for layer in convolutions(network)[:-1]:
        # One pixel of zeros around, as PyTorch's padding of 1; then x where it is positive, else a fifth of it.
        x = tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), layer.kernel, 2, "VALID")
        x = x + layer.bias if layer.use_bias else x
        x = tf.where(x > 0, x, x / 5)
    last = convolutions(network)[-1]
    expected = tf.einsum("bhwc,hwcd->bd", x, last.kernel)[:, None, None] + last.bias
    (logits,) = logits_of(network, image)
    # Sums of a few hundred products in another order; a slope of 0.3 would move them by a tenth.
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_an_image_without_anything_to_halve_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: image_size=7"):
        image_discriminator(input_channels=1, image_size=7)


def test_the_discriminator_of_labels_has_two_heads_and_room_for_them() -> None:
    network = label_discriminator(num_labels=5, image_size=20, num_layers=2, base_filters=2)
    patches, label = network(tf.zeros([2, 20, 20, 3]))
    assert patches.shape == (2, 5, 5, 1) and label.shape == (2, 5)
    with pytest.raises(ValueError, match="image_size must be at least 8"):
        label_discriminator(num_labels=5, image_size=7, num_layers=3)


def test_the_generator_of_labels_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="upsampling must be one of"):
        label_resnet(num_labels=2, upsampling="nearest")
    with pytest.raises(ValueError, match="num_blocks must not be negative"):
        label_resnet(num_labels=2, num_blocks=-1)
