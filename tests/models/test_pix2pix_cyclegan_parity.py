"""pix2pix and CycleGAN against arrays recorded from the authors' PyTorch code: outputs, losses, gradients, two updates.

Forward passes are compared in float32, gradients and updates in float64: see `test_bicyclegan_parity.py`.
"""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.layers.normalization import BatchNorm
from gan_zoo.models.base import TranslationModel
from gan_zoo.models.cyclegan import CycleGAN
from gan_zoo.models.pix2pix import Pix2Pix

PARITY = pathlib.Path(__file__).parents[1] / "parity"


def settings(options: dict, image_size: int) -> dict:
    """The authors' options in our names."""
    return {
        "image_size": image_size,
        "batch_size": options["batch_size"],
        "num_blocks": 6,
        "base_filters": options["ngf"],
        "norm": options["norm"],
        "dropout": not options["no_dropout"],
        "discriminator_filters": options["ndf"],
        "discriminator_layers": options["n_layers_D"],
        "discriminator_norm": options["norm"],
        "gan_mode": options["gan_mode"],
        "init_gain": options["init_gain"],
    }


class Recording:
    """One recorded run, and our model with its weights."""

    def __init__(self, file: str, model_class: type[TranslationModel], networks: dict[str, str], **more) -> None:
        self.arrays = np.load(PARITY / file)
        options = json.loads(str(self.arrays["config"]))
        size = self.arrays["input_image/0"].shape[1]
        self.model = model_class(model_class.config_class.from_dict(settings(options, size) | more))
        self.model.compile()
        self.variables = {
            theirs: assign(
                self.model.networks[ours],
                recorded_weights(self.arrays, f"weights/{theirs}/"),
                skip_first=ours == "generator",
            )
            for theirs, ours in networks.items()
        }

    def __getitem__(self, key: str) -> tf.Tensor:
        return tf.constant(self.arrays[key].astype(keras.backend.floatx()))

    def train_step(self, step: int) -> dict[str, float]:
        batch = {name: self[f"{name}/{step}"] for name in ("input_image", "target_image")}
        batch["example_index"] = step + tf.range(len(batch["input_image"]), dtype=tf.int64)
        return {name: float(loss) for name, loss in self.model.train_step(batch).items()}

    def losses(self, step: int) -> dict[str, float]:
        return dict(zip(self.arrays["loss_names"], self.arrays["losses"][step].tolist(), strict=True))


def pix2pix() -> Recording:
    return Recording("pix2pix_unet_128.npz", Pix2Pix, {"G": "generator", "D": "discriminator"})


def cyclegan() -> Recording:
    # A discriminator of theirs has the name of the direction that it trains, of ours that of the domain that it knows.
    networks = {
        "G_A": "generator_a_to_b",
        "G_B": "generator_b_to_a",
        "D_A": "discriminator_b",
        "D_B": "discriminator_a",
    }
    return Recording("cyclegan_resnet6_64.npz", CycleGAN, networks, pool_size=0)


RECORDINGS = {"pix2pix": pix2pix, "cyclegan": cyclegan}
LOSSES = {
    "pix2pix": {"G_GAN": "gan", "G_L1": "l1", "D_real": "discriminator_real", "D_fake": "discriminator_fake"},
    "cyclegan": {
        "D_A": "discriminator_b",
        "G_A": "gan_b",
        "cycle_A": "cycle_a",
        "idt_A": "identity_b",
        "D_B": "discriminator_a",
        "G_B": "gan_a",
        "cycle_B": "cycle_b",
        "idt_B": "identity_a",
    },
}


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))) / np.max(np.abs(np.asarray(theirs))))


def test_pix2pix_forward_in_float32() -> None:
    recording = pix2pix()
    fake = recording.model.generator(recording["input_image/0"], training=True)
    assert relative_error(fake, recording["step0/fake_B"]) < 1e-4


def test_cyclegan_forward_in_float32() -> None:
    recording = cyclegan()
    a, b = recording["input_image/0"], recording["target_image/0"]
    a_to_b, b_to_a = recording.model.translators.values()
    outputs = {
        "fake_B": a_to_b.function(a),
        "rec_A": a_to_b.cycle(a),
        "idt_A": a_to_b.function(b),
        "fake_A": b_to_a.function(b),
        "rec_B": b_to_a.cycle(b),
        "idt_B": b_to_a.function(a),
    }
    for name, output in outputs.items():
        assert relative_error(output, recording[f"step0/{name}"]) < 1e-4, name


@pytest.mark.parametrize("name", RECORDINGS)
def test_losses_in_float32(name) -> None:
    recording = RECORDINGS[name]()
    losses = recording.train_step(0)
    for theirs, value in recording.losses(0).items():
        assert losses[LOSSES[name][theirs]] == pytest.approx(value, rel=1e-4), theirs


@pytest.mark.parametrize("name", RECORDINGS)
def test_losses_gradients_and_two_updates_in_float64(name, float64) -> None:
    recording = RECORDINGS[name]()
    model, norms = recording.model, {}

    def remember_norms(network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(model.networks[network].trainable_variables, gradients, strict=True):
            norms.setdefault(id(variable), float(tf.norm(gradient)))
        type(model).apply_gradients(model, network, gradients)

    model.apply_gradients = remember_norms
    for step in (0, 1):
        losses = recording.train_step(step)
        assert sorted(losses) == sorted(LOSSES[name].values())
        for theirs, value in recording.losses(step).items():
            assert losses[LOSSES[name][theirs]] == pytest.approx(value, rel=1e-5), (step, theirs)

    compared = 0
    for theirs, by_name in recording.variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        recorded = {
            key.removeprefix(prefix): float(recording.arrays[key]) for key in recording.arrays.files if prefix in key
        }
        # Below that, gradients are zero by construction (a bias before an instance norm) and hold rounding noise.
        floor = 1e-4 * max(recorded.values())
        for key, value in recorded.items():
            if value > floor:
                assert norms[id(by_name[key])] == pytest.approx(value, rel=1e-5), (theirs, key)
                compared += 1
    assert compared > 40

    generator = next(iter(model.networks.values()))
    fake = generator(recording["input_image/0"], training=True)
    assert relative_error(fake, recording["after/fake"]) < 1e-4
    if name == "cyclegan":
        back = model.generator_b_to_a(recording["target_image/0"], training=True)
        assert relative_error(back, recording["after/fake_BA"]) < 1e-4
    # Now with the running statistics, after three updates of them.
    for layer in generator.layers:
        if isinstance(layer, BatchNorm):
            layer.inference = "running"
    assert relative_error(generator(recording["input_image/0"]), recording["after/fake_eval_mode"]) < 1e-4
