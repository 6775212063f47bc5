"""The plateau policy against PyTorch's, and as a part of runs that are interrupted."""

import json
import math
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_runs import EightPictures, run_train, use_eight_pictures

from gan_zoo.config import Config
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.runs.record import Run
from gan_zoo.training.loop import train
from gan_zoo.training.plateau import Plateau
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import build_model, make_strategy

# Recorded with PyTorch 2.15: the rate of an Adam of 2e-4 after each `scheduler.step(value)` of
# `ReduceLROnPlateau(optimizer, mode="min", factor=0.2, threshold=0.01, patience=5)`. The values fall noisily, stay, get
# better by less than the threshold and by more, and stay for so long that the rate stops falling.
RECORDED = json.loads((pathlib.Path(__file__).parents[1] / "parity" / "lr_plateau.json").read_text())


def test_it_does_what_pytorch_does() -> None:
    plateau = Plateau(2e-4)
    # The same products in float64.
    np.testing.assert_allclose([plateau.update(value) for value in RECORDED["values"]], RECORDED["rates"], rtol=1e-14)
    assert len(set(RECORDED["rates"])) == 8 and RECORDED["rates"][-10:] == RECORDED["rates"][-1:] * 10


def test_six_epochs_without_a_percent_of_progress() -> None:
    plateau = Plateau(1.0)
    rates = [plateau.update(value) for value in [1.0, 0.991, 1.0, 1.0, 1.0, 1.0, math.nan, 0.98, 0.9]]
    assert rates == [1.0] * 6 + [0.2] * 3
    assert (plateau.best, plateau.bad_epochs) == (0.9, 0)


def test_its_state_goes_on_in_another_one() -> None:
    whole, before = Plateau(2e-4), Plateau(2e-4)
    for value in RECORDED["values"][:30]:
        before.update(value)
    after = Plateau(2e-4)
    after.deserialize(before.serialize())
    rates = [whole.update(value) for value in RECORDED["values"]]
    assert [after.update(value) for value in RECORDED["values"][30:]] == rates[30:]
    fresh = Plateau(2e-4)
    fresh.deserialize(Plateau(2e-4).serialize())
    assert fresh.update(5.0) == 2e-4 and fresh.best == 5.0


