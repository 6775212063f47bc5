"""Losses and noise against closed forms in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.losses import gan_loss, kl_loss, l1_loss
from gan_zoo.noise import example_noise

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
    rows = example_noise((0, 1), tf.range(2000, dtype=tf.int64), 8).numpy()
    # 2,000 draws a column: mean within 5 / sqrt(2000), covariance likewise.
    assert np.abs(rows.mean(0)).max() < 0.11
    assert np.abs(np.cov(rows.T) - np.eye(8)).max() < 0.16
    neighbours = np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]
    assert abs(neighbours) < 0.04
