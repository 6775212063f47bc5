"""Our layers against Keras' own, PyTorch's and tensorflow-addons' numbers, and closed forms in numpy."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.convolutions import FewPixelsConv2D, FewPixelsConv2DTranspose, OneChannelConv2D, StridedConv1x1
from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.normalization import InstanceNorm
from gan_zoo.layers.padding import ReflectionPad2D
from gan_zoo.layers.tiling import TileConcat
from gan_zoo.networks.discriminators.patch_discriminator import HalfSize
from gan_zoo.networks.latent_encoder import ConvMeanPool

ADDONS = pathlib.Path(__file__).parents[1] / "parity" / "tfa_instance_norm.npz"


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).standard_normal(shape), tf.float32)


def output_and_gradients(layer: keras.layers.Layer, image: tf.Tensor) -> list[np.ndarray]:
    """The output, and the gradients of a fixed weighting of it to the image and the weights."""
    layer.build(image.shape)
    for variable in layer.trainable_variables:
        variable.assign(noise(*variable.shape))
    with tf.GradientTape() as tape:
        tape.watch(image)
        output = layer(image)
        loss = tf.reduce_sum(output * noise(*output.shape))
    sources = [image, *(variable.value for variable in layer.trainable_variables)]
    return [array.numpy() for array in (output, *tape.gradient(loss, sources))]


class PaddedConv2D(keras.layers.Conv2D):
    """The plain form of `OneChannelConv2D(4, border=1)`."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return super().call(tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]]))


