"""BicycleGAN against arrays recorded from the authors' PyTorch code: outputs, losses, gradients, two updates.

The recordings were computed in float64 from weights and inputs that are exact in float32. In float32 a pre-activation
within rounding of zero flips its side of the kink, and one flip moves a gradient by up to 1e-2, so gradients and
updates are compared in float64, where 1e-5 leaves a wide margin; forward passes are compared in float32.
"""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig

PARITY = pathlib.Path(__file__).parents[1] / "parity"
LOSS_NAMES = {
    "G_GAN": "gan_encoded",
    "D": "discriminator_encoded",
    "G_GAN2": "gan_random",
    "D2": "discriminator_random",
    "G_L1": "l1",
    "z_L1": "latent",
    "kl": "kl",
}


class Recording:
    """One recorded run, and our model with its weights."""

    def __init__(self, name: str) -> None:
        self.arrays = np.load(PARITY / f"{name}.npz")
        options = json.loads(str(self.arrays["config"]))
        self.config = BicycleGANConfig(
            image_size=128,
            batch_size=options["batch_size"],
            input_channels=options["input_nc"],
            latent_dim=options["nz"],
            z_injection=options["where_add"],
            base_filters=options["ngf"],
            upsampling={"basic": "transposed"}.get(options["upsample"], options["upsample"]),
            dropout=options["use_dropout"],
            encoder_type={"resnet_128": "resnet", "conv_128": "plain"}[options["netE"]],
            encoder_filters=options["nef"],
            discriminator_filters=options["ndf"],
            discriminator_layers=2,
            discriminator_scales=options["num_Ds"],
            conditional=options["conditional_D"],
            gan_mode=options["gan_mode"],
        )
        self.model = BicycleGAN(self.config)
        self.model.compile()
        self.variables = {}
        networks = zip(["G", "E", "D", "D2"], self.model.networks.values(), strict=True)
        for short, network in networks:
            self.variables[short] = assign(network, recorded_weights(self.arrays, f"weights/{short}/"))

    def __getitem__(self, key: str) -> tf.Tensor:
        return tf.constant(self.arrays[key].astype(keras.backend.floatx()))

    def batch(self, step: int) -> dict[str, tf.Tensor]:
        images = {name: self[f"{name}/{step}"] for name in ("input_image", "target_image")}
        return {**images, "example_index": tf.range(4 * step, 4 * step + 4, dtype=tf.int64)}

    def train_step(self, step: int) -> dict[str, float]:
        recorded = {"encoded": self[f"eps/{step}"], "random": self[f"z_random/{step}"]}
        self.model.noise = lambda purpose, example_index: recorded[purpose]
        return {name: float(loss) for name, loss in self.model.train_step(self.batch(step)).items()}


@pytest.fixture(params=["bicyclegan_all_128", "bicyclegan_input_128"])
def recording(request) -> Recording:
    return Recording(request.param)


@pytest.fixture(params=["bicyclegan_all_128", "bicyclegan_input_128"])
def recording64(request, float64) -> Recording:
    return Recording(request.param)


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))) / np.max(np.abs(np.asarray(theirs))))


def test_forward_in_float32(recording: Recording) -> None:
    model, half = recording.model, 2
    target = recording["target_image/0"][:half]
    mu, logvar = model.encoder(target)
    assert relative_error(mu, recording["step0/mu"]) < 1e-4
    assert relative_error(logvar, recording["step0/logvar"]) < 1e-4
    z = mu + recording["eps/0"] * tf.exp(logvar / 2)
    assert relative_error(z, recording["step0/z_encoded"]) < 1e-4
    condition = recording["input_image/0"][:half]
    fake_encoded = model.generator([condition, z])
    fake_random = model.generator([condition, recording["z_random/0"]])
    assert relative_error(fake_encoded, recording["step0/fake_encoded"]) < 1e-4
    assert relative_error(fake_random, recording["step0/fake_random"]) < 1e-4
    assert relative_error(model.encoder(fake_random)[0], recording["step0/mu_of_fake_random"]) < 1e-4
    for scale, logits in enumerate(model._judge("encoded", condition, fake_encoded)):
        assert relative_error(logits, recording[f"step0/D_fake_encoded/{scale}"]) < 1e-4
    losses = recording.train_step(0)
    for name, theirs in zip(recording.arrays["loss_names"], recording.arrays["losses"][0], strict=True):
        assert losses[LOSS_NAMES[name]] == pytest.approx(theirs, rel=1e-4), name


def test_losses_gradients_and_two_updates_in_float64(recording64: Recording) -> None:
    recording, model = recording64, recording64.model
    norms = {}

    def remember_norms(name: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(model.networks[name].trainable_variables, gradients, strict=True):
            norms.setdefault(id(variable), float(tf.norm(gradient)))
        BicycleGAN.apply_gradients(model, name, gradients)

    model.apply_gradients = remember_norms
    names = [LOSS_NAMES[name] for name in recording.arrays["loss_names"]]
    for step in (0, 1):
        losses = recording.train_step(step)
        assert sorted(losses) == sorted(names)
        theirs = dict(zip(names, recording.arrays["losses"][step], strict=True))
        for name in names:
            assert losses[name] == pytest.approx(theirs[name], rel=1e-5), (step, name)

    compared = 0
    for short, by_name in recording.variables.items():
        theirs = {name: float(recording.arrays[f"step0/grad_norm/{short}/{name}"]) for name in by_name}
        # Below that, gradients are zero by construction (a bias before an instance norm) and hold rounding noise.
        floor = 1e-4 * max(theirs.values())
        for name, variable in by_name.items():
            if theirs[name] > floor:
                assert norms[id(variable)] == pytest.approx(theirs[name], rel=1e-5), (short, name)
                compared += 1
    assert compared > 40

    fake = model.generator([recording["input_image/0"][:2], recording["z_random/0"]])
    mu, logvar = model.encoder(recording["target_image/0"])
    assert relative_error(fake, recording["after/fake"]) < 1e-4
    assert relative_error(mu, recording["after/mu"]) < 1e-4
    assert relative_error(logvar, recording["after/logvar"]) < 1e-4
