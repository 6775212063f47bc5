"""pix2pix beyond the recordings: its noise, its ablations, and every part that can be chosen."""

import typing

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.errors import UserError
from gan_zoo.models.cyclegan import CycleGAN, CycleGANConfig
from gan_zoo.models.parts import PartsConfig, judge
from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig


def count(network) -> int:
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_defaults_are_the_authors_networks() -> None:
    model = Pix2Pix(Pix2PixConfig())
    assert count(model.generator) == 54_413_955 and count(model.discriminator) == 2_768_705
    model = CycleGAN(CycleGANConfig(pool_size=0))
    assert count(model.generator_a_to_b) == count(model.generator_b_to_a) == 11_378_179
    assert count(model.discriminator_a) == count(model.discriminator_b) == 2_764_737


DEEP = {"image_size": 64}  # the smallest U-Net with a block that drops values


def images(*seeds: int, size: int = 64) -> tf.Tensor:
    return tf.stack([tf.random.stateless_uniform([size, size, 3], [seed, 0], -1, 1) for seed in seeds])


def test_each_answer_is_a_function_of_its_image_and_its_seed() -> None:
    model = built("pix2pix", **DEEP)
    (translator,) = model.translators.values()
    assert translator.takes_seed
    together = translator.function(images(1, 2, 1), tf.constant([5, 6, 7], tf.int64))
    for row, (image, seed) in enumerate([(1, 5), (2, 6), (1, 7)]):
        alone = translator.function(images(image), tf.constant([seed], tf.int64))
        # The same sums in another order: float32 rounding of values up to 1.
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)
    assert np.abs(together[0] - together[2]).max() > 1e-4  # dropout is on, and differs


def test_inference_mode_eval_has_neither_noise_nor_image_statistics() -> None:
    model = built("pix2pix", inference_mode="eval", **DEEP)
    (translator,) = model.translators.values()
    assert not translator.takes_seed
    before = translator.function(images(1))
    np.testing.assert_array_equal(before, translator.function(images(1)))
    model.train_step(noise_batch(model.config))
    norm = next(layer for layer in model.generator.layers if layer.name.endswith("_norm"))
    shifted = norm.moving_mean + 10.0
    norm.moving_mean.assign(shifted)
    assert np.abs(translator.function(images(1)) - before).max() > 1e-3  # the running statistics count


def test_inference_mode_train_ignores_running_statistics() -> None:
    model = built("pix2pix", dropout=False, **DEEP)
    (translator,) = model.translators.values()
    before = translator.function(images(1, 2))
    for layer in model.generator.layers:
        if layer.name.endswith("_norm"):
            layer.moving_mean.assign(layer.moving_mean + 10.0)
    np.testing.assert_array_equal(before, translator.function(images(1, 2)))


def test_dropout_in_training_follows_the_example_and_nothing_else() -> None:
    model = built("pix2pix", **DEEP)
    batch, initial = noise_batch(model.config), model.generator.get_weights()

    def first_l1(index: tf.Tensor) -> float:
        model.generator.set_weights(initial)
        return float(model.train_step({**batch, "example_index": index})["l1"])

    first = first_l1(batch["example_index"])
    assert first_l1(batch["example_index"]) == first
    assert first_l1(batch["example_index"] + 1) != first


def test_the_plain_gan_judges_the_output_alone() -> None:
    model = built("pix2pix", conditional=False)
    assert model.discriminator.inputs[0].shape[-1] == 3
    assert built("pix2pix").discriminator.inputs[0].shape[-1] == 6
    assert set(model.train_step(noise_batch(model.config))) == {"gan", "l1", "discriminator_real", "discriminator_fake"}


def test_l1_alone_has_no_discriminator() -> None:
    model = built("pix2pix", lambda_gan=0.0)
    assert list(model.networks) == ["generator"]
    assert set(model.train_step(noise_batch(model.config))) == {"l1"}
    assert "l1" not in built("pix2pix", lambda_l1=0.0).train_step(noise_batch(model.config))


