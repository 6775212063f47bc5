"""Colorization: what goes in and comes out, its step written out, and a generator that first learns alone."""

import pathlib
import typing

import keras
import numpy as np
import pytest
import tensorflow as tf
from run_arrays import arrays
from small_run import with_large_weights
from tiny_models import built, noise_batch, tiny_config
from tiny_runs import EightPictures

from gan_zoo.data.pipeline import training_stream
from gan_zoo.data.single import SingleView
from gan_zoo.errors import UserError
from gan_zoo.lab import grey_to_network, rgb_to_lab, to_network
from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.base import StartingWeights
from gan_zoo.models.colorization import Colorization, ColorizationConfig, build_generator
from gan_zoo.models.parts import judge
from gan_zoo.pretrained import fetching
from gan_zoo.runs.checkpoints import Checkpoints, restore_networks
from gan_zoo.runs.record import Run
from gan_zoo.training.callbacks import DataEpochs
from gan_zoo.training.loop import train
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import build_model, make_strategy

KERNEL = {"unet": 0.3, "res_unet": 0.02, "dynamic_unet": 0.02}  # deviation of the last one, for colours within sRGB
GENERATORS = typing.get_args(typing.get_type_hints(ColorizationConfig)["generator_type"])


def photos() -> SingleView:
    return SingleView(EightPictures())


def batches(config: ColorizationConfig, **more) -> tf.data.Dataset:
    return training_stream(photos(), config, make_input=Colorization.make_input, **more)


def values(network) -> list[np.ndarray]:
    return [np.array(variable) for variable in network.variables]


def l_of(image: tf.Tensor) -> np.ndarray:
    """L of an RGB image `[..., 3]`, in [-1, 1]."""
    return to_network(rgb_to_lab(image))[0].numpy()


def test_defaults_are_the_authors_networks() -> None:
    model = Colorization(ColorizationConfig())
    counts = [sum(int(np.prod(v.shape)) for v in network.trainable_variables) for network in model.networks.values()]
    # pix2pix' U-Net, 54,413,955 from 3 to 3 channels, without 2 x 64 x 16 weights at its start, 128 x 16 and a bias at
    # its end; its discriminator of 6 channels without 3 x 64 x 16.
    assert counts == [54_413_955 - 2 * 64 * 16 - 128 * 16 - 1, 2_768_705 - 3 * 64 * 16]
    assert model.config.gan_mode == "vanilla" and model.config.lambda_l1 == 100.0 and model.adversarial


