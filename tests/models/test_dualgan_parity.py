"""DualGAN against a second implementation that was checked against the authors' code (duxingren14/DualGAN at bd64bf9).

Losses, gradients and translations before any update, in float64; see `test_bicyclegan_parity.py` for why. Their A_d
judges domain B, their B_d domain A.
"""

import json
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import drawn_weights

from gan_zoo.models import two_domains
from gan_zoo.models.dualgan import DualGAN, DualGANConfig
from gan_zoo.pretrained.torch_layout import to_keras_layout

PARITY = pathlib.Path(__file__).parents[1] / "parity"
NETWORKS = {
    "A_g": "generator_a_to_b",
    "B_g": "generator_b_to_a",
    "A_d": "discriminator_b",
    "B_d": "discriminator_a",
}
LOSSES = {
    "Ag_adversarial": "gan_b",
    "Bg_adversarial": "gan_a",
    "penalty_of_A_d": "gradient_penalty_b",
    "penalty_of_B_d": "gradient_penalty_a",
}
MODES = {"classic": "vanilla", "wgan-gp": "wgangp"}
TYPES = {"globalgan": "dual_image", "patchgan": "dual_patch"}
NUM_DOWNS = 8


def our_name(theirs: str) -> tuple[str, str]:
    """Layer and variable of ours for a name of theirs, such as `e2_conv.weight` or `bn3_1.bias`."""
    place, kind = theirs.split(".")
    is_norm = place.startswith("bn")
    number = re.search(r"[ed](\d)", place)
    if "h" not in place and number:  # a generator's: its ways down and up count from 1, ours count levels
        level = int(number[1]) - 1 if "e" in place else NUM_DOWNS - int(number[1])
        layer = f"{'encode' if 'e' in place else 'decode'}_{level}" + "_norm" * is_norm
    elif is_norm:
        layer = {"bn3_1": "norm_4"}.get(place, f"norm_{place[-1]}")
    else:
        layer = {"h3_1_conv": "conv_4", "h4": "conv_5", "d_h3_lin": "conv_5"}.get(place, f"conv_{place[1]}")
    return layer, {"weight": "gamma", "bias": "beta"}[kind] if is_norm else {"weight": "kernel"}.get(kind, kind)


def assign(network: keras.Model, weights: dict[str, np.ndarray]) -> dict[str, keras.Variable]:
    """Gives a network their weights; returns its variables by their names."""
    by_name = {}
    for name, array in weights.items():
        layer, attribute = our_name(name)
        by_name[name] = variable = getattr(network.get_layer(layer), attribute)
        # A dense layer's columns are in the order row, column, channel: a kernel that is as large as the image.
        dense = array.ndim == 2
        variable.assign(array.reshape(variable.shape) if dense else to_keras_layout(array))
    assert {id(variable) for variable in by_name.values()} == {id(variable) for variable in network.variables}
    return by_name


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


@pytest.mark.parametrize("name", ["dualgan_wgan_gp", "dualgan_classic_patch"])
def test_translations_losses_and_gradients_in_float64(name, float64, monkeypatch) -> None:
    arrays = np.load(PARITY / f"{name}.npz")
    options = json.loads(str(arrays["config"]))
    config = DualGANConfig(
        input_channels=options["A_channels"],
        target_channels=options["B_channels"],
        batch_size=2,
        base_filters=options["gcn"],
        discriminator_filters=options["dcn"],
        discriminator_type=TYPES[options["disc_type"]],
        gan_mode=MODES[options["GAN_type"]],
        reconstruction=options["loss_metric"].lower(),
        lambda_cycle_a=options["lambda_A"],
        lambda_cycle_b=options["lambda_B"],
        dropout=False,
        bottleneck_norm=True,
        learning_rate=0.0,
        generator_updates=1,
    )
    model = DualGAN(config)
    model.compile()
    variables = {
        theirs: assign(model.networks[ours], drawn_weights(arrays, f"{name}.{theirs}."))
        for theirs, ours in NETWORKS.items()
    }
    norms = {}

    def remember(network: str, gradients: list[tf.Tensor]) -> None:
        weights = model.networks[network].trainable_variables
        norms.update({id(v): float(tf.norm(g)) for v, g in zip(weights, gradients, strict=True)})

    def alpha(seed, index, size, *, uniform):
        """Ours weighs the real image, theirs the fake one."""
        domain = "AB"[seed[1] % 10]
        return tf.constant(1.0 - arrays[f"epsilon_{domain}"].astype(np.float64)[:, 0, 0])

    model.apply_gradients = remember
    monkeypatch.setattr(two_domains, "example_noise", alpha)
    batch = {key: tf.constant(arrays[f"{key}/0"].astype(np.float64)) for key in ("input_image", "target_image")}
    losses = model.train_step({**batch, "example_index": tf.range(2, dtype=tf.int64)})
    losses = {key: float(value) for key, value in losses.items()}

    a_to_b, b_to_a = (model.translators[way].function for way in ("a_to_b", "b_to_a"))
    for way, image in (("A2B", a_to_b(batch["input_image"])), ("B2A", b_to_a(batch["target_image"]))):
        assert relative_error(image[:, ::2, ::2], arrays[f"step0/{way}_every_2nd"]) < 1e-6
        assert relative_error(tf.reduce_mean(image, (1, 2)), arrays[f"step0/{way}_mean"]) < 1e-6

    values = dict(zip(arrays["loss_names"], arrays["losses"].tolist(), strict=True))
    expected = {ours: values[theirs] for theirs, ours in LOSSES.items() if theirs in values}
    expected |= {key: 10.0 * value for key, value in expected.items() if "penalty" in key}
    for theirs, domain in (("A", "a"), ("B", "b")):
        expected[f"cycle_{domain}"] = options[f"lambda_{theirs}"] * values[f"{theirs}_loss"]
        judge = {"A": "B", "B": "A"}[theirs]
        expected[f"discriminator_{domain}"] = values[f"{judge}d_loss_real"] + values[f"{judge}d_loss_fake"]
    assert losses == pytest.approx(expected, rel=1e-5)
    of_generators = sum(value for key, value in losses.items() if key.startswith(("gan", "cycle")))
    assert of_generators == pytest.approx(values["g_loss"], rel=1e-6)
    assert sum(losses.values()) - of_generators == pytest.approx(values["d_loss"], rel=1e-6)

    compared = 0
    for theirs, by_name in variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        recorded = {k.removeprefix(prefix): float(arrays[k]) for k in arrays.files if k.startswith(prefix)}
        # Below that, gradients are zero by construction (a bias before an instance norm) and hold rounding noise.
        floor = 1e-4 * max(recorded.values())
        for key, value in recorded.items():
            if value > floor:
                assert norms[id(by_name[key])] == pytest.approx(value, rel=1e-5), (theirs, key)
                compared += 1
    assert compared > 60
