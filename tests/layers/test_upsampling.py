"""The fast forms of upsampling give what the usual layers do, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.initializers import ICNR, make_initializer
from gan_zoo.layers.upsampling import BilinearUpsampling, FewChannelsConv2DTranspose, PairBlur, SubPixelConv2D


def pair(use_bias: bool = True, dtype: str = "float64") -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Ours and Keras' layer with the same weights."""
    ours = FewChannelsConv2DTranspose(3, use_bias=use_bias, dtype=dtype)
    keras_layer = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=use_bias, dtype=dtype)
    for layer in (ours, keras_layer):
        layer.build((None, None, None, 5))
    random = np.random.default_rng(0)
    for own, other in zip(ours.weights, keras_layer.weights, strict=True):
        value = random.normal(size=own.shape)
        own.assign(value)
        other.assign(value)
    return ours, keras_layer


@pytest.mark.parametrize("use_bias", [True, False])
def test_it_equals_the_transposed_convolution_and_its_gradients(use_bias) -> None:
    random = np.random.default_rng(1)
    image, upstream = (tf.constant(random.normal(size=shape)) for shape in [(2, 4, 6, 5), (2, 8, 12, 3)])
    results = []
    for layer in pair(use_bias):
        with tf.GradientTape() as tape:
            tape.watch(image)
            result = layer(image)
        weights = [weight.value for weight in layer.weights]
        results.append([result, *tape.gradient(result, [image, *weights], upstream)])
    for ours, expected in zip(*results, strict=True):
        assert ours.shape == expected.shape
        # float64: sums of at most 2 * 48 products of numbers around 1.
        np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_it_can_be_differentiated_twice() -> None:
    image = tf.constant(np.random.default_rng(1).normal(size=(1, 4, 4, 5)))
    results = []
    for layer in pair():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(image)
                total = tf.reduce_sum(layer(image) ** 3)
            penalty = tf.reduce_sum(inner.gradient(total, image) ** 2)
        results.append(outer.gradient(penalty, layer.kernel.value))
    np.testing.assert_allclose(*results, rtol=1e-9)


def test_in_a_model_without_fixed_size() -> None:
    ours, _ = pair(dtype="mixed_bfloat16")
    image = keras.Input((None, None, 5))
    model = keras.Model(image, ours(image))
    assert model.output.shape == (None, None, None, 3)
    assert ours(keras.Input((8, 6, 5))).shape == (None, 16, 12, 3)
    assert model(tf.zeros([1, 3, 7, 5])).shape == (1, 6, 14, 3)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec([1, 8, 8, 5])).structured_outputs
    assert graph.shape == (1, 16, 16, 3) and graph.dtype == tf.bfloat16
    copy = FewChannelsConv2DTranspose.from_config(ours.get_config())
    assert (copy.filters, copy.kernel_size, copy.strides, copy.padding) == (3, (4, 4), (2, 2), "same")


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(2, 5, 8, 3), (1, 1, 2, 4)])
def test_bilinear_upsampling_is_keras_to_the_bit_and_takes_unknown_sizes(shape, dtype) -> None:
    random = np.random.default_rng(0)
    ours = BilinearUpsampling(dtype=dtype)
    theirs = keras.layers.UpSampling2D(2, interpolation="bilinear", dtype=dtype)
    image = tf.constant(random.normal(size=shape), ours.compute_dtype)
    batch, height, width, channels = shape
    upstream = tf.constant(random.normal(size=(batch, 2 * height, 2 * width, channels)), ours.compute_dtype)

    def value_and_gradient(layer) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            result = layer(image)
        return [np.array(tf.cast(array, tf.float64)) for array in (result, tape.gradient(result, image, upstream))]

    graph = tf.function(ours, input_signature=[tf.TensorSpec([None, None, None, channels], image.dtype)])
    expected = value_and_gradient(theirs)
    for layer in (ours, graph):
        for own, other in zip(value_and_gradient(layer), expected, strict=True):
            np.testing.assert_array_equal(own, other)
    assert ours(keras.Input((None, 8, 3))).shape == (None, None, 16, 3)
    assert BilinearUpsampling.from_config(ours.get_config()).get_config() == ours.get_config()


def test_bilinear_upsampling_weighs_neighbours_three_to_one() -> None:
    """PyTorch's `Upsample(scale_factor=2, mode="bilinear")` of 0, 4."""
    row = BilinearUpsampling()(tf.constant([[[[0.0], [4.0]]]]))
    np.testing.assert_array_equal(row[0, :, :, 0], [[0.0, 1.0, 3.0, 4.0]] * 2)


