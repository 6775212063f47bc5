"""Losses and noise against closed forms in numpy, and against values of the authors' PyTorch code (computed there in
float32 from logits; the gradient penalty in float64 and stored as float32)."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.learning.losses import feature_matching_loss, gan_loss, gradient_penalty, kl_loss, l1_loss
from gan_zoo.learning.noise import example_noise
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "gan_losses.npz")
LOGITS = [
    np.array([[-2.0, 0.5], [3.0, 0.0]], np.float32)[None, ..., None],
    np.array([[1.5]], np.float32)[None, ..., None],
]


@pytest.mark.parametrize("target", [True, False])
def test_gan_loss_sums_over_scales(target) -> None:
    label = float(target)
    squared = sum(np.mean((scale - label) ** 2) for scale in LOGITS)
    # -log(sigmoid) of the logit, or of its negative for "fake".
    entropy = sum(np.mean(np.log1p(np.exp(-scale if target else scale))) for scale in LOGITS)
    assert float(gan_loss(LOGITS, target, "lsgan")) == pytest.approx(squared, rel=1e-6)
    assert float(gan_loss(LOGITS, target, "vanilla")) == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize("target", [True, False])
def test_critic_losses_sum_over_scales(target) -> None:
    sign = 1.0 if target else -1.0
    mean = sum(np.mean(-sign * scale) for scale in LOGITS)
    margin = sum(np.mean(np.maximum(1.0 - sign * scale, 0.0)) for scale in LOGITS)
    assert float(gan_loss(LOGITS, target, "wgangp")) == pytest.approx(mean, rel=1e-6)
    assert float(gan_loss(LOGITS, target, "hinge")) == pytest.approx(margin, rel=1e-6)


def test_only_hinge_tells_the_generator_something_else() -> None:
    for mode in ("lsgan", "vanilla", "wgangp"):
        assert float(gan_loss(LOGITS, True, mode, for_generator=True)) == float(gan_loss(LOGITS, True, mode))
    mean = sum(np.mean(-scale) for scale in LOGITS)
    assert float(gan_loss(LOGITS, True, "hinge", for_generator=True)) == pytest.approx(mean, rel=1e-6)
    with pytest.raises(ValueError, match="target_is_real"):
        gan_loss(LOGITS, False, "hinge", for_generator=True)


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "wgangp"])
def test_gan_losses_equal_the_authors(mode) -> None:
    # Means of 392 numbers near 1, in float32 on both sides: a few of its steps.
    for target, name in ((True, "real"), (False, "fake")):
        ours = float(gan_loss([RECORDED["logits"]], target, mode))
        assert ours == pytest.approx(float(RECORDED[f"{mode}/{name}"]), rel=1e-6, abs=1e-7)


def recorded_critic() -> keras.Model:
    network = patch_discriminator(input_channels=3, base_filters=4, num_layers=3)
    assign(network, recorded_weights(RECORDED))
    return network


def images(name: str) -> tf.Tensor:
    return tf.constant(RECORDED[name].astype(np.float64))


def test_gradient_penalty_equals_the_authors(float64) -> None:
    penalty = gradient_penalty(recorded_critic(), images("real"), images("fake"), tf.constant(RECORDED["alpha"]))
    assert 10.0 * float(penalty) == pytest.approx(float(RECORDED["gradient_penalty"]), rel=1e-5)


def test_gradient_penalty_can_be_differentiated() -> None:
    random = np.random.default_rng(3)
    real, fake = (tf.constant(random.normal(size=[2, 8, 8, 3])) for _ in range(2))
    alpha = tf.constant(RECORDED["alpha"])
    kernels = [tf.Variable(random.normal(size=shape)) for shape in ([4, 4, 3, 4], [4, 4, 4, 1])]

    def critic(image: tf.Tensor) -> list[tf.Tensor]:
        # No kinks, at which the gradient jumps.
        x = tf.tanh(tf.nn.conv2d(image, kernels[0], 2, "SAME"))
        return [tf.nn.conv2d(x, kernels[1], 1, "SAME"), tf.reduce_mean(x, axis=[1, 2, 3])]

    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = gradient_penalty(critic, real, fake, alpha)
    *slopes, fake_slope = tape.gradient(value, [*kernels, fake])
    # Central differences: relative errors of the order of step^2 and of rounding / step, 1e-10 each.
    step, place = 1e-5, (1, 2, 0, 0)
    for kernel, slope in zip(kernels, slopes, strict=True):
        move = np.zeros(kernel.shape)
        move[place] = step
        kernel.assign_add(move)
        above = gradient_penalty(critic, real, fake, alpha)
        kernel.assign_sub(2 * move)
        below = gradient_penalty(critic, real, fake, alpha)
        kernel.assign_add(move)
        assert float(slope[place]) == pytest.approx(float(above - below) / (2 * step), rel=1e-7)
        assert abs(float(slope[place])) > 1e-3
    assert np.abs(fake_slope).max() > 0


def test_gradient_penalty_can_be_differentiated_through_a_normalized_critic(float64) -> None:
    # Not only where nothing is normalized: TensorFlow's own moments are right for a first derivative alone.
    real, fake, alpha = images("real")[:, :32, :32], images("fake")[:, :32, :32], tf.constant(RECORDED["alpha"])
    critic = patch_discriminator(input_channels=3, base_filters=4, num_layers=2, num_scales=2, init_gain=1.0)
    for scale in (0, 1):
        kernel = critic.get_layer(f"scale_{scale}_conv_1").kernel
        with tf.GradientTape() as tape:
            value = gradient_penalty(critic, real, fake, alpha)
        slope = tape.gradient(value, kernel.value).numpy()
        place = np.unravel_index(np.abs(slope).argmax(), slope.shape)
        # So small a step that no unit crosses its kink, so large that rounding stays below 1e-6 of the slope.
        before, move = kernel.numpy(), np.zeros(kernel.shape)
        move[place] = 1e-7
        around = []
        for sign in (1, -1):
            kernel.assign(before + sign * move)
            around.append(float(gradient_penalty(critic, real, fake, alpha)))
        kernel.assign(before)
        assert slope[place] == pytest.approx((around[0] - around[1]) / 2e-7, rel=1e-5)
        assert abs(slope[place]) > 1e-2


def test_gradient_penalty_of_a_plane_and_of_a_constant() -> None:
    real, fake = tf.random.stateless_uniform([2, 4, 4, 3, 2], [1, 2])[..., 0], tf.zeros([2, 4, 4, 3])
    slopes = tf.constant([0.5, -2.0])[:, tf.newaxis, tf.newaxis, tf.newaxis]
    # Twice the slope, once for each scale, at each of 48 numbers.
    norms = 2 * np.abs([0.5, -2.0]) * np.sqrt(48)
    penalty = gradient_penalty(lambda image: [slopes * image, slopes * image], real, fake, tf.constant([0.3, 0.7]))
    assert float(penalty) == pytest.approx(np.mean((norms - 1) ** 2), rel=1e-5)
    # alpha weighs the real image: the slope of a square is twice the mixture.
    penalty = gradient_penalty(tf.square, real, fake, tf.constant([0.25, 1.0]))
    norms = 2 * np.array([0.25, 1.0]) * np.linalg.norm(real.numpy().reshape(2, -1), axis=1)
    assert float(penalty) == pytest.approx(np.mean((norms - 1) ** 2), rel=1e-5)
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        flat = gradient_penalty(lambda image: weight * image, real, fake, tf.zeros([2]))
    assert float(flat) == pytest.approx(1.0) and np.isfinite(float(tape.gradient(flat, weight)))


def test_unknown_gan_mode_is_named() -> None:
    with pytest.raises(ValueError, match="Received: mode='hinge2'"):
        gan_loss(LOGITS, True, "hinge2")


def test_l1_is_a_mean() -> None:
    assert float(l1_loss(tf.constant([[1.0, -2.0]]), tf.constant([[0.0, 2.0]]))) == pytest.approx(2.5)


def test_kl_is_the_sum_of_the_gaussians_closed_form() -> None:
    mu, variance = np.array([[0.5, -1.0], [2.0, 0.0]], np.float32), np.array([[0.25, 1.0], [4.0, 1.0]], np.float32)
    exact = np.sum(0.5 * (variance + mu**2 - 1.0) - 0.5 * np.log(variance))
    assert float(kl_loss(tf.constant(mu), tf.constant(np.log(variance)))) == pytest.approx(exact, rel=1e-6)
    assert float(kl_loss(tf.zeros([3, 8]), tf.zeros([3, 8]))) == 0.0


def test_noise_is_a_function_of_seed_and_example() -> None:
    rows = example_noise((7, 1), tf.constant([5, 6, 2**40], tf.int64), 8).numpy()
    np.testing.assert_array_equal(rows[1:2], example_noise((7, 1), tf.constant([6], tf.int64), 8))
    assert not np.allclose(rows, example_noise((7, 2), tf.constant([5, 6, 2**40], tf.int64), 8))
    assert not np.allclose(rows, example_noise((8, 1), tf.constant([5, 6, 2**40], tf.int64), 8))


def test_noise_is_standard_normal_and_independent() -> None:
    rows = tf.function(example_noise)((0, 1), tf.range(2000, dtype=tf.int64), 8).numpy()
    # 2,000 draws a column: mean within 5 / sqrt(2000), covariance likewise.
    assert np.abs(rows.mean(0)).max() < 0.11
    assert np.abs(np.cov(rows.T) - np.eye(8)).max() < 0.16
    neighbours = np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]
    assert abs(neighbours) < 0.04


def test_feature_matching_compares_means_over_the_batch() -> None:
    random = np.random.default_rng(0)
    reals, fakes = ([random.normal(size=(3, *shape)) for shape in ((4, 5, 2), (2, 1, 6))] for _ in range(2))
    expected = sum(((real.mean(0) - fake.mean(0)) ** 2).mean() for real, fake in zip(reals, fakes, strict=True))
    assert float(feature_matching_loss(reals, fakes)) == pytest.approx(expected, rel=1e-12)
    # Other images with the same mean are no further away.
    assert float(feature_matching_loss(reals, [real[::-1] for real in reals])) == pytest.approx(0, abs=1e-12)


def test_a_wasserstein_loss_needs_no_penalty() -> None:
    for target, for_generator in ((True, True), (True, False), (False, False)):
        assert gan_loss(LOGITS, target, "wgan", for_generator) == gan_loss(LOGITS, target, "wgangp", for_generator)