class ConvThenPool(keras.layers.Conv2D):
    """The plain form of `ConvMeanPool`."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return tf.nn.avg_pool2d(super().call(image), 2, 2, "VALID")


@pytest.mark.parametrize(
    ("ours", "plain", "shape"),
    [
        (FewPixelsConv2D(6), keras.layers.Conv2D(6, 4, strides=2, padding="same"), (2, 4, 6, 5)),
        (FewPixelsConv2D(6), keras.layers.Conv2D(6, 4, strides=2, padding="same"), (2, 2, 2, 5)),
        (FewPixelsConv2DTranspose(6), keras.layers.Conv2DTranspose(6, 4, strides=2, padding="same"), (2, 4, 3, 5)),
        (FewPixelsConv2DTranspose(6), keras.layers.Conv2DTranspose(6, 4, strides=2, padding="same"), (2, 1, 1, 5)),
        (OneChannelConv2D(4, border=1), PaddedConv2D(1, 4), (2, 7, 9, 5)),
        (
            FewPixelsConv2D(6, use_bias=False),
            keras.layers.Conv2D(6, 4, strides=2, padding="same", use_bias=False),
            (2, 2, 2, 5),
        ),
        (
            FewPixelsConv2DTranspose(6, use_bias=False),
            keras.layers.Conv2DTranspose(6, 4, strides=2, padding="same", use_bias=False),
            (2, 1, 1, 5),
        ),
        (OneChannelConv2D(4, border=1, use_bias=False), PaddedConv2D(1, 4, use_bias=False), (2, 4, 4, 5)),
        (ConvMeanPool(6), ConvThenPool(6, 3, padding="same"), (2, 8, 6, 5)),
        (ConvMeanPool(6), ConvThenPool(6, 3, padding="same"), (2, 7, 9, 5)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.layers.Layer) else str(value),
)
def test_a_faster_form_of_a_convolution_computes_the_same(ours, plain, shape) -> None:
    for mine, theirs in zip(
        output_and_gradients(ours, noise(*shape)), output_and_gradients(plain, noise(*shape)), strict=True
    ):
        # Sums of up to 80 products of size 1 in another order: float32 keeps them to about 1e-5.
        np.testing.assert_allclose(mine, theirs, atol=5e-5)


@pytest.mark.parametrize("shape", [(2, 16, 24, 12), (1, 33, 7, 16)])
def test_pixels_picked_before_a_1x1_convolution_are_to_the_bit_what_its_strides_pick(shape) -> None:
    # Of 12 channels at least: with fewer, TensorFlow's own may end the process.
    ours, plain = StridedConv1x1(24), keras.layers.Conv2D(24, 1, strides=2)
    assert ours.compute_output_shape(shape) == plain.compute_output_shape(shape)
    graph = tf.function(ours, input_signature=[tf.TensorSpec([None, None, None, shape[-1]])])
    for mine, theirs in zip(
        output_and_gradients(ours, noise(*shape)), output_and_gradients(plain, noise(*shape)), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(graph(noise(*shape)), plain(noise(*shape)))
    assert StridedConv1x1.from_config(ours.get_config()).get_config() == ours.get_config()


def test_instance_norm_of_tensorflow_addons_is_group_norm_with_one_group_a_channel() -> None:
    recorded = np.load(ADDONS)
    layer = keras.layers.GroupNormalization(groups=-1, epsilon=float(recorded["eps"]))
    layer.build(recorded["x"].shape)
    layer.gamma.assign(recorded["gamma"])
    layer.beta.assign(recorded["beta"])
    x = tf.constant(recorded["x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    gradients = tape.gradient(y, [x, layer.gamma.value, layer.beta.value], recorded["dy"])
    for name, ours in zip(("y", "gx", "ggamma", "gbeta"), (y, *gradients), strict=True):
        # Values up to 3 and sums over 512 pixels, in float32 on both sides.
        np.testing.assert_allclose(ours, recorded[name], rtol=1e-5, atol=2e-5, err_msg=name)


def test_our_instance_norm_is_theirs_without_scale_and_offset() -> None:
    recorded = np.load(ADDONS)
    normalized = InstanceNorm(epsilon=float(recorded["eps"]))(tf.constant(recorded["x"])).numpy()
    np.testing.assert_allclose(normalized * recorded["gamma"] + recorded["beta"], recorded["y"], atol=1e-5)


def test_instance_norm_keeps_its_statistics_in_float32() -> None:
    image = noise(1, 16, 16, 2) + 100.0  # In bfloat16 the variance of such an image would drown in its mean.
    layer = InstanceNorm(dtype=keras.dtype_policies.DTypePolicy("mixed_bfloat16"))
    normalized = layer(tf.cast(image, tf.bfloat16))
    assert normalized.dtype == tf.bfloat16
    assert float(tf.math.reduce_std(tf.cast(normalized, tf.float32))) == pytest.approx(1.0, abs=0.01)


def test_tile_concat_puts_the_vector_at_every_pixel() -> None:
    image, vector = noise(2, 3, 4, 5), noise(2, 6)
    joined = TileConcat()(image, vector).numpy()
    np.testing.assert_array_equal(joined[..., :5], image)
    np.testing.assert_array_equal(joined[..., 5:], np.broadcast_to(vector[:, None, None], (2, 3, 4, 6)))


def test_reflection_pad_mirrors_without_the_border() -> None:
    image = noise(1, 4, 5, 2)
    np.testing.assert_array_equal(
        ReflectionPad2D(2)(image), np.pad(image, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="reflect")
    )


def seeds(*values: int) -> tf.Tensor:
    return tf.constant(values, tf.int64)


def test_seeded_dropout_of_a_row_depends_on_its_seed_and_the_stream_alone() -> None:
    layer = SeededDropout(0.5, stream=3)
    image = tf.ones([3, 8, 8, 16])
    masks = layer(image, seeds(-5, 7, -5), training=True).numpy()
    np.testing.assert_array_equal(masks[0], masks[2])
    np.testing.assert_array_equal(layer(image[:1], seeds(7), training=True)[0], masks[1])
    other_stream = SeededDropout(0.5, stream=4)(image[:1], seeds(-5), training=True).numpy()
    for other in (masks[1], other_stream[0], masks[0][::-1], masks[0][:, ::-1], masks[0][:, :, ::-1]):
        # Of 1,024 pairs of independent masks a half agree, give or take 1.6 %.
        assert np.mean(other == masks[0]) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_seeded_dropout_keeps_the_mean(rate) -> None:
    dropped = SeededDropout(rate, stream=0)(tf.ones([4, 32, 32, 16]), seeds(0, 1, 2, 3), training=True).numpy()
    np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / (1 - rate)], rtol=1e-6)
    # The share of 65,536 draws is known to 0.2 %.
    assert np.mean(dropped == 0) == pytest.approx(rate, abs=0.008)
    assert dropped.mean() == pytest.approx(1.0, abs=0.016)


def test_seeded_dropout_out_of_training_is_for_whom_asks_for_it() -> None:
    image = noise(1, 4, 4, 8)
    np.testing.assert_array_equal(SeededDropout(0.5, stream=0)(image, seeds(1)), image)
    noisy = SeededDropout(0.5, stream=0, at_inference=True)
    np.testing.assert_array_equal(noisy(image, seeds(1)), noisy(image, seeds(1), training=True))
    assert (noisy(image, seeds(1)).numpy() == 0).any()


def test_seeded_dropout_of_any_batch_in_bfloat16() -> None:
    layer = SeededDropout(0.5, stream=0, dtype=keras.dtype_policies.DTypePolicy("mixed_bfloat16"))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 8], tf.bfloat16), tf.TensorSpec([None], tf.int64)])
    def drop(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return layer(image, seed, training=True)

    image = tf.ones([2, 4, 5, 8], tf.bfloat16)
    dropped = drop(image, seeds(1, 2))
    assert dropped.dtype == tf.bfloat16
    in_float32 = SeededDropout(0.5, stream=0)(tf.cast(image, tf.float32), seeds(1, 2), training=True)
    np.testing.assert_array_equal(tf.cast(dropped, tf.float32), in_float32)


@pytest.mark.parametrize("sides", [(8, 8), (7, 10)])
def test_half_size_averages_what_lies_inside(sides) -> None:
    image = noise(1, *sides, 2).numpy()
    halved = HalfSize()(image).numpy()
    for row, column in np.ndindex(halved.shape[1:3]):
        window = image[0, max(2 * row - 1, 0) : 2 * row + 2, max(2 * column - 1, 0) : 2 * column + 2]
        np.testing.assert_allclose(halved[0, row, column], window.mean((0, 1)), atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        InstanceNorm(1e-3),
        ReflectionPad2D(3),
        OneChannelConv2D(4, border=1),
        ConvMeanPool(4),
        FewPixelsConv2D(4),
        SeededDropout(0.3, stream=2, at_inference=True),
    ],
)
def test_config_round_trip(layer) -> None:
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("layer", "argument"),
    [
        (InstanceNorm, {"epsilon": 0.0}),
        (ReflectionPad2D, {"padding": 0}),
        (SeededDropout, {"rate": 1.0, "stream": 0}),
    ],
)
def test_wrong_arguments_are_named(layer, argument) -> None:
    with pytest.raises(ValueError, match="Received: "):
        layer(**argument)
