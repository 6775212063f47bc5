"""Losses as pure functions of tensors; each returns a scalar, the mean over the batch unless it says otherwise."""

from collections.abc import Sequence

import tensorflow as tf

GAN_MODES = ("lsgan", "vanilla")


def gan_loss(logits: Sequence[tf.Tensor], target_is_real: bool, mode: str) -> tf.Tensor:
    """How far a discriminator's raw outputs are from saying "real" or "fake", summed over its scales.

    Args:
        logits: one `[B, h, w, 1]` tensor a scale.
        target_is_real: whether the logits should say "real".
        mode: `lsgan`, the squared distance to 1 or 0 (Mao et al. 2016, arXiv 1611.04076, eq. 9), or
            `vanilla`, the cross-entropy of the sigmoid (Goodfellow et al. 2014, arXiv 1406.2661, non-saturating).

    Raises:
        ValueError: for an unknown mode.
    """
    target = 1.0 if target_is_real else 0.0
    if mode == "lsgan":
        per_scale = [tf.reduce_mean(tf.square(scale - target)) for scale in logits]
    elif mode == "vanilla":
        per_scale = [
            tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(scale) * target, logits=scale))
            for scale in logits
        ]
    else:
        raise ValueError(f"mode must be one of {GAN_MODES}. Received: mode={mode!r}")
    return tf.add_n(per_scale)


def l1_loss(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of two tensors of one shape."""
    return tf.reduce_mean(tf.abs(a - b))


def kl_loss(mu: tf.Tensor, logvar: tf.Tensor) -> tf.Tensor:
    """KL(N(mu, e^logvar) || N(0, I)), the **sum** over the batch and the dimensions, in nats.

    Args:
        mu, logvar: `[B, latent_dim]`, mean and logarithm of the variance.
    """
    return -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mu) - tf.exp(logvar))
