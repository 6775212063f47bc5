"""Checks find what is wrong with models that are ill, and nothing with those that are not."""

import functools
import pathlib

import pytest
import tensorflow as tf
from checked_models import checker, shapes
from small_run import small
from tiny_runs import NETWORKS_OF_THEIR_OWN, TINY

from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig
from gan_zoo.training import health
from gan_zoo.training.health_log import read_lines
from gan_zoo.training.validation import Validation


class Patient:
    """A small model with its checks, whose graphs serve all tests; `reset` undoes what was done to it."""

    def __init__(self, model) -> None:
        model.compile()
        self.model, self.validation = model, Validation(model.translators)
        parts = [*model.networks.values(), *model.optimizers.values()]
        self._at_first = [(variable, variable.numpy()) for part in parts for variable in part.variables]
        self._step, self._batch = tf.function(model.train_step), next(iter(shapes(model, "train")))

    def reset(self) -> "Patient":
        for variable, value in self._at_first:
            variable.assign(value)
        return self

    def train(self, steps: int = 1) -> dict[str, float]:
        """Learns from the same four examples; the last losses."""
        for _ in range(steps):
            losses = self._step(self._batch)
        return {key: float(value) for key, value in losses.items()}

    def found(self, folder: pathlib.Path, between=lambda: {}, checks: int = 3, **changes) -> list[str]:
        """The keys that are said at checks from step 1,000 on; `between` goes on learning and gives the losses."""
        callback = checker(self.model, folder, validation=self.validation, **changes)
        for number in range(checks):
            callback.on_step(1000 + 500 * number, between())
        self.lines = callback.log.lines
        keys = [key for each in self.lines for key in each["warnings"]]
        # Once each, and the measures in the file are enough to say the same again.
        assert len(keys) == len(set(keys))
        assert health.replay(read_lines(folder)) == self.lines
        return keys


@pytest.fixture(scope="module")
def patients():
    # Without a skip, and without statistics that were learnt, random weights make all images alike.
    settings = {"pix2pix": {"gan_mode": "lsgan"}, "discogan": {"norm": "instance"}}
    return functools.cache(lambda name: Patient(small(name, **settings.get(name, {}))))


@pytest.mark.parametrize("name", NETWORKS_OF_THEIR_OWN)
def test_models_of_random_weights_are_not_ill(patients, name, tmp_path) -> None:
    patient = patients(name).reset()
    assert patient.found(tmp_path) == []
    first, _, last = (each["measures"]["translators"] for each in patient.lines)
    assert first == last and first.keys() == patient.model.translators.keys()  # the same examples, the same noise
    for key, of_one in first.items():
        translator = patient.model.translators[key]
        assert ("sample_distance" in of_one) == bool(translator.latent_dim)
        assert ("l1" in of_one) == (translator.target_key is not None)
    for each in patient.validation._of_each.values():
        assert each._translated._answer.experimental_get_tracing_count() == 1


def first_kernel(model) -> tf.Variable:
    return model.generator.trainable_variables[0]  # [4, 4, channels of image and z, filters]


def last_kernel(model) -> tf.Variable:
    return [variable for variable in model.generator.trainable_variables if "kernel" in variable.path][-1]


def ignores_noise(model) -> None:
    kernel, channels = first_kernel(model), model.config.input_channels
    kernel.assign(tf.concat([kernel[:, :, :channels], 0.0 * kernel[:, :, channels:]], axis=2))


def ignores_input(model) -> None:
    first_kernel(model).assign(tf.zeros(first_kernel(model).shape))


def paints_one_colour(model) -> None:
    last_kernel(model).assign(tf.zeros(last_kernel(model).shape))


def saturates(model) -> None:
    last_kernel(model).assign(last_kernel(model) * 1e4)


def paints_grey(model) -> None:
    kernel, bias = last_kernel(model), model.generator.trainable_variables[-1]
    kernel.assign(tf.repeat(kernel[:, :, :1], 3, axis=2))  # [4, 4, channels of the image, filters]
    bias.assign(tf.zeros(bias.shape))


@pytest.mark.parametrize(
    ("name", "make_ill", "expected"),
    [
        ("bicyclegan", ignores_noise, "noise_ignored"),
        ("pix2pix", ignores_input, "mode_collapse"),
        ("pix2pix", paints_one_colour, "constant_output"),
        ("bicyclegan", saturates, "saturated_output"),
        ("pix2pix", paints_grey, "colours_fading"),
    ],
)
def test_an_ill_generator_is_told(patients, name, make_ill, expected, tmp_path) -> None:
    patient = patients(name).reset()
    make_ill(patient.model)
    assert patient.found(tmp_path) == [expected]


def test_a_discriminator_that_has_won_is_told(patients, tmp_path) -> None:
    patient = patients("pix2pix").reset()
    for name, rate in (("generator", 0.0), ("discriminator", 0.01)):  # the one does not defend itself
        patient.model.optimizers[name].learning_rate.assign(rate)
    patient.train(150)
    assert patient.found(tmp_path, patient.train, checks=5) == ["discriminator_won/discriminator"]


def test_weights_that_blow_up_are_told(patients, tmp_path) -> None:
    patient = patients("pix2pix").reset()
    checks = iter(range(4))

    def between() -> dict[str, float]:
        if next(checks) == 3:
            head = patient.model.discriminator.trainable_variables[-2]
            head.assign(head * 1e4)
        return patient.train(3)

    keys = patient.found(tmp_path, between, checks=4)
    assert set(keys) == {"exploding_gradients/generator", "exploding_gradients/discriminator"}


def test_learning_by_heart_is_told(tmp_path) -> None:
    settings = {"base_filters": 8, "lambda_gan": 0.0, "norm": "instance", "learning_rate": 0.01}
    patient = Patient(Pix2Pix(Pix2PixConfig.from_dict(TINY["pix2pix"] | settings)))
    patient.train(150)
    # The four examples that it has seen, over and over, against those that it has not.
    assert patient.found(tmp_path, training_batches=shapes(patient.model, "train").take(1)) == ["overfitting"]
