"""Settings that shape no network reach what they are for: how kernels are drawn, optimizers, noise, limits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.models import MODELS

RES_UNET = {"generator_type": "res_unet", "num_downs": 6, "image_size": 64, "inference_mode": "train"}
NOISE = [
    ("pix2pix", {"image_size": 64}, True),
    ("pix2pix", {"image_size": 64, "num_downs": 5}, False),  # too shallow for a block that drops
    ("pix2pix", {"image_size": 64, "dropout": False}, False),
    ("pix2pix", {"image_size": 64, "inference_mode": "eval"}, False),
    ("pix2pix", {"generator_type": "resnet"}, True),
    ("pix2pix", {"generator_type": "adalin", "image_size": 64}, False),
    ("cyclegan", {"dropout": True}, True),
    ("cyclegan", {}, False),
    ("dualgan", {}, True),
    ("dualgan", {"num_downs": 5}, True),
    ("dualgan", {"dropout": False}, False),
    ("dualgan", {"inference_mode": "eval"}, False),
    ("dualgan", {"generator_type": "adalin"}, False),
    ("discogan", {}, False),
    ("discogan", {"generator_type": "resnet", "dropout": True, "inference_mode": "train"}, True),
    ("colorization", {"image_size": 64, "inference_mode": "train"}, True),
    ("colorization", {"image_size": 64}, False),
    ("colorization", {"image_size": 64, "inference_mode": "train", "dropout": False}, False),
    ("colorization", RES_UNET, False),
]


@pytest.mark.parametrize(("name", "settings", "takes_seed"), NOISE)
def test_which_settings_make_noise(name, settings, takes_seed) -> None:
    assert tiny_config(name, **settings).takes_seed == takes_seed


SIDES = [
    ("bicyclegan", {"discriminator_layers": 2, "discriminator_scales": 2}, 23),
    ("bicyclegan", {"discriminator_scales": 1}, 6),
    ("pix2pix", {"discriminator_layers": 2, "discriminator_scales": 2}, 23),
    ("pix2pix", {"discriminator_type": "pixel"}, 8),
    ("cyclegan", {"discriminator_type": "image"}, 8),
    ("discogan", {"discriminator_type": "image"}, 8),
    ("dualgan", {}, 33),  # two pixels for the norm behind five halvings
    ("dualgan", {"discriminator_type": "dual_patch"}, 33),
    ("dualgan", {"discriminator_type": "image"}, 8),
    ("colorization", {"discriminator_layers": 3}, 24),
    ("cut", {"discriminator_layers": 2, "discriminator_scales": 2}, 23),
]


@pytest.mark.parametrize(("name", "settings", "min_side"), SIDES)
def test_how_small_images_may_be(name, settings, min_side) -> None:
    """The last two convolutions of a patch leave one of three pixels: the strided ones before them round down (24, 12,
    6, 3), the halving between two scales rounds up (23, 12)."""
    assert tiny_config(name, **settings).min_side == min_side


INITIALIZED = [
    ("bicyclegan", {"init_gain": 0.3, "encoder_type": "plain"}),
    ("bicyclegan", {"init_gain": 0.3, "encoder_type": "resnet"}),
    ("pix2pix", {"init_gain": 0.3, "init_type": "xavier"}),
    ("pix2pix", {"init_gain": 0.3, "discriminator_type": "image", "generator_type": "adalin"}),
    ("cyclegan", {"init_gain": 0.3, "init_type": "xavier", "discriminator_type": "pixel", "discriminator_filters": 16}),
    ("colorization", {"init_gain": 0.3, "init_type": "xavier"}),
    ("cut", {"init_gain": 0.3}),
]


@pytest.mark.parametrize(("name", "settings"), INITIALIZED)
def test_kernels_are_drawn_as_was_asked_for(name, settings) -> None:
    init_type = settings.get("init_type", "xavier" if name in ("bicyclegan", "cut") else "normal")
    for network in built(name, **settings).networks.values():
        drawn = []
        for variable in network.trainable_variables:
            if variable.path.endswith("kernel"):
                *window, fan_in, fan_out = variable.shape
                factor = 1.0 if init_type == "normal" else np.sqrt(2 / (np.prod(window) * (fan_in + fan_out)))
                drawn.append(variable.numpy().ravel() / factor)
        drawn = np.concatenate(drawn)
        # The deviation of n draws is known to 1 / sqrt(2 n): five of them.
        assert drawn.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * drawn.size)), network.name


@pytest.mark.parametrize("name", MODELS)
def test_every_optimizer_has_the_numbers_of_the_settings(name) -> None:
    more = {"dualgan": {"optimizer": "adam"}, "discogan": {"weight_decay": 0.0}}.get(name, {})
    model = built(name, learning_rate=0.01, beta_1=0.6, beta_2=0.9, **more)
    assert model.optimizers.keys() == model.networks.keys()
    for network, optimizer in model.optimizers.items():
        variable = model.networks[network].trainable_variables[0]
        start, moves = variable.numpy(), []
        for gradient in (1.0, -3.0):
            others = [tf.zeros_like(each) for each in model.networks[network].trainable_variables[1:]]
            model.apply_gradients(network, [tf.fill(variable.shape, gradient), *others])
            moves.append((variable.numpy() - start) / 0.01)
            start = variable.numpy()
        # Adam: the first step is the rate; m = (0.6 * 0.4 - 0.4 * 3) / 0.64, v = (0.9 * 0.1 + 0.1 * 9) / 0.19.
        second = (0.6 * 0.4 - 0.4 * 3) / 0.64 / np.sqrt((0.9 * 0.1 + 0.1 * 9) / 0.19)
        # Weights around 1 know their steps of 0.01 to 1e-5.
        np.testing.assert_allclose(moves[0], -1.0, atol=1e-4)
        np.testing.assert_allclose(moves[1], -second, atol=1e-4)
        assert optimizer.iterations.numpy() == 2


@pytest.mark.parametrize(
    ("name", "settings", "uses"),
    [
        ("pix2pix", {}, 1),
        ("colorization", {"hints": True}, 1),
        ("cyclegan", {"dropout": True}, 6),
        ("dualgan", {"gan_mode": "vanilla"}, 2 + 2 * 4),
    ],
)
def test_dropout_and_hints_follow_the_seed_and_no_two_uses_are_alike(monkeypatch, name, settings, uses) -> None:
    seeds, hints = [], []

    def generate(generator: keras.Model, image: tf.Tensor, seed: tf.Tensor, **_) -> tf.Tensor:
        seeds.append(np.array(seed))
        hints.append(image[..., 1:].numpy())
        weight = tf.reduce_sum(generator.trainable_variables[0].value)
        return tf.zeros([*image.shape[:3], generator.output.shape[-1]]) * weight

    shared = "two_domains" if name in ("cyclegan", "dualgan") else "conditional_gan"
    monkeypatch.setattr(f"gan_zoo.models.{shared}.generate", generate)
    for seed in (0, 1):
        model = built(name, seed=seed, **settings)
        model.apply_gradients = lambda *_: None
        model.train_step(noise_batch(model.config))
    drawn = np.concatenate(seeds)
    assert len(drawn) == 2 * uses * model.config.batch_size == len(set(drawn.tolist()))
    if "hints" in settings:
        assert np.abs(hints[0] - hints[1]).max() > 0.1


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_residual_generators_translate_as_inference_mode_says(name) -> None:
    settings = {"generator_type": "resnet", "num_blocks": 1, "dropout": True, "norm": "batch", "init_gain": 0.5}
    image = noise_batch(tiny_config(name))["input_image"]

    def outputs(inference_mode: str) -> list[np.ndarray]:
        translator = next(iter(built(name, inference_mode=inference_mode, **settings).translators.values()))
        assert translator.takes_seed == (inference_mode == "train")
        return [translator.function(image, tf.constant([seed, seed], tf.int64)).numpy() for seed in (1, 2)]

    first, second = outputs("train")
    assert np.abs(first - second).max() > 0.01
    still, again = outputs("eval")
    np.testing.assert_array_equal(still, again)
    assert np.abs(still - first).max() > 0.01
