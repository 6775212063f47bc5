"""What only U-GAT-IT does: its losses in numpy, what its settings reach, and where it looks."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.config import refuse_idle
from gan_zoo.errors import UserError
from gan_zoo.layers.normalization import SpectralConv2D
from gan_zoo.layers.resizing import ResizeToSquare
from gan_zoo.models import ugatit
from gan_zoo.models.ugatit import UGATIT
from gan_zoo.networks.attention_resnet import attention_resnet
from gan_zoo.translation import translating

WEIGHTS = {"lambda_gan": 1.5, "lambda_cycle": 7.0, "lambda_identity": 4.0, "lambda_cam": 30.0}
REAL = {
    "lsgan": lambda x: (x - 1) ** 2,
    "vanilla": lambda x: np.log1p(np.exp(-x)),
    "hinge": lambda x: np.maximum(1 - x, 0),
}
FAKE = {"lsgan": lambda x: x**2, "vanilla": lambda x: np.log1p(np.exp(x)), "hinge": lambda x: np.maximum(1 + x, 0)}
GENERATOR = REAL | {"hinge": lambda x: -x}
NAMES = [f"discriminator_{reach}_{domain}" for reach in ("global", "local") for domain in "ab"]


@pytest.fixture(scope="module")
def model() -> UGATIT:
    return built("ugatit", **WEIGHTS)


@pytest.fixture
def with_settings(model):
    """The model with other settings than those that its networks were built by."""
    config = model.config

    def change(**settings) -> UGATIT:
        model.config = dataclasses.replace(config, **settings)
        return model

    yield change
    model.config = config


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(np.float32)


def assert_losses(found: dict[str, tf.Tensor], expected: dict[str, float]) -> None:
    # Means of a few hundred numbers around 1, in float32.
    assert {name: float(loss) for name, loss in found.items()} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("mode", REAL)
def test_the_losses_of_the_generators(with_settings, mode) -> None:
    kinds = ("images", "cycled_images", "identity_images", "fake_classes", "own_classes")
    shapes = [(3, 4, 4, 3)] * 3 + [(3, 1, 1, 2)] * 2
    given = {
        kind: {domain: noise(*shape, seed=10 * place + number) for number, domain in enumerate("ab")}
        for place, (kind, shape) in enumerate(zip(kinds, shapes, strict=True))
    }
    logits = {
        name: [noise(3, 2, 2, 1, seed=100 + place), noise(3, 1, 1, 2, seed=200 + place)]
        for place, name in enumerate(NAMES)
    }
    expected = {
        name.replace("discriminator", "gan"): 1.5 * sum(GENERATOR[mode](part).mean() for part in parts)
        for name, parts in logits.items()
    }
    for domain in "ab":
        image = given["images"][domain]
        expected[f"cycle_{domain}"] = 7 * np.abs(given["cycled_images"][domain] - image).mean()
        expected[f"identity_{domain}"] = 4 * np.abs(given["identity_images"][domain] - image).mean()
        # Cross-entropies whatever the mode: what is to be translated is 1, what is not is 0.
        foreign, own = given["fake_classes"][domain], given["own_classes"][domain]
        expected[f"cam_{domain}"] = 30 * (np.log1p(np.exp(-foreign)).mean() + np.log1p(np.exp(own)).mean())
    assert_losses(with_settings(gan_mode=mode).generator_losses(**given, fake_logits=logits), expected)
    without = with_settings(gan_mode=mode, lambda_identity=0.0, lambda_cam=0.0)
    left = {name: value for name, value in expected.items() if not name.startswith(("identity", "cam"))}
    assert_losses(without.generator_losses(**given, fake_logits=logits), left)


@pytest.mark.parametrize("mode", REAL)
def test_the_losses_of_a_discriminator(with_settings, monkeypatch, mode) -> None:
    monkeypatch.setattr(ugatit, "judge", lambda discriminator, image: [image**2 / 2, 2 * image[:, :1, :1, :2]])
    real, fake = noise(3, 4, 4, 3), noise(3, 4, 4, 3, seed=1)
    losses = with_settings(gan_mode=mode).discriminator_losses("discriminator_local_b", real, fake)
    expected = sum(
        says(image**2 / 2).mean() + says(2 * image[:, :1, :1, :2]).mean()
        for says, image in ((REAL[mode], real), (FAKE[mode], fake))
    )
    assert_losses(losses, {"discriminator_local_b": 1.5 * expected})


def test_each_discriminator_sees_its_own_domain_and_each_generator_the_other(model, monkeypatch) -> None:
    seen = {}

    def judge(discriminator, image: tf.Tensor) -> list[tf.Tensor]:
        seen.setdefault(discriminator.name, []).append(image)
        return discriminator(image, training=False)

    monkeypatch.setattr(ugatit, "judge", judge)
    monkeypatch.setattr(model, "apply_gradients", lambda name, gradients: None)
    batch = noise_batch(model.config)
    images = {"a": batch["input_image"], "b": batch["target_image"]}
    losses = model.train_step(batch)
    translations = {"a": model.generator_b_to_a(images["b"]), "b": model.generator_a_to_b(images["a"])}
    for name, (real, fake, fake_again) in seen.items():
        np.testing.assert_array_equal(real, images[name[-1]])
        for image in (fake, fake_again):
            np.testing.assert_allclose(image, translations[name[-1]][0], atol=1e-6)
    for domain, other, back in (("a", "b", model.generator_b_to_a), ("b", "a", model.generator_a_to_b)):
        cycled, same = back(translations[other][0]), back(images[domain])
        expected = {"cycle": 7 * np.abs(cycled[0] - images[domain]).mean()}
        expected["identity"] = 4 * np.abs(same[0] - images[domain]).mean()
        foreign, own = translations[domain][1].numpy(), same[1].numpy()
        expected["cam"] = 30 * (np.log1p(np.exp(-foreign)).mean() + np.log1p(np.exp(own)).mean())
        for kind, value in expected.items():
            assert float(losses[f"{kind}_{domain}"]) == pytest.approx(value, rel=1e-5), (kind, domain)


def test_settings_reach_the_networks_and_the_optimizers(model) -> None:
    assert list(model.discriminators) == NAMES
    spectral = [layer for layer in model.discriminators[NAMES[0]].layers if isinstance(layer, SpectralConv2D)]
    assert len(spectral) == 4  # global_layers
    assert {optimizer.l2 for optimizer in model.optimizers.values()} == {1e-4}
    other = built(
        "ugatit", light=True, discriminators="local", discriminator_norm="none", weight_decay=0.2, num_blocks=2
    )
    assert list(other.networks) == ["generator_a_to_b", "generator_b_to_a", *NAMES[2:]]
    assert not any(isinstance(layer, SpectralConv2D) for layer in other.discriminators[NAMES[2]].layers)
    assert not any("/u" in variable.path for variable in other.discriminators[NAMES[2]].variables)
    assert {optimizer.l2 for optimizer in other.optimizers.values()} == {0.2}
    full, light = (each.generator_a_to_b.get_layer("style_0").kernel.shape for each in (model, other))
    assert (full, light) == ((16 * 8 * 8, 16), (16, 16))
    assert other.generator_a_to_b.get_layer("decoder_1")
    names = {name.rpartition("_")[0] for name in other.train_step(noise_batch(other.config))}
    assert names == {"discriminator_local", "gan_local", "cycle", "identity", "cam"}


def test_unbiased_variances_are_a_choice(model) -> None:
    image = noise(1, 32, 32, 3)
    other = built("ugatit", unbiased_variance=True)
    for mine, its in zip(other.generator_a_to_b.variables, model.generator_a_to_b.variables, strict=True):
        mine.assign(its)
    apart = np.abs(other.generator_a_to_b(image)[0] - model.generator_a_to_b(image)[0]).max()
    assert 1e-4 < apart < 0.1  # a 64th of a variance of 8 x 8 pixels


REFUSED = [
    ({"image_size": 30}, "image_size=30: this generator needs a multiple of 4"),
    ({"image_size": 64, "global_layers": 7}, "image_size=64: global_layers=7 needs 96 px; give fewer"),
    ({"image_size": 32, "local_layers": 6}, "image_size=32: local_layers=6 needs 48 px; give fewer"),
    ({"input_channels": 1}, "lambda_identity=10.0 needs domains of equal channels, not 1 and 3"),
    ({"input_channels": 1, "lambda_identity": 0.0}, "give --set lambda_identity=0 --set lambda_cam=0"),
]


@pytest.mark.parametrize(("settings", "sentence"), REFUSED)
def test_what_does_not_fit_is_refused(settings, sentence) -> None:
    with pytest.raises(UserError, match=sentence):
        tiny_config("ugatit", **settings)


def test_what_has_no_effect_is_refused() -> None:
    config = tiny_config("ugatit", discriminators="global", init_type="normal", local_layers=8)  # it is not there
    assert config.min_side == 12 and set(config.idle) & {"local_layers", "global_layers"} == {"local_layers"}
    with pytest.raises(UserError, match="local_layers has no effect with discriminators=global"):
        refuse_idle(config, ["local_layers"])
    with pytest.raises(UserError, match="init_gain has no effect with init_type=pytorch"):
        refuse_idle(tiny_config("ugatit"), ["init_gain"])
    assert "init_gain" not in config.idle


def test_domains_of_other_channels() -> None:
    model = built("ugatit", input_channels=1, target_channels=2, lambda_identity=0.0, lambda_cam=0.0, light=True)
    losses = model.train_step(noise_batch(model.config))
    assert {name.rpartition("_")[0] for name in losses} == {
        *("discriminator_global", "discriminator_local", "gan_global", "gan_local", "cycle")
    }
    assert model.translators["a_to_b"].function(noise(1, 8, 12, 1)).shape == (1, 8, 12, 2)


def test_a_discriminator_of_the_smallest_image_says_one_thing() -> None:
    model = built("ugatit", discriminators="global", global_layers=5, image_size=24, light=True)
    assert model.config.min_side == 24
    logits, classes = model.discriminators[NAMES[0]](noise(2, 24, 24, 3))
    assert logits.shape == (2, 1, 1, 1) and classes.shape == (2, 1, 1, 2)


def test_features_of_the_right_size_stay_and_others_are_resized() -> None:
    layer, features = ResizeToSquare(8), noise(2, 8, 8, 3)
    np.testing.assert_array_equal(layer(features), features)
    # Also where the size is not known in the graph.
    dynamic = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_array_equal(dynamic(features), features)
    twice = np.repeat(np.repeat(features, 2, 1), 2, 2)
    # Each pixel is a mean of 4 x 4 whose weights fall as the distance grows: 1 3 3 1 along each side.
    weights = np.array([1.0, 3.0, 3.0, 1.0]) / 8
    by_hand = np.einsum("i,j,bijc->bc", weights, weights, twice[:, 5:9, 5:9])
    np.testing.assert_allclose(dynamic(twice)[:, 3, 3], by_hand, atol=1e-5)
    with pytest.raises(ValueError, match="side=0"):
        ResizeToSquare(0)
    assert ResizeToSquare.from_config(layer.get_config()).side == 8


@pytest.mark.parametrize("light", [False, True])
def test_it_attends_where_its_features_are(model, light) -> None:
    generator = attention_resnet(
        input_channels=3, output_channels=3, image_size=32, num_blocks=1, base_filters=4, light=light
    )
    for height, width in ((32, 32), (24, 40)):
        image, logits, attended = generator(noise(1, height, width, 3))
        assert image.shape == (1, height, width, 3) and logits.shape == (1, 1, 1, 2)
        assert attended.shape == (1, height // 4, width // 4, 1) and np.min(attended) >= 0 < np.max(attended)


def test_levels_of_attention_are_each_images_own() -> None:
    strength = np.float32([[0, 2, 4, 1], [7, 7, 7, 7], [-3, -1, -2, -3]]).reshape(3, 2, 2, 1)
    levels = translating.to_levels(tf.constant(strength)).numpy()
    assert levels.dtype == np.uint8
    np.testing.assert_array_equal(levels.reshape(3, 4), [[0, 128, 255, 64], [0] * 4, [0, 255, 128, 0]])
