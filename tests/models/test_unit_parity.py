"""UNIT against arrays recorded from the authors' code (28d5982): outputs, losses, gradients, two iterations in float64.

Of images the recordings hold every third pixel of every third row, of codes every fourth or eighth.
"""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import drawn_weights

from gan_zoo.models.unit import OTHER, UNIT, UNITConfig
from gan_zoo.pretrained.torch_layout import to_keras_layout

PARITY = pathlib.Path(__file__).parents[1] / "parity"
# Their losses by domain, ours, and the option that is their weight.
LOSSES = {
    "gen_adv": ("gan", "gan_w"),
    "gen_recon_x": ("recon", "recon_x_w"),
    "gen_cyc_x": ("cycle", "recon_x_cyc_w"),
    "gen_recon_kl": ("kl", "recon_kl_w"),
    "dis": ("discriminator", "gan_w"),
}
NOISES = {"discriminator": "dis/h_{}", "forth": "gen/h_{}", "back": "gen/h_{}_recon"}
# What is made in the first iteration, with the domain and the other one as 0 and 1.
MADE = {
    "h_{0}": "codes",
    "h_{0}_recon": "back_codes",
    "x_{0}_recon": "recon_images",
    "x_{1}{0}": "fake_images",
    "x_{0}{1}{0}": "cycled_images",
}


def config_of(options: dict) -> UNITConfig:
    """The authors' options in our names."""
    generator, discriminator = options["gen"], options["dis"]
    return UNITConfig(
        image_size=options["crop_image_height"],
        input_channels=options["input_dim_a"],
        target_channels=options["input_dim_b"],
        batch_size=options["batch_size"],
        learning_rate=options["lr"],
        beta_1=options["beta1"],
        beta_2=options["beta2"],
        weight_decay=options["weight_decay"],
        base_filters=generator["dim"],
        num_downs=generator["n_downsample"],
        num_blocks=generator["n_res"],
        activation={"relu": "relu", "lrelu": "leaky_relu"}[generator["activ"]],
        padding=generator["pad_type"],
        discriminator_filters=discriminator["dim"],
        discriminator_layers=discriminator["n_layer"],
        discriminator_scales=discriminator["num_scales"],
        discriminator_norm={"none": "none", "in": "instance"}[discriminator["norm"]],
        gan_mode={"lsgan": "lsgan", "nsgan": "vanilla"}[discriminator["gan_type"]],
        lambda_gan=options["gan_w"],
        lambda_recon=options["recon_x_w"],
        lambda_cycle=options["recon_x_cyc_w"],
        lambda_kl=options["recon_kl_w"],
        lambda_kl_cycle=options["recon_kl_cyc_w"],
    )


def layers(config: UNITConfig, kind: str) -> dict[str, str]:
    """Our layers by the authors' modules, of an encoder, a decoder or a discriminator."""
    downs = config.num_downs
    if kind == "discriminator":
        last = config.discriminator_layers
        modules = {
            f"cnns.{s}.{n}.conv": f"scale_{s}_conv_{n}" for s in range(config.discriminator_scales) for n in range(last)
        }
        return modules | {f"cnns.{s}.{last}": f"scale_{s}_conv_{last}" for s in range(config.discriminator_scales)}
    first = f"enc.model.{downs + 1}" if kind == "encoder" else "dec.model.0"
    modules = {
        f"{first}.model.{b}.model.{n}.conv": f"block_{b}_conv_{n}" for b in range(config.num_blocks) for n in (0, 1)
    }
    if kind == "encoder":
        return (
            modules | {"enc.model.0.conv": "conv_in"} | {f"enc.model.{n + 1}.conv": f"down_{n}" for n in range(downs)}
        )
    for level in range(downs):  # an upsampling without weights stands before each convolution
        module = f"dec.model.{2 * (downs - level)}"
        modules |= {f"{module}.conv": f"up_{level}", f"{module}.norm": f"up_{level}_norm"}
    return modules | {f"dec.model.{2 * downs + 1}.conv": "conv_out"}


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


