"""U-GAT-IT against arrays recorded from its authors' PyTorch code (znxlwm/UGATIT-pytorch, b8c4251), in float64."""

import itertools
import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign
from drawn_weights import drawn_weights

from gan_zoo.models import ugatit
from gan_zoo.models.parts import judge
from gan_zoo.models.ugatit import UGATIT, UGATITConfig

PARITY = pathlib.Path(__file__).parents[1] / "parity"
NETWORKS = {
    "genA2B": "generator_a_to_b",
    "genB2A": "generator_b_to_a",
    "disGA": "discriminator_global_a",
    "disGB": "discriminator_global_b",
    "disLA": "discriminator_local_a",
    "disLB": "discriminator_local_b",
}
DISCRIMINATORS = [theirs for theirs in NETWORKS if theirs.startswith("dis")]


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    ours = np.reshape(np.asarray(ours), theirs.shape)
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def settings(options: dict) -> dict:
    return {
        "image_size": options["img_size"],
        "batch_size": options["batch_size"],
        "base_filters": options["ch"],
        "discriminator_filters": options["ch"],
        "num_blocks": options["n_res"],
        "light": options["light"],
        "learning_rate": options["lr"],
        "weight_decay": options["weight_decay"],
        "lambda_gan": float(options["adv_weight"]),
        "lambda_cycle": float(options["cycle_weight"]),
        "lambda_identity": float(options["identity_weight"]),
        "lambda_cam": float(options["cam_weight"]),
        "unbiased_variance": True,
    }


@pytest.fixture(scope="module")
def recorded():
    return np.load(PARITY / "ugatit_128.npz")


def images(recorded, step: int) -> dict[str, np.ndarray]:
    return {domain: recorded[f"real_{domain}/{step}"].astype(np.float64) for domain in "AB"}


def assert_translations(recorded, model: UGATIT, when: str) -> None:
    for way, generator in (("A2B", model.generator_a_to_b), ("B2A", model.generator_b_to_a)):
        outputs = generator(images(recorded, 0)[way[0]], training=False)
        for output, kind in zip(outputs, ("", "_cam_logit", "_heatmap"), strict=True):
            assert relative_error(output, recorded[f"{when}/fake_{way}{kind}"]) < 1e-6, (when, way, kind)


def expected_losses(recorded, step: int) -> dict[str, float]:
    """By our names: those of patches and of the whole are summed, and all are weighted."""
    values = dict(zip(recorded["loss_names"], recorded["losses"][step].tolist(), strict=True))
    losses = {}
    for domain in "AB":
        for reach, (ours, theirs) in itertools.product(("global", "local"), {"discriminator": "D", "gan": "G"}.items()):
            place = f"{reach[0].upper()}{domain}"
            losses[f"{ours}_{reach}_{domain.lower()}"] = 5 * (
                values[f"{theirs}_ad_{place}"] + values[f"{theirs}_ad_cam_{place}"]
            )
        for ours, theirs, weight in (("cycle", "recon", 10), ("identity", "identity", 8), ("cam", "cam", 3)):
            losses[f"{ours}_{domain.lower()}"] = weight * values[f"G_{theirs}_{domain}"]
    return losses


def test_losses_gradients_and_two_updates_in_float64(recorded, float64, monkeypatch) -> None:
    model = UGATIT(UGATITConfig(**settings(json.loads(str(recorded["config"])))))
    model.compile()
    variables = {
        theirs: assign(model.networks[ours], drawn_weights(recorded, f"ugatit_128.{theirs}."))
        for theirs, ours in NETWORKS.items()
    }
    norms, judged = {}, {}

    def remember_norms(network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(model.networks[network].trainable_variables, gradients, strict=True):
            norms.setdefault(id(variable), float(tf.norm(gradient)))
        UGATIT.apply_gradients(model, network, gradients)

    def remember_logits(discriminator: keras.Model, image: tf.Tensor) -> list[tf.Tensor]:
        judged.setdefault(discriminator.name, []).append(judge(discriminator, image))
        return judged[discriminator.name][-1]

    model.apply_gradients = remember_norms
    monkeypatch.setattr(ugatit, "judge", remember_logits)
    assert_translations(recorded, model, "step0")
    for step in (0, 1):
        batch = images(recorded, step)
        batch = {"input_image": tf.constant(batch["A"]), "target_image": tf.constant(batch["B"])}
        logs = {name: float(loss) for name, loss in model.train_step(batch).items()}
        assert logs == pytest.approx(expected_losses(recorded, step), rel=1e-7), step
    for theirs in DISCRIMINATORS:
        for kind, outputs in zip(("real", "fake"), judged[NETWORKS[theirs]][:2], strict=True):
            for output, what in zip(outputs, ("", "_cam_logit"), strict=True):
                assert relative_error(output, recorded[f"step0/{theirs}_{kind}{what}"]) < 1e-6, (theirs, kind, what)

    compared = 0
    for theirs, by_name in variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        of_network = {
            key.removeprefix(prefix): float(recorded[key]) for key in recorded.files if key.startswith(prefix)
        }
        for key, value in of_network.items():
            variable = getattr(by_name[key], "variable", by_name[key])
            assert norms[id(variable)] == pytest.approx(value, rel=1e-6), (theirs, key)
        compared += len(of_network)
    assert compared == 124

    assert_translations(recorded, model, "after")
    for theirs in DISCRIMINATORS:
        outputs = model.networks[NETWORKS[theirs]](images(recorded, 0)[theirs[-1]], training=False)
        for output, what in zip(outputs, ("", "_cam_logit"), strict=True):
            assert relative_error(output, recorded[f"after/{theirs}_real{what}"]) < 1e-6, (theirs, what)
    clipped = [key.removeprefix("after/rho/").split(".", 1) for key in recorded.files if key.startswith("after/rho/")]
    assert len(clipped) == 12
    for theirs, name in clipped:
        rho = variables[theirs][name].numpy()
        assert relative_error(rho, recorded[f"after/rho/{theirs}.{name}"]) < 1e-6, name