def shuffled(image: np.ndarray, factor: int) -> np.ndarray:
    """PyTorch's `PixelShuffle`, for `[B, H, W, C * factor**2]`."""
    batch, height, width, channels = image.shape
    parts = image.reshape(batch, height, width, channels // factor**2, factor, factor)
    return parts.transpose(0, 1, 4, 2, 5, 3).reshape(batch, factor * height, factor * width, -1)


def test_pytorchs_example_of_the_order() -> None:
    # torch.nn.PixelShuffle(2) of torch.arange(8).reshape(1, 8, 1, 1)
    expected = [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    np.testing.assert_array_equal(shuffled(np.arange(8).reshape(1, 1, 1, 8), 2)[0].transpose(2, 0, 1), expected)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_channels_become_pixels_in_pytorchs_order(factor) -> None:
    image = np.random.default_rng(0).normal(size=(2, 3, 5, 2 * factor**2)).astype(np.float32)
    layer = SubPixelConv2D(2, factor=factor, bias_initializer=make_initializer("normal", 1.0))
    layer.build(image.shape)
    layer.kernel.assign(np.eye(2 * factor**2)[np.newaxis, np.newaxis])
    assert layer.compute_output_shape(image.shape) == (2, 3 * factor, 5 * factor, 2)
    np.testing.assert_array_equal(layer(image), shuffled(image + layer.bias.numpy(), factor))


def test_it_is_a_convolution_before_the_shuffle_and_learns_like_one() -> None:
    random = np.random.default_rng(0)
    image, upstream = random.normal(size=(2, 4, 5, 3)), random.normal(size=(2, 8, 10, 6))
    ours = SubPixelConv2D(6, 3, dtype="float64")
    plain = keras.layers.Conv2D(24, 3, padding="same", dtype="float64")
    plain.build(image.shape)
    ours.build(image.shape)
    ours.set_weights([random.normal(size=weight.shape) for weight in ours.weights])
    plain.set_weights(ours.get_weights())
    with tf.GradientTape() as tape:
        result = ours(image)
    np.testing.assert_allclose(result, shuffled(plain(image).numpy(), 2), atol=1e-12)
    gradients = tape.gradient(result, [weight.value for weight in ours.weights], upstream)
    unshuffled = upstream.reshape(2, 4, 2, 5, 2, 6).transpose(0, 1, 3, 5, 2, 4).reshape(2, 4, 5, 24)
    with tf.GradientTape() as tape:
        result = plain(image)
    expected = tape.gradient(result, [weight.value for weight in plain.weights], unshuffled)
    for own, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-11)


@pytest.mark.parametrize(("kernel_size", "factor"), [(1, 2), (3, 2), (3, 3)])
def test_icnr_starts_as_nearest_neighbour_upsampling(kernel_size, factor) -> None:
    image = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    one = keras.initializers.RandomNormal(seed=1)
    layer = SubPixelConv2D(7, kernel_size, factor, kernel_initializer=ICNR(one, factor))
    plain = keras.layers.Conv2D(7, kernel_size, padding="same", kernel_initializer=one)
    expected = plain(image).numpy().repeat(factor, 1).repeat(factor, 2)
    result = layer(image).numpy()
    np.testing.assert_array_equal(result, result[:, ::factor, ::factor].repeat(factor, 1).repeat(factor, 2))
    np.testing.assert_array_equal(layer.kernel, np.repeat(plain.kernel, factor**2, -1))
    np.testing.assert_allclose(result, expected, atol=1e-6)  # of another size, a product may sum in another order


def test_icnr_keeps_the_deviation_and_refuses_odd_channels() -> None:
    keras.utils.set_random_seed(0)
    initializer = ICNR(make_initializer("kaiming"))
    kernel = initializer((1, 1, 200, 800)).numpy()
    assert kernel.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)  # 40,000 numbers: 0.4 % is one deviation
    copy = ICNR.from_config(initializer.get_config())
    assert copy((3, 3, 2, 4)).shape == (3, 3, 2, 4) and copy.get_config() == initializer.get_config()
    with pytest.raises(ValueError, match=r"multiple of 4\. Received: "):
        initializer((1, 1, 3, 6))


def test_blur_is_the_mean_of_four_neighbours() -> None:
    image = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    padded = np.pad(image, [(0, 0), (1, 0), (1, 0), (0, 0)], mode="edge")
    expected = (padded[:, 1:, 1:] + padded[:, :-1, 1:] + padded[:, 1:, :-1] + padded[:, :-1, :-1]) / 4
    np.testing.assert_allclose(PairBlur()(image), expected, atol=1e-6)
    checkerboard = np.indices([6, 6]).sum(0)[np.newaxis, ..., np.newaxis] % 2 * 1.0
    np.testing.assert_allclose(PairBlur()(checkerboard)[:, 1:, 1:], 0.5)


def test_sub_pixels_in_a_model_without_fixed_size() -> None:
    layer = SubPixelConv2D(3, 3, dtype="mixed_bfloat16")
    image = keras.Input((None, None, 5))
    model = keras.Model(image, PairBlur()(layer(image)))
    assert model.output.shape == (None, None, None, 3)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec([1, 8, 6, 5])).structured_outputs
    assert graph.shape == (1, 16, 12, 3)
    assert layer(tf.zeros([1, 2, 2, 5])).dtype == tf.bfloat16
    copy = SubPixelConv2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config() and copy.filters == 12
    with pytest.raises(ValueError, match="Received: factor=0"):
        SubPixelConv2D(3, factor=0)
