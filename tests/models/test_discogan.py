"""DiscoGAN beyond the recordings: each weight in numpy, who learns when, what it refuses."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.config import refuse_idle
from gan_zoo.errors import UserError
from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.discogan import DiscoGAN, DiscoGANConfig
from gan_zoo.networks.discriminators.features import with_features
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.discriminators.pixel_discriminator import pixel_discriminator


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


@pytest.fixture(scope="module")
def model() -> DiscoGAN:
    return built("discogan", discriminator_every=3, weight_decay=0.0)


@pytest.fixture
def with_settings(model):
    """The model with other settings than those that its networks were built by, at a step of choice."""
    config = model.config

    def change(step: int = 0, **settings) -> DiscoGAN:
        model.config = dataclasses.replace(config, **settings)
        model.step.assign(step)
        return model

    yield change
    model.config = config


def test_every_weight_of_the_losses(with_settings) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(3, 1, 1, 1)).astype(np.float32)
    reals, fakes = ([random.normal(size=(3, 4, 4, 2)).astype(np.float32) for _ in range(2)] for _ in range(2))
    images, cycled = ({name: random.uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32) for name in "ab"} for _ in range(2))
    features = sum(((real.mean(0) - fake.mean(0)) ** 2).mean() for real, fake in zip(reals, fakes, strict=True))
    for step, rate in ((6, 0.125), (7, 0.75)):
        model = with_settings(
            step, lambda_gan=3.0, lambda_features=5.0, start_rate=0.125, rate=0.75, rate_change_step=7
        )
        found = model.deception("b", [logits], reals, fakes) | model.ways_back(images, cycled)
        expected = {
            "gan_b": (1 - rate) * 3.0 * softplus(-logits).mean(),
            "features_b": (1 - rate) * 5.0 * features,
            # In [0, 1]: half of every distance.
            "cycle_a": rate * ((cycled["a"] - images["a"]) ** 2).mean() / 4,
            "cycle_b": rate * ((cycled["b"] - images["b"]) ** 2).mean() / 4,
        }
        assert {key: float(value) for key, value in found.items()} == pytest.approx(expected, rel=1e-5)
    judged = with_settings().judgement("a", [logits], [2 * logits])
    expected = (softplus(-logits).mean() + softplus(2 * logits).mean()) / 2
    assert float(judged["discriminator_a"]) == pytest.approx(expected, rel=1e-5)


def test_a_step_teaches_by_the_sum_of_the_losses_that_it_reports(with_settings) -> None:
    """And those alone whose turn it is; the rate changes between two steps."""
    model = with_settings(2, start_rate=0.25, rate=0.75, rate_change_step=4)
    batch, taught, losses = noise_batch(model.config), [], []
    model.apply_gradients = lambda name, gradients: taught[-1].append(name)
    for _ in range(5):  # steps 2 to 6
        taught.append([])
        losses.append({key: float(value) for key, value in model.train_step(batch).items()})
    del model.apply_gradients
    generators, discriminators = (
        [name for name in model.networks if name.startswith(kind)] for kind in ("generator", "discriminator")
    )
    assert taught == [generators, discriminators, generators, generators, discriminators]
    assert int(model.step) == 7
    # Nothing was learnt: only the rate has changed, from the third of these steps on.
    for name, ratio in (("cycle_a", 3.0), ("features_b", 1 / 3), ("gan_a", 1 / 3), ("discriminator_a", 1.0)):
        of_step = np.array([each[name] for each in losses])
        np.testing.assert_allclose(of_step / of_step[0], [1, 1, ratio, ratio, ratio], rtol=1e-4)


def test_every_nth_step_is_the_discriminators() -> None:
    for every, discriminator, generator in ((1, (0,), (0,)), (2, (0,), (1,)), (4, (0,), (1, 2, 3))):
        config = tiny_config("discogan", discriminator_every=every)
        assert (config.turn_length, config.turns) == (every, {"discriminator": discriminator, "generator": generator})


def test_optimizers_follow_the_schedule_of_the_run_and_the_decay(model) -> None:
    model.compile(EpochSchedule(np.arange(10.0), 1))
    rates = {name: [float(o._learning_rate(tf.constant(n))) for n in range(3)] for name, o in model.optimizers.items()}
    assert rates["discriminator_a"] == [0, 3, 6] and rates["generator_b_to_a"] == [1, 2, 4]
    model.compile()
    decaying = built("discogan", weight_decay=0.5, learning_rate=0.01)
    for network, optimizer in decaying.optimizers.items():
        variables = decaying.networks[network].trainable_variables
        variables[0].assign(tf.fill(variables[0].shape, -2.0))
        decaying.apply_gradients(network, [tf.zeros_like(variable) for variable in variables])
        # Adam's first step is the rate, against the gradient, which is the decay alone.
        np.testing.assert_allclose(variables[0], -1.99, atol=1e-5)
        assert optimizer.iterations.numpy() == 1


@pytest.mark.parametrize(
    ("objective", "networks", "translators"),
    [
        ("recongan", ["generator_a_to_b", "generator_b_to_a", "discriminator_b"], ["a_to_b", "b_to_a"]),
        ("gan", ["generator_a_to_b", "discriminator_b"], ["a_to_b"]),
    ],
)
def test_the_baselines_have_fewer_networks(objective, networks, translators) -> None:
    model = built("discogan", objective=objective)
    assert list(model.networks) == networks and list(model.translators) == translators
    assert (model.translators["a_to_b"].cycle is None) == (objective == "gan")
    losses = model.train_step(noise_batch(model.config))
    assert losses.keys() == {"gan_b", "features_b", "discriminator_b"} | (
        {"cycle_a"} if objective == "recongan" else set()
    )


def test_features_are_what_leaves_the_later_activations() -> None:
    image = tf.random.stateless_normal([2, 32, 32, 3], [0, 0])
    patch = patch_discriminator(input_channels=3, base_filters=2, num_layers=2, num_scales=2)
    for network, channels in ((patch, [4, 8, 2, 4]), (pixel_discriminator(input_channels=3, base_filters=2), [4])):
        logits, features = with_features(network)(image)
        for ours, plain in zip(logits, keras.tree.flatten(network(image)), strict=True):
            np.testing.assert_array_equal(ours, plain)
        assert [feature.shape[-1] for feature in features] == channels
    norm, activation = patch.get_layer("scale_1_norm_1"), patch.get_layer("scale_1_activation_1")
    of_scale_1 = keras.Model(patch.input, norm.output)(image)
    np.testing.assert_allclose(with_features(patch)(image)[1][2], activation(of_scale_1), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extra_layer": True, "image_size": 32}, "a multiple of 64"),
        ({"image_size": 40}, "a multiple of 16"),
        ({"objective": "gan", "schedule": "plateau"}, "another schedule"),
        ({"rate": 1.5}, "at most 1"),
        ({"discriminator_every": 0}, "at least 1"),
        ({"preprocess": "none", "batch_size": 1, "discriminator_type": "image"}, "another discriminator_type"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("discogan", **settings)


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({}, {"num_downs", "num_blocks", "skips", "upsampling", "dropout", "init_gain", "lambda_gradient_penalty"}),
        ({"generator_type": "resnet", "init_type": "normal"}, {"num_downs", "skips", "extra_layer"}),
        ({"generator_type": "adalin", "discriminator_type": "patch"}, {"extra_layer", "norm", "inference_mode"}),
        ({"objective": "gan"}, {"start_rate", "rate", "rate_change_step"}),
        ({"rate_change_step": 0}, {"start_rate"}),
        ({"norm": "instance"}, {"inference_mode"}),
    ],
)
def test_settings_without_effect_are_refused(settings, idle) -> None:
    config = DiscoGANConfig(**settings)
    assert idle <= config.idle.keys()
    for name in idle:
        with pytest.raises(UserError, match=f"{name} has no effect"):
            refuse_idle(config, [name])
    used = {"weight_decay", "lambda_gan", "lambda_features", "objective", "discriminator_every"}
    assert not config.idle.keys() & used
