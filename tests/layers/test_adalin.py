"""AdaLIN and LIN against their equations in numpy, the range of rho, and the generator that is made of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.layers.adalin import AdaptiveLayerInstanceNorm, LayerInstanceNorm, mixed_norm
from gan_zoo.learning.optimizers import FusedAdam
from gan_zoo.networks.adalin_resnet import adalin_resnet


def noise(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def closed_form(image, rho, gamma, beta) -> np.ndarray:
    """Equation 1 of the paper, word by word, in float64."""
    image, rho, gamma, beta = (np.asarray(value, np.float64) for value in (image, rho, gamma, beta))

    def normalized(axes: tuple) -> np.ndarray:
        centred = image - image.mean(axes, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + 1e-5)

    mixed = rho * normalized((1, 2)) + (1 - rho) * normalized((1, 2, 3))
    # gamma and beta: [C], or [B, C], the same at every pixel.
    return mixed * gamma.reshape(-1, 1, 1, gamma.shape[-1]) + beta.reshape(-1, 1, 1, beta.shape[-1])


def test_adalin_is_its_equation() -> None:
    # Channels of different means and widths, or instance and layer norm would hardly differ.
    image = noise(2, 5, 7, 4) * [1.0, 2.0, 0.1, 3.0] + [0.0, 5.0, -1.0, 2.0]
    gamma, beta, rho = noise(2, 4, seed=1), noise(2, 4, seed=2), np.array([0.0, 0.3, 0.9, 1.0])
    layer = AdaptiveLayerInstanceNorm()
    layer(image.astype("float32"), gamma, beta)
    np.testing.assert_array_equal(layer.rho, np.full(4, 0.9, "float32"))
    layer.rho.assign(rho)
    ours = layer(image.astype("float32"), gamma, beta)
    # Values up to 6, sums over 140 pixels in float32; the channel of width 0.1 around -1 loses a digit.
    np.testing.assert_allclose(ours, closed_form(image, rho, gamma, beta), atol=2e-5)


def test_lin_starts_as_a_layer_norm_and_is_its_equation() -> None:
    image = noise(2, 4, 6, 3) * [1.0, 2.0, 0.5] + [0.0, 3.0, -1.0]
    layer = LayerInstanceNorm()
    started = layer(image.astype("float32"))
    np.testing.assert_allclose(started, closed_form(image, np.zeros(3), np.ones(3), np.zeros(3)), atol=2e-5)
    values = noise(3, seed=1), noise(3, seed=2), np.array([0.2, 0.7, 1.0])
    for variable, value in zip((layer.gamma, layer.beta, layer.rho), values, strict=True):
        variable.assign(value)
    gamma, beta, rho = values
    np.testing.assert_allclose(layer(image.astype("float32")), closed_form(image, rho, gamma, beta), atol=2e-5)


def test_gradients_are_central_differences() -> None:
    image = noise(2, 4, 5, 3, dtype="float64") + np.array([0.0, 2.0, -1.0])
    arguments = [image, np.array([0.1, 0.5, 0.9])]
    arguments += [noise(2, 3, seed=1, dtype="float64"), noise(2, 3, seed=2, dtype="float64")]
    weighting = noise(2, 4, 5, 3, seed=3, dtype="float64")
    tensors = [tf.constant(argument) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = tf.reduce_sum(mixed_norm(*tensors) * weighting)
    step = 1e-5
    for place, gradient in enumerate(tape.gradient(loss, tensors)):
        for entry in list(np.ndindex(arguments[place].shape))[:12]:
            losses = []
            for sign in (1, -1):
                moved = [argument.copy() for argument in arguments]
                moved[place][entry] += sign * step
                losses.append(float((closed_form(*moved) * weighting).sum()))
            # The differences' own error: step^2 = 1e-10 from the third derivative, 1e-15 * 40 / step from rounding.
            assert gradient.numpy()[entry] == pytest.approx((losses[0] - losses[1]) / (2 * step), abs=1e-7)


def test_rho_stays_in_its_range() -> None:
    layer = LayerInstanceNorm(rho=0.5)
    layer.build((None, None, None, 3))
    optimizer = FusedAdam(0.8)
    # Adam's first step is the learning rate, against the sign of the gradient: to -0.3, 1.3 and nowhere.
    optimizer.apply([tf.constant([1.0, -1.0, 0.0])], [layer.rho])
    np.testing.assert_array_equal(layer.rho, [0.0, 1.0, 0.5])
    optimizer.learning_rate = 0.25
    optimizer.apply([tf.constant([-10.0, 10.0, 0.0])], [layer.rho])
    # And it comes back from the borders.
    assert 0 < float(layer.rho[0]) < 0.5 < float(layer.rho[1]) < 1


def test_both_norms_compute_in_float32() -> None:
    image = tf.cast(noise(1, 16, 16, 2) + 100.0, tf.bfloat16)
    gamma, beta = tf.ones([1, 2], tf.bfloat16), tf.zeros([1, 2], tf.bfloat16)
    normalized = AdaptiveLayerInstanceNorm(dtype=keras.DTypePolicy("mixed_bfloat16"))(image, gamma, beta)
    assert normalized.dtype == tf.bfloat16
    assert float(tf.math.reduce_std(tf.cast(normalized, tf.float32))) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("norm", [AdaptiveLayerInstanceNorm, LayerInstanceNorm])
def test_rho_stays_in_float32(norm) -> None:
    # Constant channels: the instance norm is zero, the layer norm -1 and 1. bfloat16 knows no 0.999 but 1.
    image = tf.zeros([1, 4, 4, 2], tf.bfloat16) + tf.constant([100.0, 104.0], tf.bfloat16)
    ones, zeros = np.ones([1, 2]), np.zeros([1, 2])
    given = (ones, zeros) if norm is AdaptiveLayerInstanceNorm else ()
    layer = norm(rho=0.999, dtype=keras.DTypePolicy("mixed_bfloat16"))
    output = tf.cast(layer(image, *(tf.cast(vector, tf.bfloat16) for vector in given)), tf.float64)
    # bfloat16 holds 8 bits of the result, -0.001 and 0.001.
    expected = closed_form(tf.cast(image, tf.float64), np.full(2, 0.999), ones, zeros)
    np.testing.assert_allclose(output, expected, rtol=2**-8)


def test_gamma_and_beta_of_lin_stay_in_float32() -> None:
    image = tf.zeros([1, 4, 4, 2], tf.bfloat16) + tf.constant([100.0, 104.0], tf.bfloat16)
    layer = LayerInstanceNorm(dtype=keras.DTypePolicy("mixed_bfloat16"))
    layer.build(image.shape)
    gamma, beta = np.array([1.001, 1.0]), np.array([1.0, -1.001])  # 1.001 is 1 in bfloat16.
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    expected = closed_form(tf.cast(image, tf.float64), np.zeros(2), gamma, beta)  # -0.001 twice
    np.testing.assert_allclose(tf.cast(layer(image), tf.float64), expected, rtol=2**-8)


@pytest.mark.parametrize("norm", [AdaptiveLayerInstanceNorm, LayerInstanceNorm])
def test_config_round_trip(norm) -> None:
    layer = norm(rho=0.3)
    assert norm.from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(ValueError, match=r"Received: rho=1\.5"):
        norm(rho=1.5)


def expected_count(channels: int, blocks: int, filters: int, skips: bool) -> int:
    width = 4 * filters
    convolutions = 2 * 49 * channels * filters + channels  # 7x7 in and out; the last has the only bias
    convolutions += 9 * (filters * 2 * filters + 2 * filters * width)  # down
    convolutions += 9 * ((width + 2 * filters * skips) * 2 * filters + (2 + skips) * filters * filters)  # up
    residual = 4 * blocks * 9 * width * width
    dense = 4 * (width * width + width)
    norms = 2 * blocks * width + 3 * (2 * filters + filters)  # rho; rho, gamma and beta
    return convolutions + residual + dense + norms


@pytest.mark.parametrize("skips", [False, True])
def test_generator(skips) -> None:
    network = adalin_resnet(input_channels=3, output_channels=3, num_blocks=2, base_filters=4, skips=skips)
    assert network.count_params() == expected_count(3, 2, 4, skips)
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 12, 20, 3)), tf.float32)
    with tf.GradientTape() as tape:
        output = network(image)
        loss = tf.reduce_mean(tf.abs(output - 0.5))
    assert output.shape == image.shape and np.abs(output).max() <= 1
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all() and np.any(gradient), variable.path
    # Neither image depends on the other.
    np.testing.assert_allclose(network(image[:1]), output[:1], atol=1e-5)


def test_generator_scales_by_what_the_whole_image_holds() -> None:
    network = adalin_resnet(input_channels=1, output_channels=1, num_blocks=1, base_filters=4)
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 1)), tf.float32)
    gamma = keras.Model(network.input, network.get_layer("gamma").output)(image)
    # Started as plain norms: the kernels of N(0, 0.02) change little.
    assert gamma.shape == (2, 16) and float(tf.reduce_max(tf.abs(gamma - 1.0))) < 0.05
    assert float(tf.reduce_max(tf.abs(gamma[0] - gamma[1]))) > 0
    before = network(image)
    network.get_layer("gamma").bias.assign(np.full(16, 2.0))
    assert float(tf.reduce_max(tf.abs(network(image) - before))) > 1e-5
