"""In which order batch norm's running statistics see the images of a step: that of the authors' code."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch

from gan_zoo.lab import grey_to_network, rgb_to_lab, to_network
from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.models.parts import generate

MOMENTUM = 0.1
# Without updates all passes of a step meet the same weights.
STILL = {"learning_rate": 0.0, "norm": "batch", "discriminator_norm": "batch", "dropout": False}


def norms(network: keras.Model) -> list[BatchNorm]:
    return [layer for layer in network.layers if isinstance(layer, BatchNorm)]


def statistics(network: keras.Model) -> np.ndarray:
    return np.concatenate([v.numpy() for layer in norms(network) for v in (layer.moving_mean, layer.moving_variance)])


def after_passes(network: keras.Model, images: list[tf.Tensor]) -> np.ndarray:
    """What running statistics come to, from 0 and 1, when they see one image after the other."""
    for layer in norms(network):
        layer.momentum = 1.0  # nothing is left but the last pass
    running = np.concatenate([np.repeat([0.0, 1.0], layer.moving_mean.shape[0]) for layer in norms(network)])
    for image in images:
        network(image, training=True)
        running += MOMENTUM * (statistics(network) - running)
    return running


def assert_order(seen: np.ndarray, network: keras.Model, images: list[tf.Tensor]) -> None:
    # A pass weighs a tenth less than the one behind it, so that order shows: by percents in some channel.
    for place in range(len(images) - 1):
        swapped = [*images[:place], images[place + 1], images[place], *images[place + 2 :]]
        assert not np.allclose(seen, after_passes(network, swapped), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(seen, after_passes(network, images), rtol=1e-4, atol=1e-6)  # float32


@pytest.mark.parametrize("name", ["pix2pix", "colorization"])
def test_a_conditional_discriminator_sees_the_fake_before_the_real_image(name) -> None:
    model = built(name, **STILL)
    batch = noise_batch(model.config)
    condition, target = batch["input_image"], batch["target_image"]
    if name == "colorization":
        condition, target = grey_to_network(condition), to_network(rgb_to_lab(target))[1]
    model.train_step(batch)
    seen = statistics(model.discriminator)
    fake = generate(model.generator, condition, training=True)
    real, fake = (tf.concat([condition, image], axis=-1) for image in (target, fake))
    # Its own update, fake and real, and then the generator's.
    assert_order(seen, model.discriminator, [fake, real, fake])


def test_cyclegans_networks_see_images_in_the_authors_order() -> None:
    model = built("cyclegan", **STILL, pool_size=0)
    batch = noise_batch(model.config)
    a, b = batch["input_image"], batch["target_image"]
    model.train_step(batch)
    a_to_b, b_to_a = model.generator_a_to_b, model.generator_b_to_a
    seen = {name: statistics(network) for name, network in model.networks.items()}
    fake_b, fake_a = a_to_b(a, training=True), b_to_a(b, training=True)
    orders = {
        "generator_a_to_b": [a, fake_a, b],  # translation, the way back, identity
        "generator_b_to_a": [fake_b, b, a],  # the way back of what the other made, translation, identity
        "discriminator_a": [fake_a, a, fake_a],  # the generators' update, then its own, real and fake
        "discriminator_b": [fake_b, b, fake_b],
    }
    for name, network in model.networks.items():
        assert_order(seen[name], network, orders[name])