COMBINATIONS = [
    "unet batch transposed patch batch normal vanilla",
    "resnet instance bilinear pixel instance xavier lsgan",
    "adalin none transposed image layer kaiming hinge",
    "unet layer bilinear patch spectral orthogonal hinge",
    "resnet none transposed patch none normal wgangp",
]
CHOSEN = (
    "generator_type",
    "norm",
    "upsampling",
    "discriminator_type",
    "discriminator_norm",
    "init_type",
    "gan_mode",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_choice_is_in_a_combination(name) -> None:
    tried = {combination.split()[CHOSEN.index(name)] for combination in COMBINATIONS}
    assert tried == set(typing.get_args(typing.get_type_hints(PartsConfig)[name]))


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_parts_can_be_combined(name, combination) -> None:
    settings = dict(zip(CHOSEN, combination.split(), strict=True))
    settings["discriminator_scales"] = 2 if settings["discriminator_type"] == "patch" else 1
    settings["dropout"] = settings["generator_type"] != "adalin"
    model = built(name, **settings)
    before = [np.array(v) for net in model.networks.values() for v in net.trainable_variables]
    logs = model.train_step(noise_batch(model.config))
    assert all(np.isfinite(loss) for loss in logs.values()), logs
    assert any(log.startswith("gradient_penalty") for log in logs) == (settings["gan_mode"] == "wgangp")
    after = [np.array(v) for net in model.networks.values() for v in net.trainable_variables]
    assert all(np.isfinite(array).all() for array in after)
    assert sum(np.any(old != new) for old, new in zip(before, after, strict=True)) > len(before) / 2


def test_settings_without_effect_are_known() -> None:
    assert {"num_blocks", "skips", "lambda_gradient_penalty"} <= set(tiny_config("pix2pix").idle)
    adalin = tiny_config("pix2pix", generator_type="adalin").idle
    assert {"norm", "upsampling", "dropout", "inference_mode", "num_downs"} <= set(adalin)
    assert "skips" not in adalin and "num_blocks" not in adalin
    alone = tiny_config("pix2pix", lambda_gan=0.0).idle
    assert {"gan_mode", "conditional", "discriminator_norm"} <= set(alone)
    assert {"load_scale", "decay_fraction"} <= set(tiny_config("pix2pix", preprocess="crop", schedule="step").idle)


def test_a_u_net_too_shallow_for_dropout_takes_no_seed() -> None:
    assert not tiny_config("pix2pix").takes_seed and tiny_config("pix2pix", **DEEP).takes_seed


def test_the_penalty_of_a_conditional_discriminator_is_over_all_that_it_sees() -> None:
    model = built("pix2pix", gan_mode="wgangp", discriminator_norm="none")
    batch = noise_batch(model.config)
    condition, target = batch["input_image"], batch["target_image"]
    index = batch["example_index"]
    losses = model.discriminator_losses(condition, target, target, index)
    # Where real and fake are one, alpha matters not.
    seen = tf.concat([condition, target], axis=-1)
    with tf.GradientTape() as tape:
        tape.watch(seen)
        (logits,) = judge(model.discriminator, seen)
        total = tf.reduce_sum(logits)
    norms = tf.norm(tf.reshape(tape.gradient(total, seen), [len(index), -1]), axis=1)
    expected = model.config.lambda_gradient_penalty * tf.reduce_mean(tf.square(norms - 1.0))
    assert float(losses["gradient_penalty"]) == pytest.approx(float(expected), rel=1e-4)


REFUSED = [
    ({"image_size": 48}, "multiple of 32"),
    ({"generator_type": "resnet", "image_size": 50}, "multiple of 4"),
    ({"discriminator_type": "pixel", "discriminator_scales": 2}, "needs discriminator_type=patch"),
    ({"discriminator_layers": 5}, "fewer of them"),
    ({"discriminator_type": "image", "preprocess": "none", "batch_size": 1}, "another discriminator_type"),
    ({"lambda_gan": 0.0, "lambda_l1": 0.0}, "nothing to learn"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("pix2pix", **settings)
