"""UNIT's layer norm against its closed form in numpy."""

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.layers.deviation_norm import DeviationNorm


def test_it_divides_by_the_unbiased_deviation_and_epsilon() -> None:
    layer = DeviationNorm(epsilon=0.1, dtype="float64")
    layer.build((None, None, None, 2))
    layer.gamma.assign([0.5, 2.0])
    layer.beta.assign([-1.0, 1.0])
    image = 3.0 + np.random.default_rng(0).standard_normal((2, 2, 3, 2)) * np.array([1.0, 4.0])[:, None, None, None]
    mean = image.mean((1, 2, 3), keepdims=True)
    deviation = image.std((1, 2, 3), ddof=1, keepdims=True)  # of 12 values: 4 % from the biased one
    expected = (image - mean) / (deviation + 0.1) * [0.5, 2.0] + [-1.0, 1.0]
    np.testing.assert_allclose(layer(tf.constant(image)), expected, rtol=1e-12)
    again = DeviationNorm.from_config(layer.get_config())
    assert again.epsilon == 0.1 and DeviationNorm().epsilon == 1e-5
    assert layer.compute_output_shape((None, 4, 4, 2)) == (None, 4, 4, 2)


def test_a_flat_image_has_a_gradient() -> None:
    layer, image = DeviationNorm(), tf.ones([1, 2, 2, 3])
    with tf.GradientTape() as tape:
        tape.watch(image)
        output = layer(image)
    np.testing.assert_array_equal(output, 0.0)
    assert np.all(np.isfinite(tape.gradient(output, image)))


def test_in_bfloat16_the_statistics_are_those_of_float32() -> None:
    image = tf.constant(100.0 + np.random.default_rng(1).standard_normal((1, 8, 8, 2)), tf.bfloat16)
    made = DeviationNorm(dtype=keras.DTypePolicy("mixed_bfloat16"))(image)
    wide = tf.cast(image, tf.float32).numpy()
    assert made.dtype == tf.bfloat16
    # 8 bits hold values up to 4 to 1 / 128.
    np.testing.assert_allclose(tf.cast(made, tf.float32), (wide - wide.mean()) / wide.std(ddof=1), atol=1 / 128)