class Tint(TranslationModel):
    """Two networks of one convolution of a pixel each, whose L1 falls: a run takes a second."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        for name in ("first", "second"):
            image = keras.Input((None, None, 3))
            setattr(self, name, keras.Model(image, keras.layers.Conv2D(3, 1)(image), name=name))

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"first": self.first, "second": self.second}

    @property
    def translators(self) -> dict[str, Translator]:
        return {
            "translate": Translator(
                function=lambda image: self.second(self.first(image)),
                networks=self.networks,
                input_channels=3,
                output_channels=3,
                image_size=self.config.image_size,
                size_multiple=1,
            )
        }

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = self.validation_l1(batch)
        gradients = tape.gradient(loss, [network.trainable_variables for network in self.networks.values()])
        for name, gradient in zip(self.networks, gradients, strict=True):
            self.apply_gradients(name, gradient)
        return {"l1": loss}


@pytest.fixture
def impatient(monkeypatch):
    """A policy that few epochs can move: it halves the rate after each that does not take a tenth off the L1."""
    monkeypatch.setattr(
        "gan_zoo.training.session.Plateau", lambda rate: Plateau(rate, patience=0, factor=0.5, threshold=0.1)
    )


def run_tint(workdir: pathlib.Path, source: EightPictures, steps: int, **settings) -> None:
    config = Config(image_size=8, batch_size=2, schedule="plateau", steps=steps, **settings)
    run = Run(model="tint", dataset="eight", data_dir=None, num_examples=len(source), settings=config.to_dict())
    code = train(
        Tint,
        config,
        run,
        workdir,
        source=source,
        sample_source=source,
        strategy=make_strategy("one"),
        intervals=Intervals(sample_every=0, log_every=1),
        say=lambda line: None,
    )
    assert code == 0


def scalars(workdir: pathlib.Path, tag: str) -> dict[int, float]:
    """What TensorBoard was told, by step."""
    found = {}
    for file in sorted((workdir / "logs").iterdir()):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                if value.tag == tag:
                    assert event.step not in found
                    found[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def saved(workdir: pathlib.Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The policy's state and the rates of all optimizers in the newest checkpoint."""
    reader = tf.train.load_checkpoint(str(workdir / "checkpoints"))
    names = reader.get_variable_to_shape_map()
    (state,) = [json.loads(reader.get_tensor(name)) for name in names if name.startswith("plateau/")]
    return state, {name: reader.get_tensor(name) for name in names if "_learning_rate" in name}


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path, impatient, eagerly) -> None:
    # Epochs of 2 steps. One run in a go, the other in pieces that end at an epoch's end, in the middle of one, at ends.
    one, pieces, source = tmp_path / "one", tmp_path / "pieces", EightPictures(size=8, count=4)
    run_tint(one, source, 16, learning_rate=0.05)
    for steps in (2, 7, 8, 16):
        run_tint(pieces, source, steps, learning_rate=0.05)

    rates, values = scalars(one, "learning_rate"), scalars(one, "validation_l1")
    assert list(rates) == list(range(1, 17)) and list(values) == list(range(2, 17, 2))
    assert scalars(pieces, "learning_rate") == rates and scalars(pieces, "validation_l1") == values
    # The rate of an epoch is what the epochs before it made of it; some of them did and some did not.
    plateau = Plateau(0.05, patience=0, factor=0.5, threshold=0.1)
    expected = [0.05] + [plateau.update(value) for value in values.values()]
    np.testing.assert_allclose(list(rates.values()), np.repeat(expected[:-1], 2), rtol=1e-6)
    assert expected[0] == expected[1] > expected[-2] > expected[-1]

    (state, optimizer_rates), (piece_state, piece_rates) = saved(one), saved(pieces)
    assert state == piece_state and state["rate"] == expected[-1]
    assert len(optimizer_rates) == 2 and optimizer_rates == piece_rates
    assert all(rate == np.float32(state["rate"]) for rate in optimizer_rates.values())


def test_the_value_is_the_mean_over_the_validation_examples(tmp_path, monkeypatch, eagerly) -> None:
    # Three examples of five, one of which is bad.
    monkeypatch.setattr("gan_zoo.training.layout.MAX_EXAMPLES", 3)
    source = EightPictures(size=8, count=5, bad=(1,))
    run_tint(tmp_path, source, 2, learning_rate=0.0)
    model = build_model(Tint, Config(image_size=8))
    (batch,) = evaluation_batches(source, Config(image_size=8), batch_size=5)
    values = [float(model.validation_l1({key: value[i : i + 1] for key, value in batch.items()})) for i in range(4)]
    assert scalars(tmp_path, "validation_l1")[2] == pytest.approx(np.mean(values[:3]), rel=1e-5)
    assert abs(values[3] - np.mean(values[:3])) > 1e-4


def test_train_takes_it_as_a_schedule(monkeypatch, tmp_path, eagerly) -> None:
    use_eight_pictures(monkeypatch, EightPictures(count=2))
    small = [f"--set={name}=2" for name in ("base_filters", "encoder_filters", "discriminator_filters")]
    run = ["--model=bicyclegan", "--dataset=eight", f"--workdir={tmp_path}", "--epochs=1", "--sample_every=0"]
    # Of this seed the mean, in float64, is no number of float32.
    result = run_train(*run, *small, "--set=discriminator_scales=1", "--set=schedule=plateau", "--set=seed=1")
    assert (result.code, result.err) == (0, ""), result
    state = saved(tmp_path)[0]
    assert np.float32(state.pop("best")) == scalars(tmp_path, "validation_l1")[1]  # as TensorBoard keeps it
    assert state == {"rate": 2e-4, "bad_epochs": 0}
