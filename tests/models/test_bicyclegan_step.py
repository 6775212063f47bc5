"""A step of BicycleGAN written out, for every objective: each loss with its weight, and who learns from which."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch

from gan_zoo.models.bicyclegan import BicycleGAN

# No two alike, and none that is a default.
WEIGHTS = {
    "lambda_gan_encoded": 0.7,
    "lambda_gan_random": 1.3,
    "lambda_l1": 3.0,
    "lambda_latent": 1.9,
    "lambda_kl": 0.11,
}
VARIANTS = {
    "whole": {"discriminator_scales": 2},
    "shared, conditional": {"shared_discriminator": True, "conditional": True, "gan_mode": "vanilla"},
    "conditional": {"conditional": True},
    "cVAE-GAN": {"objective": "cvae_gan", "gan_mode": "vanilla"},
    "cLR-GAN": {"objective": "clr_gan"},
    "noise": {"objective": "noise"},
}


def adversarial(logits: list[tf.Tensor], real: bool, mode: str) -> tf.Tensor:
    """The distance to "real" or "fake", squared or as -log of the probability, summed over the scales."""
    logits = logits if isinstance(logits, (list, tuple)) else [logits]
    if mode == "lsgan":
        return tf.add_n([tf.reduce_mean((scale - float(real)) ** 2) for scale in logits])
    return tf.add_n([tf.reduce_mean(tf.math.softplus(-scale if real else scale)) for scale in logits])


def written_out(model: BicycleGAN, batch: dict[str, tf.Tensor]) -> tuple[dict, dict]:
    """The losses by name, and by network the gradients of those that it learns from."""
    config, networks = model.config, model.networks
    whole = config.objective == "bicyclegan"
    first = slice(0, config.batch_size // 2) if whole else slice(None)
    second = slice(config.batch_size // 2, None) if whole else slice(None)
    inputs, targets, index = batch["input_image"], batch["target_image"], batch["example_index"]
    discriminators = {"encoded": networks.get("discriminator_encoded")}
    discriminators["random"] = networks.get("discriminator_random", discriminators["encoded"])

    def gan(path: str, condition: tf.Tensor, image: tf.Tensor, real: bool) -> tf.Tensor:
        seen = tf.concat([condition, image], -1) if config.conditional else image
        return adversarial(discriminators[path](seen, training=True), real, config.gan_mode)

    losses, condition = {}, inputs[first]
    with tf.GradientTape(persistent=True) as tape:
        if config.objective in ("bicyclegan", "cvae_gan"):
            mu, logvar = networks["encoder"](targets[first], training=True)
            deviation = tf.exp(logvar) ** 0.5
            fake = model.generator([condition, mu + model.noise("encoded", index[first]) * deviation], training=True)
            losses["gan_encoded"] = 0.7 * gan("encoded", condition, fake, True)
            losses["l1"] = 3.0 * tf.reduce_mean(tf.abs(fake - targets[first]))
            losses["kl"] = 0.11 * tf.reduce_sum((mu**2 + tf.exp(logvar) - logvar - 1.0) / 2.0)
            losses["discriminator_encoded"] = gan("encoded", condition, targets[first], True) + gan(
                "encoded", condition, tf.stop_gradient(fake), False
            )
        if config.objective != "cvae_gan":
            z = model.noise("random", index[second])
            fake = model.generator([condition, z], training=True)
            losses["gan_random"] = 1.3 * gan("random", condition, fake, True)
            if config.objective == "noise":
                losses["l1"] = 3.0 * tf.reduce_mean(tf.abs(fake - targets))
            else:
                losses["latent"] = 1.9 * tf.reduce_mean(tf.abs(networks["encoder"](fake, training=True)[0] - z))
            losses["discriminator_random"] = gan("random", inputs[second], targets[second], True) + gan(
                "random", condition, tf.stop_gradient(fake), False
            )
        for_discriminators = {name: loss for name, loss in losses.items() if name.startswith("discriminator")}
        sums = {"generator": tf.add_n([loss for name, loss in losses.items() if name not in for_discriminators])}
        if "encoder" in networks:
            own = ("latent",) if config.objective == "clr_gan" else ("gan_encoded", "l1", "kl")
            sums["encoder"] = tf.add_n([losses[name] for name in own])
        if config.shared_discriminator:
            sums["discriminator_encoded"] = tf.add_n(list(for_discriminators.values()))
        else:
            sums |= for_discriminators
    gradients = {
        name: tape.gradient(
            total, [variable.value for variable in networks[name].trainable_variables], unconnected_gradients="zero"
        )
        for name, total in sums.items()
    }
    return losses, gradients


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_is_what_the_paper_says(variant, float64) -> None:
    model = built("bicyclegan", batch_size=4, **WEIGHTS, **VARIANTS[variant])
    batch = noise_batch(model.config)
    model.noise = lambda *drawn: tf.cast(BicycleGAN.noise(model, *drawn), tf.float64)
    losses, gradients = written_out(model, batch)
    assert model.config.batch_parts == (2 if model.config.objective == "bicyclegan" else 1)
    found = {}
    model.apply_gradients = lambda name, values: found.update({name: values})
    logs = model.train_step(batch)
    # float64, sums in another order.
    assert {name: float(loss) for name, loss in logs.items()} == pytest.approx(
        {name: float(loss) for name, loss in losses.items()}, rel=1e-10
    )
    assert found.keys() == gradients.keys() == model.networks.keys()
    for name, expected in gradients.items():
        largest = max(np.abs(gradient).max() for gradient in expected)
        for ours, theirs in zip(found[name], expected, strict=True):
            np.testing.assert_allclose(0.0 if ours is None else ours, theirs, rtol=1e-8, atol=1e-12 * largest)


def test_the_two_noises_are_independent_and_follow_the_seed() -> None:
    model, other = built("bicyclegan", latent_dim=8), built("bicyclegan", latent_dim=8, seed=1)
    index = tf.range(250, dtype=tf.int64)
    noises = [
        tf.function(each.noise)(purpose, index).numpy() for each in (model, other) for purpose in ("encoded", "random")
    ]
    correlations = np.corrcoef([noise.ravel() for noise in noises])
    # Of 2,000 draws a mean or a correlation is known to 0.022, a deviation to 0.016: five of them.
    np.testing.assert_allclose(correlations, np.eye(4), atol=0.112)
    for noise in noises:
        assert abs(noise.mean()) < 0.112 and noise.std() == pytest.approx(1.0, abs=0.08)