def test_the_input_is_the_grey_image_of_the_same_lightness() -> None:
    batch = next(iter(batches(tiny_config("colorization"))))
    assert batch["input_image"].shape == (2, 32, 32, 1) and batch["input_image"].dtype == tf.float32
    # float32 of numbers around 1.
    np.testing.assert_allclose(grey_to_network(batch["input_image"]), l_of(batch["target_image"]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("generator_type", GENERATORS)
def test_every_generator_learns_and_keeps_the_lightness(generator_type) -> None:
    model = built("colorization", generator_type=generator_type)
    before = values(model.generator)
    logs = model.train_step(noise_batch(model.config))
    assert all(np.isfinite(loss) for loss in logs.values()), logs
    moved = [np.any(old != new) for old, new in zip(before, values(model.generator), strict=True)]
    assert sum(moved) > 0.9 * len(moved)

    last = [layer for layer in model.generator.layers if layer.weights][-1].kernel  # as drawn, its colours are few
    last.assign(tf.random.stateless_normal(last.shape, [1, 2], stddev=KERNEL[generator_type]))
    (translator,) = model.translators.values()
    grey = tf.random.stateless_uniform([2, 64, 96, 1], [0, 0], -0.6, 0.6)
    output = translator.function(grey).numpy()
    inside = np.abs(output).max(-1) < 1  # in gamut: nothing was clipped
    assert inside.mean() > 0.5 and output.std(-1)[inside].max() > 0.05  # and yet with colour
    # L / 50 of an image that was rounded to float32 between the cube root and sRGB's curve.
    np.testing.assert_allclose(l_of(output)[inside], grey_to_network(grey).numpy()[inside], rtol=0, atol=2e-5)


def test_the_unet_can_do_without_transposed_convolutions() -> None:
    transposed = {
        upsampling: sum("Transpose" in type(layer).__name__ for layer in generator.layers)
        for upsampling in ("transposed", "bilinear")
        for generator in [build_generator(tiny_config("colorization", upsampling=upsampling))]
    }
    assert transposed == {"transposed": 5, "bilinear": 0}  # as many as halvings of 32 px


def test_dropout_is_noise_only_where_asked_for() -> None:
    deep = {"image_size": 64}
    (plain,) = built("colorization", **deep).translators.values()
    (noisy,) = with_large_weights(built("colorization", inference_mode="train", **deep)).translators.values()
    assert not plain.takes_seed and noisy.takes_seed
    grey = tf.random.stateless_uniform([1, 64, 64, 1], [0, 0], -1, 1)
    one, other = (noisy.function(grey, tf.constant([seed], tf.int64)) for seed in (1, 2))
    assert np.abs(one - other).max() > 1e-3


def entropy(logits: tf.Tensor, real: bool) -> tf.Tensor:
    """-log of the probability that the sigmoid gives to the right answer."""
    return tf.reduce_mean(tf.math.softplus(-logits if real else logits))


def test_a_step_is_pix2pix_on_lightness_and_ab(float64) -> None:
    model = built("colorization", lambda_gan=1.5, lambda_l1=30.0)
    batch = noise_batch(model.config)
    lightness, (_, ab) = grey_to_network(batch["input_image"]), to_network(rgb_to_lab(batch["target_image"]))
    fake = model.generator(_inputs(model, lightness, batch), training=True)

    def logits(image: tf.Tensor) -> tf.Tensor:
        (scale,) = judge(model.discriminator, tf.concat([lightness, image], -1))
        return scale

    with tf.GradientTape() as tape:
        real_loss, fake_loss = entropy(logits(ab), True), entropy(logits(fake), False)
        total = (real_loss + fake_loss) / 2
    expected = {"discriminator": tape.gradient(total, model.discriminator.trainable_variables)}
    gradients = {}

    def remember(name: str, found: list[tf.Tensor]) -> None:
        gradients[name] = found
        if name == "discriminator":  # the generator stays, so that its gradient can be taken again
            type(model).apply_gradients(model, name, found)

    model.apply_gradients = remember
    logs = model.train_step(batch)
    with tf.GradientTape() as tape:
        fake = model.generator(_inputs(model, lightness, batch), training=True)
        gan, l1 = 1.5 * entropy(logits(fake), True), 30.0 * tf.reduce_mean(tf.abs(fake - ab))
        total = gan + l1
    expected["generator"] = tape.gradient(total, model.generator.trainable_variables)

    losses = {"gan": gan, "l1": l1, "discriminator_real": real_loss, "discriminator_fake": fake_loss}
    assert {name: float(loss) for name, loss in logs.items()} == pytest.approx(
        {name: float(loss) for name, loss in losses.items()}, rel=1e-12
    )
    for name, found in gradients.items():
        largest = max(np.abs(gradient).max() for gradient in expected[name])
        for ours, theirs in zip(found, expected[name], strict=True):
            # float64, sums in another order.
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * largest)


def _inputs(model: Colorization, lightness: tf.Tensor, batch: dict[str, tf.Tensor]) -> list[tf.Tensor]:
    return [lightness, tf.zeros_like(batch["example_index"])]  # of 32 px, too small for a block that drops


@pytest.mark.parametrize("gan_mode", typing.get_args(typing.get_type_hints(ColorizationConfig)["gan_mode"]))
def test_every_gan_mode_gives_finite_losses(gan_mode) -> None:
    model = built("colorization", gan_mode=gan_mode, discriminator_norm="none")
    before = values(model.discriminator)
    logs = model.train_step(noise_batch(model.config))
    assert all(np.isfinite(loss) for loss in logs.values()), logs
    assert ("gradient_penalty" in logs) == (gan_mode == "wgangp")
    assert any(np.any(old != new) for old, new in zip(before, values(model.discriminator), strict=True))


class Phases(Colorization):
    """Says where it is, at the cost of no learning."""

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"adversarial" if self.adversarial else "alone": tf.constant(1.0)}


def test_the_step_changes_in_the_middle_of_fit() -> None:
    """In a graph, where a step that was traced would stay what it was."""
    config = tiny_config("colorization", pretrain_epochs=1)
    for start_step, expected in ((0, ["alone", "alone", "adversarial"]), (2, ["adversarial"] * 3)):
        model, found = Phases(config), []
        model.compile()
        note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, seen=found: seen.extend(logs))
        callbacks = [note, DataEpochs(start_step, 2)]
        model.fit(batches(config), epochs=1, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=callbacks)
        assert found == expected


STEPS, EPOCH = 8, 4
SETTINGS = {
    "base_filters": 2,
    "discriminator_filters": 2,
    "hints": True,  # drawn anew, not remembered
    "pretrain_epochs": 1,
    "discriminator_learning_rate": 1e-3,
    "decay_fraction": 1.0,
}


def run(workdir: pathlib.Path, steps: int, settings: dict = SETTINGS) -> None:
    config = tiny_config("colorization", steps=steps, **settings)
    train(
        Colorization,
        config,
        record(config),
        workdir,
        source=photos(),
        sample_source=photos(),
        strategy=make_strategy("one"),
        intervals=Intervals(sample_every=0, evaluate_every=0, log_every=3, keep_every=1),
        say=lambda line: None,
    )


