"""SRGAN: its input, its step written out, its two phases in one run, and the weights that its loss looks through."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from run_arrays import arrays
from tiny_models import built, noise_batch, tiny_config
from tiny_runs import EightPictures, run_train

from gan_zoo.bicubic import reduced
from gan_zoo.data.pipeline import training_stream
from gan_zoo.data.resizing import Resizing
from gan_zoo.data.single import SingleView
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.base import StartingWeights
from gan_zoo.models.srgan import SRGAN, SRGANConfig
from gan_zoo.networks.perceptual import STAGES, VGGFeatures
from gan_zoo.pretrained import fetching
from gan_zoo.pretrained.torch_writing import write_state_dict
from gan_zoo.runs.checkpoints import restore_networks
from gan_zoo.runs.record import Run
from gan_zoo.training.callbacks import DataEpochs
from gan_zoo.training.loop import train
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import build_model, make_strategy


def values(network) -> list[np.ndarray]:
    return [np.array(variable) for variable in network.variables]


def test_defaults_are_the_papers() -> None:
    config = SRGANConfig()
    assert (config.scale, config.num_blocks, config.base_filters, config.image_size, config.batch_size) == (
        *(4, 16, 64, 96, 16),
    )
    assert (config.learning_rate, config.beta_1, config.lambda_gan, config.content) == (1e-4, 0.9, 1e-3, "vgg54")
    assert config.loss == "paper" and config.norm == "batch" and config.trunk_end == "norm"
    # A tenth of the rate for the second half of the adversarial phase.
    assert config.decay_every == config.pretrain_epochs + (config.epochs - config.pretrain_epochs) // 2


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_input_is_the_truth_made_small(scale) -> None:
    model = SRGAN(tiny_config("srgan", scale=scale))
    source = SingleView(EightPictures())
    batch = next(iter(training_stream(source, model.config, make_input=model.make_input)))
    assert batch["input_image"].shape == (2, 32 // scale, 32 // scale, 3)
    np.testing.assert_allclose(batch["input_image"], reduced(batch["target_image"], scale), atol=2e-7)


def entropy(logits: tf.Tensor, real: bool) -> tf.Tensor:
    """-log of the probability that the sigmoid gives to the right answer."""
    return tf.reduce_mean(tf.math.softplus(-logits if real else logits))


@pytest.mark.parametrize("content", ["pixels", "vgg22"])
def test_a_step_is_the_papers(content, float64) -> None:
    model = built("srgan", content=content, lambda_gan=0.25)
    features = {"pixels": lambda image: image, "vgg22": lambda image: 3.0 * tf.abs(image[:, ::2])}[content]
    model.features = features
    batch = noise_batch(model.config)
    found = {}
    model.apply_gradients = lambda name, gradients: found.update({name: gradients})
    logs = model.train_step(batch)
    with tf.GradientTape(persistent=True) as tape:
        truth, fake = batch["target_image"], model.generator(batch["input_image"], training=True)
        (real_logits,), (fake_logits,) = (
            keras.tree.flatten(model.discriminator(image, training=True)) for image in (truth, fake)
        )
        expected = {
            "content": tf.reduce_mean((features(fake) - features(truth)) ** 2),
            "gan": 0.25 * entropy(fake_logits, True),
            "discriminator_real": entropy(real_logits, True),
            "discriminator_fake": entropy(fake_logits, False),
        }
        totals = {
            "generator": expected["content"] + expected["gan"],
            "discriminator": expected["discriminator_real"] + expected["discriminator_fake"],
        }
    assert {name: float(loss) for name, loss in logs.items()} == pytest.approx(
        {name: float(loss) for name, loss in expected.items()}, rel=1e-12
    )
    for name, total in totals.items():
        gradients = tape.gradient(total, model.networks[name].trainable_variables)
        largest = max(np.abs(gradient).max() for gradient in gradients)
        for ours, theirs in zip(found[name], gradients, strict=True):
            # float64, sums in another order.
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11 * largest)


def test_the_generator_alone_learns_by_the_square_error() -> None:
    model = built("srgan", pretrain_epochs=1, content="vgg54")  # whose weights are not needed yet
    batch, before = noise_batch(model.config), values(model.discriminator)
    fake = model.generator(batch["input_image"], training=True)
    logs = model.train_step(batch)
    assert logs.keys() == {"pixels"}
    assert float(logs["pixels"]) == pytest.approx(np.mean((fake - batch["target_image"]) ** 2), rel=1e-5)
    assert all(np.array_equal(old, new) for old, new in zip(before, values(model.discriminator), strict=True))
    model.begin_epoch(1)
    with pytest.raises(ValueError, match="content=vgg54 needs load_loss_weights"):
        model.train_step(batch)


class Phases(SRGAN):
    """Says where it is, at the cost of no learning."""

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"adversarial" if self.adversarial else "alone": tf.constant(1.0)}


def test_the_step_changes_in_the_middle_of_fit() -> None:
    """In a graph, where a step that was traced would stay what it was."""
    model, found = Phases(tiny_config("srgan", pretrain_epochs=1)), []
    model.compile()
    assert model.settled_epoch == 1
    stream = training_stream(SingleView(EightPictures()), model.config, make_input=model.make_input)
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: found.extend(logs))
    callbacks = [note, DataEpochs(0, 2)]
    model.fit(stream, epochs=1, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=callbacks)
    assert found == ["alone", "alone", "adversarial"]


def run(workdir: pathlib.Path, **settings) -> None:
    """Steps of two examples of eight: four are a data epoch."""
    config = tiny_config("srgan", pretrain_epochs=1, base_filters=2, discriminator_filters=2, **settings)
    record = Run(model="srgan", dataset="eight", data_dir=None, num_examples=8, settings=config.to_dict())
    train(
        SRGAN,
        config,
        record,
        workdir,
        source=SingleView(EightPictures()),
        sample_source=SingleView(EightPictures()),
        strategy=make_strategy("one"),
        intervals=Intervals(sample_every=0, evaluate_every=0, log_every=3, keep_every=1),
        say=lambda line: None,
    )


@pytest.mark.filterwarnings("ignore:Even though")
def test_a_run_resumes_exactly_and_reads_what_its_loss_needs_each_time(tmp_path, monkeypatch, eagerly) -> None:
    read = []
    monkeypatch.setattr(fetching, "load", lambda name: read.append(name) or {})
    monkeypatch.setattr("gan_zoo.models.srgan.VGGFeatures", lambda name, weights: tf.square)
    one, pieces = tmp_path / "one", tmp_path / "pieces"
    run(one, steps=6, content="vgg54")
    for steps in (2, 6):
        run(pieces, steps=steps, content="vgg54")
    assert read == ["vgg19"] * 3
    expected, found = arrays(one), arrays(pieces)
    assert expected.keys() == found.keys()
    assert not [name for name in expected if expected[name].tobytes() != found[name].tobytes()]
    # The discriminator has not learnt before the second epoch.
    fresh, after = (build_model(SRGAN, tiny_config("srgan", base_filters=2, discriminator_filters=2)) for _ in "ab")
    restore_networks(after, one, "4")
    pairs = zip(values(fresh.discriminator), values(after.discriminator), strict=True)
    assert all(np.array_equal(old, new) for old, new in pairs)


def test_the_discriminators_rate_follows_the_schedule_from_where_it_joins() -> None:
    model = SRGAN(tiny_config("srgan", pretrain_epochs=2))
    model.compile(EpochSchedule(1e-4 * np.array([1.0, 1.0, 0.5, 0.1]), 3))
    rates = {name: float(optimizer.learning_rate) for name, optimizer in model.optimizers.items()}
    assert rates == pytest.approx({"generator": 1e-4, "discriminator": 0.5e-4}, rel=1e-6)


def test_which_weights_a_run_needs() -> None:
    def needed(**settings) -> StartingWeights | None:
        return SRGAN(tiny_config("srgan", **settings)).loss_weights

    assert needed(content="vgg54") == StartingWeights(setting="vgg_weights", name="vgg19")
    own = StartingWeights(setting="vgg_weights", file="mine.pth")
    assert needed(content="vgg22", vgg_weights="mine.pth") == own
    assert needed(content="pixels") is None and needed(content="vgg54", loss="scripts") is None
    # SRResNet: the square error to the end.
    assert needed(content="vgg54", epochs=5, pretrain_epochs=5) is None


def test_a_file_of_other_weights_is_refused_before_anything_is_written(tmp_path, offline) -> None:
    write_state_dict(tmp_path / "other.pth", {"features.0.weight": np.zeros([64, 3, 3, 3], np.float32)})
    for file, message in (
        ("other.pth", "these are no weights of vgg19: features.0.bias is missing"),
        ("no.pth", "there is no such file"),
    ):
        with pytest.raises(UserError, match=message):
            run(tmp_path / "run", steps=1, content="vgg22", vgg_weights=str(tmp_path / file))
    with pytest.raises(UserError) as error:
        run(tmp_path / "run", steps=1, content="vgg54")
    for part in ("vgg19-dcbb9e9d.pth", "--set vgg_weights=FILE", "--set content=pixels needs none"):
        assert part in str(error.value)
    assert not (tmp_path / "run").exists() and len(offline) == 1


def test_early_features_need_early_weights_alone() -> None:
    random = np.random.default_rng(0)
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}
    weights = {f"features.{place}.weight": random.normal(0, 0.1, (*shape, 3, 3)) for place, shape in shapes.items()}
    weights |= {f"features.{place}.bias": np.zeros(shape[0]) for place, shape in shapes.items()}
    features = VGGFeatures("vgg22", weights)
    assert features(tf.zeros([1, 16, 24, 3])).shape == (1, 8, 12, 128)
    # Black in [-1, 1] is minus the mean over the deviation: of an image that has the mean nothing is left.
    mean = 2.0 * np.broadcast_to([0.485, 0.456, 0.406], [1, 16, 16, 3]) - 1.0
    assert np.abs(features(tf.constant(mean, tf.float32))).max() < 1e-6
    assert STAGES.keys() == {"vgg22", "vgg54"}


def photos(folder: pathlib.Path, *sides: int) -> str:
    (folder / "train").mkdir(parents=True)
    for number, side in enumerate(sides):
        picture = np.random.default_rng(number).integers(0, 256, (side, side + 8, 3), np.uint8)
        Image.fromarray(picture).save(folder / "train" / f"{number}.png")
    return str(folder)


WORDS = ("--model=srgan", "--dataset=folder", "--steps=1", "--sample_every=0", "--evaluate_every=0", "--batch_size=2")
SMALL = ("base_filters=2", "num_blocks=1", "discriminator_filters=2", "content=pixels", "pretrain_epochs=0")


def trained(folder: pathlib.Path, *sides: int, more: tuple[str, ...] = ()):
    settings = [word for setting in (*SMALL, *more) for word in ("--set", setting)]
    data = photos(folder / "photos", *sides)
    return run_train(*WORDS, f"--data_dir={data}", f"--workdir={folder / 'run'}", "--image_size=48", *settings)


def test_pictures_smaller_than_a_crop_are_left_out(tmp_path) -> None:
    result = trained(tmp_path, 64, 40)
    assert result.code == 0, result
    (line,) = (tmp_path / "run" / "skipped_files.txt").read_text().splitlines()
    assert "1.png" in line and "48x40 pixels: too few for 48x48 without being enlarged" in line
    refused = trained(tmp_path / "none", 40, 32)
    assert refused.code == 2, refused
    assert "error: 2 of 2 examples are bad" in refused.err and "40x32 pixels: too few for 48x48" in refused.err


def test_small_pictures_by_mode() -> None:
    def left_out(**changes) -> bool:
        model = SRGAN(SRGANConfig(image_size=32, content="pixels", **changes))
        skipped = SkippedFiles()
        source = SingleView(EightPictures(size=40, count=2))
        try:
            training_stream(source, model.config, make_input=model.make_input, skip_small=True, skipped=skipped)
        except UserError:
            return True
        return False

    assert not left_out() and not left_out(preprocess="resize_and_crop", load_scale=1.25)
    assert left_out(preprocess="resize_and_crop", load_scale=1.5)
    assert left_out(preprocess="scale_width_and_crop", load_scale=1.5)
    # Enlarged in one direction is enlarged.
    assert Resizing("resize_and_crop", 32, 50).too_small(40, 64) and Resizing("scale_width", 32, 50).too_small(99, 40)
    whole = {"batch_size": 1, "discriminator_head": "pool"}
    assert not left_out(preprocess="none", **whole)


REFUSED = [
    ({"scale": 3}, "scale=3: give 2, 4 or 8"),
    ({"image_size": 30}, "needs a multiple of 4"),
    ({"image_size": 8, "scale": 8}, "at least 16"),
    ({"input_channels": 1}, "the input is the target made small"),
    ({"input_channels": 4, "target_channels": 4}, "expected at most 3"),
    ({"input_channels": 1, "target_channels": 1, "content": "vgg54"}, "give content=pixels"),
    ({"preprocess": "none", "batch_size": 1}, "give discriminator_head=pool"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("srgan", **settings)


def test_settings_without_effect_are_known() -> None:
    assert (
        "vgg_weights" in tiny_config("srgan").idle and "vgg_weights" not in tiny_config("srgan", content="vgg54").idle
    )
    assert {"content", "vgg_weights"} <= set(tiny_config("srgan", loss="scripts").idle)
    assert "trunk_end" in tiny_config("srgan", norm="none").idle
    assert not {"content", "trunk_end"} & set(tiny_config("srgan").idle)
