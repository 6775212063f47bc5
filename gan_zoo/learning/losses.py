"""Losses as pure functions of tensors; each returns a scalar, the mean over the batch unless it says otherwise."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

GAN_MODES = ("lsgan", "vanilla", "wgangp", "wgan", "hinge")


def gan_loss(logits: Sequence[tf.Tensor], target_is_real: bool, mode: str, for_generator: bool = False) -> tf.Tensor:
    """How far a discriminator's raw outputs are from saying "real" or "fake", summed over its scales.

    Args:
        logits: one `[B, h, w, 1]` tensor a scale.
        target_is_real: whether the logits should say "real".
        mode: `lsgan`, the squared distance to 1 or 0 (Mao et al. 2016, arXiv 1611.04076, eq. 9);
            `vanilla`, the cross-entropy of the sigmoid (Goodfellow et al. 2014, arXiv 1406.2661, non-saturating);
            `wgangp`, the critic's mean, negative where it should say "real" (Gulrajani et al. 2017, arXiv 1704.00028,
            eq. 3, whose other term is `gradient_penalty`);
            `wgan`, the same, of a critic whose weights are clipped instead (Arjovsky et al. 2017, arXiv 1701.07875);
            `hinge`, how far the logits are from the right side of a margin of 1 (Lim and Ye 2017, arXiv 1705.02894).
        for_generator: whether it is the generator that learns from it, whose target is "real". That makes a difference
            to `hinge` alone, which gives the generator no margin.

    Raises:
        ValueError: for an unknown mode, or a generator that should be told "fake".
    """
    if for_generator and not target_is_real:
        raise ValueError("for_generator needs target_is_real: a generator wants its images to be called real")
    target = 1.0 if target_is_real else 0.0
    sign = 1.0 if target_is_real else -1.0
    if mode == "lsgan":
        per_scale = [tf.reduce_mean(tf.square(scale - target)) for scale in logits]
    elif mode == "vanilla":
        per_scale = [
            tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(scale) * target, logits=scale))
            for scale in logits
        ]
    elif mode in ("wgangp", "wgan") or (mode == "hinge" and for_generator):
        per_scale = [tf.reduce_mean(-sign * scale) for scale in logits]
    elif mode == "hinge":
        per_scale = [tf.reduce_mean(tf.nn.relu(1.0 - sign * scale)) for scale in logits]
    else:
        raise ValueError(f"mode must be one of {GAN_MODES}. Received: mode={mode!r}")
    return tf.add_n(per_scale)


def gradient_penalty(
    discriminate: Callable[[tf.Tensor], tf.Tensor | Sequence[tf.Tensor]],
    real: tf.Tensor,
    fake: tf.Tensor,
    alpha: tf.Tensor,
) -> tf.Tensor:
    """How far the critic's slope is from 1 between real and fake images: the mean of `(||gradient||_2 - 1)^2`.

    Gulrajani et al. 2017 (arXiv 1704.00028, eq. 3), without its weight lambda. As in the authors' code of CycleGAN, the
    gradient is that of the sum of all outputs: of all patches and, where there are several, of all scales.
    The result can be differentiated again, by the variables that `discriminate` uses and by both images.

    Args:
        discriminate: from an image `[B, H, W, C]` to its logits, a tensor or one tensor a scale.
        real, fake: `[B, H, W, C]`; for a conditional discriminator with the condition joined to both.
        alpha: `[B]` or `[B, 1]`, uniform in [0, 1]: the weight of the real image in the mixture that is judged.
    """
    weight = tf.cast(tf.reshape(alpha, [-1, 1, 1, 1]), real.dtype)
    mixture = weight * real + (1.0 - weight) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixture)
        total = tf.add_n([tf.reduce_sum(scale) for scale in keras.tree.flatten(discriminate(mixture))])
    # The authors' constant: the norm has no derivative at 0, and would give one that is not a number.
    gradient = tape.gradient(total, mixture) + 1e-16
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]))
    return tf.reduce_mean(tf.square(norm - 1.0))


def feature_matching_loss(real_features: Sequence[tf.Tensor], fake_features: Sequence[tf.Tensor]) -> tf.Tensor:
    """How far the mean features of fake images are from those of real ones, summed over the layers.

    Salimans et al. 2016 (arXiv 1606.03498, section 3.1) as DiscoGAN has it (arXiv 1703.05192): the mean square of the
    difference of the two means over the batch. Under several replicas these means are those of the whole batch.

    Args:
        real_features, fake_features: one `[B, H, W, C]` a layer, of a discriminator.
    """
    pairs = zip(real_features, fake_features, strict=True)
    return tf.add_n([squared_loss(_batch_mean(real), _batch_mean(fake)) for real, fake in pairs])


def _batch_mean(values: tf.Tensor) -> tf.Tensor:
    values = tf.convert_to_tensor(values)
    # A sum of many numbers that were rounded to bfloat16 has the errors of all.
    mean = tf.reduce_mean(tf.cast(values, tf.float32) if values.dtype.size < 4 else values, axis=0)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return mean
    return context.all_reduce(tf.distribute.ReduceOp.SUM, mean) / context.num_replicas_in_sync


def l1_loss(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of two tensors of one shape."""
    return tf.reduce_mean(tf.abs(a - b))


def kl_loss(mu: tf.Tensor, logvar: tf.Tensor) -> tf.Tensor:
    """KL(N(mu, e^logvar) || N(0, I)), the **sum** over the batch and the dimensions, in nats.

    Args:
        mu, logvar: `[B, latent_dim]`, mean and logarithm of the variance.
    """
    return -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mu) - tf.exp(logvar))


def squared_loss(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of two tensors of one shape."""
    return tf.reduce_mean(tf.math.squared_difference(a, b))


def total_variation(images: tf.Tensor) -> tf.Tensor:
    """Twice the mean squared difference of neighbours below each other, and of those side by side: `[B, H, W, C]`."""
    below, beside = images[:, 1:] - images[:, :-1], images[:, :, 1:] - images[:, :, :-1]
    return 2.0 * (tf.reduce_mean(tf.square(below)) + tf.reduce_mean(tf.square(beside)))


def patch_nce(queries: tf.Tensor, keys: tf.Tensor, temperature: float, first: int | tf.Tensor = 0) -> tf.Tensor:
    """How hard it is to find each query's own key among all: the mean cross-entropy of their cosines, in nats.

    Van den Oord et al. 2018 (arXiv 1807.03748) on patches (Park et al. 2020, arXiv 2007.15651, equations 3 and 4).

    Args:
        queries: `[B, P, D]`, vectors of length 1.
        keys: `[B, N, D]`, likewise; query i belongs to key `first + i`, the others are its negatives.
        temperature: that cosines are divided by.
        first: the key of the first query.
    """
    logits = tf.matmul(queries, keys, transpose_b=True) / temperature  # [B, P, N]
    own = tf.broadcast_to(first + tf.range(tf.shape(queries)[1]), tf.shape(queries)[:2])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=own, logits=logits))
