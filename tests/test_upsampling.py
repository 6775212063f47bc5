"""The fast forms of upsampling give what the usual layers do, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.upsampling import FewChannelsConv2DTranspose


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