class Recording:
    """A recorded run, and our model with its weights, which remembers what its training steps do."""

    def __init__(self, name: str) -> None:
        self.arrays = np.load(PARITY / f"{name}.npz")
        self.options = json.loads(str(self.arrays["config"]))
        self.model = UNIT(config_of(self.options))
        self.model.compile()
        self.variables = {}  # by network and name of theirs
        for theirs, ours in (("gen", "encoder"), ("gen", "decoder"), ("dis", "discriminator")):
            for domain in OTHER:
                self._assign(f"{theirs}_{domain}", f"{ours}_{domain}", drawn_weights(self.arrays, f"{name}."))
        assert len(self.variables) == len(json.loads(str(self.arrays["shapes"])))
        assert len(self.variables) == sum(len(network.trainable_variables) for network in self.model.networks.values())
        self.norms: dict[int, float] = {}  # of the first gradients
        self.made: dict[str, dict] = {}  # in the first step
        self.model.apply_gradients, self.model.noise = self._apply_gradients, self._noise
        self.model.generator_losses, self.model.discriminator_losses = self._generator_losses, self._judged

    def _assign(self, theirs: str, ours: str, weights: dict[str, np.ndarray]) -> None:
        for module, layer in layers(self.model.config, ours.removesuffix("_a").removesuffix("_b")).items():
            pairs = {"weight": "kernel", "bias": "bias"}
            if module.endswith("norm"):
                pairs = {"gamma": "gamma", "beta": "beta"}
            for name, attribute in pairs.items():
                variable = getattr(self.model.networks[ours].get_layer(layer), attribute)
                variable.assign(to_keras_layout(weights[f"{theirs}.{module}.{name}"]))
                self.variables[f"{theirs}/{module}.{name}"] = variable

    def _apply_gradients(self, network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(self.model.networks[network].trainable_variables, gradients, strict=True):
            self.norms.setdefault(id(variable), float(tf.norm(gradient)))
        UNIT.apply_gradients(self.model, network, gradients)

    def _noise(self, purpose: str, domain: str, code: tf.Tensor, example_index: tf.Tensor) -> tf.Tensor:
        self.asked.append(purpose + domain)
        return tf.constant(self.arrays[f"noise/{self.step}/{NOISES[purpose].format(domain)}"].astype(np.float64))

    def _generator_losses(self, images: dict, **made: dict) -> dict[str, tf.Tensor]:
        self.made = made | self.made
        return UNIT.generator_losses(self.model, images, **made)

    def _judged(self, images: dict, fake_images: dict) -> dict[str, tf.Tensor]:
        for kind, of_kind in (("real", images), ("fake", fake_images)):
            logits = {domain: self.model.networks[f"discriminator_{domain}"](of_kind[domain]) for domain in OTHER}
            self.made.setdefault(kind, logits)
        return UNIT.discriminator_losses(self.model, images, fake_images)

    def images(self, step: int) -> dict[str, tf.Tensor]:
        return {domain: tf.constant(self.arrays[f"x_{domain}/{step}"].astype(np.float64)) for domain in OTHER}

    def train_step(self, step: int) -> dict[str, float]:
        self.step, self.asked = step, []
        images = self.images(step)
        batch = {"input_image": images["a"], "target_image": images["b"], "example_index": None}
        logs = {name: float(loss) for name, loss in self.model.train_step(batch).items()}
        assert sorted(self.asked) == sorted(purpose + domain for purpose in NOISES for domain in OTHER)
        return logs

    def losses(self, step: int) -> dict[str, float]:
        """By our names, with their weights."""
        theirs = dict(zip(self.arrays["loss_names"], self.arrays["losses"][step].tolist(), strict=True))
        ours = {
            f"{name}_{domain}": self.options[weight] * theirs[f"{key}_{domain}"]
            for key, (name, weight) in LOSSES.items()
            for domain in OTHER
        }
        for domain, way in (("a", "aba"), ("b", "bab")):
            ours[f"kl_cycle_{domain}"] = self.options["recon_kl_cyc_w"] * theirs[f"gen_recon_kl_cyc_{way}"]
        total = sum(value for name, value in ours.items() if not name.startswith("discriminator"))
        assert total == pytest.approx(theirs["gen_total"], rel=1e-9)
        return ours

    def compare_what_was_made(self) -> int:
        """How many codes and images were compared."""
        compared = 0
        for pattern, kind in MADE.items():
            for domain, other in OTHER.items():
                key, ours = f"step0/{pattern.format(domain, other)}", self.made[kind][domain]
                if key in self.arrays:  # the larger recording lacks some for its size
                    every = ours.shape[1] // 4 if "codes" in kind else 3
                    assert relative_error(ours[:, ::every, ::every], self.arrays[key]) < 1e-6, key
                    compared += 1
        return compared

    def compare_logits(self) -> None:
        for kind in ("real", "fake"):
            for domain, scales in self.made[kind].items():
                for scale, logits in enumerate(scales):
                    theirs = self.arrays[f"step0/dis_{domain}_{kind}/{scale}"]
                    assert relative_error(logits, theirs) < 1e-6, (kind, domain, scale)

    def compare_gradients(self) -> int:
        """How many were compared."""
        compared = 0
        for network in ("gen_a", "gen_b", "dis_a", "dis_b"):
            prefix = f"step0/grad_norm/{network}/"
            recorded = {key: float(self.arrays[key]) for key in self.arrays.files if key.startswith(prefix)}
            # Below that, gradients are zero by construction (a bias before an instance norm) and hold rounding noise.
            floor = 1e-4 * max(recorded.values())
            for key, value in recorded.items():
                if value > floor:
                    variable = self.variables[key.removeprefix("step0/grad_norm/")]
                    assert self.norms[id(variable)] == pytest.approx(value, rel=1e-5), key
                    compared += 1
        return compared


@pytest.mark.parametrize(("name", "num_made", "num_gradients"), [("unit_64", 6, 102), ("unit_nsgan_64", 10, 48)])
def test_outputs_losses_gradients_and_two_iterations(name, num_made, num_gradients, float64) -> None:
    recording = Recording(name)
    model, arrays = recording.model, recording.arrays
    for step in (0, 1):
        losses, theirs = recording.train_step(step), recording.losses(step)
        assert losses.keys() == theirs.keys()
        for key, value in theirs.items():
            assert losses[key] == pytest.approx(value, rel=1e-5), (step, key)
    assert recording.compare_what_was_made() == num_made
    recording.compare_logits()
    assert recording.compare_gradients() == num_gradients

    # Without noise. Both through Adam, whose first steps are the signs of gradients.
    images = recording.images(0)
    for domain, other in OTHER.items():
        fake = model.translators[f"{domain}_to_{other}"].function(images[domain])
        assert relative_error(fake[:, ::3, ::3], arrays[f"after/x_{domain}{other}"]) < 1e-4
        for scale, logits in enumerate(model.networks[f"discriminator_{domain}"](images[domain])):
            assert relative_error(logits, arrays[f"after/dis_{domain}_real/{scale}"]) < 1e-4