def record(config: ColorizationConfig) -> Run:
    return Run(model="colorization", dataset="eight", data_dir=None, num_examples=8, settings=config.to_dict())


@pytest.mark.filterwarnings("ignore:Even though")
def test_a_run_resumes_exactly_in_both_phases_and_across_their_border(tmp_path, monkeypatch, eagerly) -> None:
    starts = []
    monkeypatch.setattr(Colorization, "starting_weights", StartingWeights(setting="", name="tiny"))
    monkeypatch.setattr(fetching, "load", lambda name: {})
    monkeypatch.setattr(Colorization, "load_pretrained", lambda _, weights: starts.append(weights))
    # The rate falls with each epoch of a run; they have to agree in how many there are.
    monkeypatch.setattr("gan_zoo.training.setup.epoch_factors", lambda *_, **__: np.array([1.0, 0.5]))
    one, pieces = tmp_path / "one", tmp_path / "pieces"
    run(one, STEPS)
    for steps in (2, 6, STEPS):
        run(pieces, steps)
    assert len(starts) == 2  # what others have trained is loaded where a run starts, and nowhere else
    expected, found = arrays(one), arrays(pieces)
    assert expected.keys() == found.keys()
    assert not [name for name in expected if expected[name].tobytes() != found[name].tobytes()]

    # Untouched, bit for bit, by the generator's training alone, and its optimizer has not begun.
    fresh, after = (build_model(Colorization, tiny_config("colorization", **SETTINGS)) for _ in range(2))
    assert restore_networks(after, one, str(EPOCH)) == EPOCH
    for old, new in zip(values(fresh.discriminator), values(after.discriminator), strict=True):
        np.testing.assert_array_equal(old, new)
    assert any(np.any(old != new) for old, new in zip(values(fresh.generator), values(after.generator), strict=True))
    after.compile(EpochSchedule([1.0], 1))
    assert Checkpoints(one, after, record(after.config)).restore_latest() == STEPS
    assert [int(each.iterations) for each in after.optimizers.values()] == [STEPS, STEPS - EPOCH]
    pairs = zip(fresh.discriminator.trainable_variables, after.discriminator.trainable_variables, strict=True)
    assert all(np.any(old.numpy() != new.numpy()) for old, new in pairs)


def test_the_discriminator_has_a_rate_of_its_own_under_the_schedule_of_the_run() -> None:
    rates = {"learning_rate": 4e-4, "discriminator_learning_rate": 1e-4}
    model = Colorization(tiny_config("colorization", pretrain_epochs=2, **rates))
    model.compile(EpochSchedule(4e-4 * np.array([1.0, 0.75, 0.5, 0.25]), 3))
    rates = {name: float(optimizer.learning_rate) for name, optimizer in model.optimizers.items()}
    # Its first step is the first of the third epoch.
    assert rates == pytest.approx({"generator": 4e-4, "discriminator": 0.5e-4}, rel=1e-6)
    assert model.learning_rate_of("discriminator", 2e-4) == pytest.approx(0.5e-4)  # as `plateau` asks
    model = built("colorization")
    assert model.learning_rate_of("discriminator", 0.3) == 0.3


def test_a_file_that_is_not_there_leaves_no_workdir(tmp_path) -> None:
    gone = {"generator_type": "dynamic_unet", "encoder_weights": str(tmp_path / "no.pth")}
    with pytest.raises(UserError, match=r"^encoder_weights=.*no\.pth: there is no such file$"):
        run(tmp_path / "run", 1, gone)
    assert not (tmp_path / "run").exists()


def test_settings_without_effect_are_known() -> None:
    assert {"encoder", "encoder_weights", "blur"} <= set(tiny_config("colorization").idle)
    res_unet, dynamic = (set(tiny_config("colorization", generator_type=name).idle) for name in GENERATORS[1:])
    of_unet = {"upsampling", "dropout", "inference_mode"}
    assert of_unet | {"encoder"} <= res_unet and not res_unet & {"num_downs", "norm"}
    assert of_unet | {"num_downs", "norm"} <= dynamic and not dynamic & {"encoder", "blur"}


REFUSED = [
    ({"image_size": 48}, "multiple of 32"),
    ({"num_downs": 4}, "5 halvings at least"),
    ({"generator_type": "res_unet", "num_downs": 6}, "multiple of 64"),
    ({"generator_type": "dynamic_unet", "image_size": 24}, "needs 32 px"),
    ({"encoder": "vgg16", "encoder_weights": "imagenet"}, "for vgg16 give the file"),
    ({"pretrain_epochs": 1, "lambda_l1": 0.0}, "nothing to learn from"),
    ({"learning_rate": 0.0, "discriminator_learning_rate": 1e-4}, "not 0"),
    ({"input_channels": 3}, "at most 1"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("colorization", **settings)
