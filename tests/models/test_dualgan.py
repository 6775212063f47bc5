"""DualGAN beyond the recordings: each weight and mode in numpy, who learns when, what it refuses."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, judge_by_half_squares, noise_batch, tiny_config

from gan_zoo.config import refuse_idle
from gan_zoo.errors import UserError
from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.dualgan import DualGAN, DualGANConfig

REAL = {
    "lsgan": lambda x: (x - 1) ** 2,
    "vanilla": lambda x: np.log1p(np.exp(-x)),
    "hinge": lambda x: np.maximum(1 - x, 0),
    "wgan": lambda x: -x,
    "wgangp": lambda x: -x,
}
FAKE = {
    "lsgan": lambda x: x**2,
    "vanilla": lambda x: np.log1p(np.exp(x)),
    "hinge": lambda x: np.maximum(1 + x, 0),
    "wgan": lambda x: x,
    "wgangp": lambda x: x,
}
GENERATOR = REAL | {"hinge": lambda x: -x}  # without a margin
PARTS = {"discriminator_type": "patch", "generator_type": "resnet", "num_blocks": 1, "dropout": False, "image_size": 32}


@pytest.fixture(scope="module")
def squares() -> DualGAN:
    """Its discriminators give half the square of what they see."""
    model = built("dualgan", lambda_cycle_a=3.0, lambda_cycle_b=5.0, lambda_gradient_penalty=2.0, **PARTS)
    judge_by_half_squares(model)
    return model


@pytest.fixture
def with_settings(squares):
    config = squares.config

    def change(**settings) -> DualGAN:
        squares.config = dataclasses.replace(config, **settings)
        squares.step.assign(0)
        return squares

    yield change
    squares.config = config


@pytest.mark.parametrize("mode", REAL)
def test_losses_in_every_mode(with_settings, mode) -> None:
    random = np.random.default_rng(0)
    images, cycled, logits = (
        {name: random.uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32) for name in "ab"} for _ in range(3)
    )
    for reconstruction, distance in (("l1", np.abs), ("l2", np.square)):
        model = with_settings(gan_mode=mode, reconstruction=reconstruction)
        given = {"images": images, "cycled_images": cycled}
        found = model.generator_losses(**given, fake_logits={key: [value] for key, value in logits.items()})
        expected = {f"gan_{domain}": GENERATOR[mode](logits[domain]).mean() for domain in "ab"}
        for domain, weight in (("a", 3.0), ("b", 5.0)):
            expected[f"cycle_{domain}"] = weight * distance(cycled[domain] - images[domain]).mean()
        assert {key: float(value) for key, value in found.items()} == pytest.approx(expected, rel=1e-5)
    real, fake = images["a"], cycled["a"]
    found = model.discriminator_losses("b", real, fake, tf.range(3, dtype=tf.int64))
    assert ("gradient_penalty_b" in found) == (mode == "wgangp")
    expected = REAL[mode](real**2 / 2).mean() + FAKE[mode](fake**2 / 2).mean()  # their sum, not their mean
    assert float(found["discriminator_b"]) == pytest.approx(expected, rel=1e-5)
    if mode == "wgangp":
        # Where real and fake are one, alpha matters not.
        found = model.discriminator_losses("a", tf.constant(real), tf.constant(real), tf.range(3, dtype=tf.int64))
        norms = np.sqrt((real**2).sum((1, 2, 3)))
        assert float(found["gradient_penalty_a"]) == pytest.approx(2.0 * np.mean((norms - 1) ** 2), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "updates"),
    [
        ({"gan_mode": "wgan"}, [1, 1, 1]),
        ({"gan_mode": "vanilla"}, [2, 2, 2]),
        ({"gan_mode": "vanilla", "n_critic": 2, "generator_updates": 1}, [1, 0, 1]),
        ({"gan_mode": "wgan", "n_critic": 3, "generator_updates": 2}, [2, 0, 0]),
    ],
)
def test_how_often_the_generators_learn(monkeypatch, with_settings, settings, updates) -> None:
    model, found = with_settings(**settings), []
    batch = noise_batch(model.config)
    monkeypatch.setattr(model, "learn", lambda kind, *_: found[-1].append(kind))
    for _ in updates:
        found.append([])
        losses = model.train_step(batch)
        assert {"gan_a", "gan_b", "cycle_a", "cycle_b", "discriminator_a", "discriminator_b"} <= losses.keys()
    assert found == [["discriminator"] + ["generator"] * count for count in updates]
    length, places = model.config.turn_length, model.config.turns["generator"]
    schedule = model.learning_rate_of("generator_a_to_b", EpochSchedule(np.arange(9.0), 1))
    assert [float(schedule(n)) for n in range(2 * len(places))] == [p + t for t in (0, length) for p in places]
    of_critics = EpochSchedule(np.arange(9.0), 1)
    assert model.learning_rate_of("discriminator_a", of_critics) is of_critics


def test_optimizers_are_rmsprop_and_weights_of_wgan_are_clipped() -> None:
    settings = {"rms_decay": 0.6, "rms_momentum": 0.5, "learning_rate": 0.01}
    model = built("dualgan", gan_mode="wgan", weight_clip=0.003, **settings, **PARTS)
    for name, network in model.networks.items():
        variables = network.trainable_variables
        variables[0].assign(tf.zeros(variables[0].shape))
        for _ in range(2):
            rest = [tf.zeros_like(each) for each in variables[1:]]
            model.apply_gradients(name, [tf.fill(variables[0].shape, 3.0), *rest])
        first = 1 / np.sqrt(0.6 + 0.4 * 9)  # the mean of squares starts at 1
        second = 0.5 * first + 1 / np.sqrt(0.36 + (0.24 + 0.4) * 9)
        expected = -0.003 if name.startswith("discriminator") else -0.03 * (first + second)
        np.testing.assert_allclose(variables[0], expected, rtol=1e-4)
        if name.startswith("discriminator"):
            assert max(np.abs(each).max() for each in variables) <= 0.003 * (1 + 1e-6)


def test_the_bottleneck_lets_an_image_through_unless_told_otherwise() -> None:
    image = noise_batch(tiny_config("dualgan"))["input_image"]
    spreads = []
    for settings in ({}, {"bottleneck_norm": True}):
        model = built("dualgan", init_gain=1.0, dropout=False, **settings)
        inner = model.generator_a_to_b.get_layer(f"encode_5{'_norm' if settings else ''}").output
        features = tf.keras.Model(model.generator_a_to_b.input, inner)(image)
        assert features.shape[1:3] == (1, 1)
        spreads.append(float(np.abs(features[0] - features[1]).max()))
    assert spreads[0] > 1e-2 and spreads[1] < 1e-5


def test_a_translation_has_dropout_of_its_seed() -> None:
    a_to_b = built("dualgan", init_gain=0.5).translators["a_to_b"]
    image = tf.repeat(noise_batch(tiny_config("dualgan"))["input_image"][:1], 2, axis=0)
    first, second = a_to_b.function(image, tf.constant([1, 2], tf.int64))
    again = a_to_b.function(image[:1], tf.constant([2], tf.int64))[0]
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_allclose(second, again, atol=1e-5)
    assert a_to_b.cycle(image, tf.constant([1, 2], tf.int64)).shape == image.shape


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 32}, "discriminator_type=dual_image needs 33 px"),
        ({"preprocess": "none", "batch_size": 1}, "another discriminator_type"),
        ({"num_downs": 7}, "a multiple of 128"),
        ({"discriminator_scales": 2}, "needs discriminator_type=patch"),
        ({"generator_updates": 3}, "at most 2"),
        ({"weight_clip": 0.0}, "at least"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("dualgan", **settings)


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({}, {"num_blocks", "skips", "upsampling", "beta_1", "beta_2", "weight_clip", "discriminator_layers"}),
        ({"optimizer": "adam"}, {"rms_decay", "rms_momentum"}),
        ({"generator_type": "resnet"}, {"num_downs", "skips", "bottleneck_norm"}),
        ({"generator_type": "adalin"}, {"dropout", "norm", "bottleneck_norm", "inference_mode"}),
        ({"norm": "none", "dropout": False}, {"bottleneck_norm", "inference_mode"}),
        ({"gan_mode": "wgan"}, {"lambda_gradient_penalty"}),
    ],
)
def test_settings_without_effect_are_refused(settings, idle) -> None:
    config = DualGANConfig(**settings)
    assert idle <= config.idle.keys()
    for name in idle:
        with pytest.raises(UserError, match=f"{name} has no effect"):
            refuse_idle(config, [name])
    assert not config.idle.keys() & {"lambda_cycle_a", "lambda_cycle_b", "reconstruction", "n_critic", "learning_rate"}
    if config.generator_type == "dual_unet":
        assert "num_downs" not in config.idle
