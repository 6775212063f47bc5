"""U-GAT-IT against arrays recorded from its authors' PyTorch code (znxlwm/UGATIT-pytorch, b8c4251), in float64."""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign
from drawn_weights import drawn_weights

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


def test_losses_gradients_and_two_updates_in_float64(float64) -> None:
    recorded = np.load(PARITY / "ugatit_128.npz")
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

    model.apply_gradients = remember_norms
    for name, network in model.discriminators.items():
        judged[name] = []

    images = [{side: recorded[f"real_{side}/{step}"].astype(np.float64) for side in "AB"} for step in (0, 1)]
    fakes = {side: [np.asarray(x) for x in model.networks[NETWORKS[f"gen{way}"]](images[0][way[0]])]
             for side, way in (("A2B", "A2B"), ("B2A", "B2A"))}
    for way, (fake, logits, attention) in fakes.items():
        assert relative_error(fake, recorded[f"step0/fake_{way}"]) < 1e-6
        assert relative_error(logits, recorded[f"step0/fake_{way}_cam_logit"]) < 1e-6
        assert relative_error(attention, recorded[f"step0/fake_{way}_heatmap"]) < 1e-6
    for step in (0, 1):
        batch = {"input_image": tf.constant(images[step]["A"]), "target_image": tf.constant(images[step]["B"])}
        logs = {name: float(loss) for name, loss in model.train_step(batch).items()}
        values = dict(zip(recorded["loss_names"], recorded["losses"][step].tolist(), strict=True))
        expected = {}
        for domain in "AB":
            for reach, letter in (("global", "G"), ("local", "L")):
                for ours, theirs in (("discriminator", "D"), ("gan", "G")):
                    parts = [f"{theirs}_ad_{letter}{domain}", f"{theirs}_ad_cam_{letter}{domain}"]
                    expected[f"{ours}_{reach}_{domain.lower()}"] = 5 * sum(values[part] for part in parts)
            for ours, theirs, weight in (("cycle", "recon", 10), ("identity", "identity", 8), ("cam", "cam", 3)):
                expected[f"{ours}_{domain.lower()}"] = weight * values[f"G_{theirs}_{domain}"]
        assert logs == pytest.approx(expected, rel=1e-7), step

    compared = 0
    for theirs, by_name in variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        of_network = {
            key.removeprefix(prefix): float(recorded[key]) for key in recorded.files if key.startswith(prefix)
        }
        floor = 1e-4 * max(of_network.values())
        for key, value in of_network.items():
            if value > floor:
                variable = by_name[key]
                assert norms[id(getattr(variable, "variable", variable))] == pytest.approx(value, rel=1e-6), (theirs, key)
                compared += 1
    print("compared", compared)
    assert compared > 100

    for way in ("A2B", "B2A"):
        fake, logits, attention = model.networks[NETWORKS[f"gen{way}"]](images[0][way[0]])
        assert relative_error(fake, recorded[f"after/fake_{way}"]) < 1e-6
        assert relative_error(logits, recorded[f"after/fake_{way}_cam_logit"]) < 1e-6
        assert relative_error(attention, recorded[f"after/fake_{way}_heatmap"]) < 1e-6
    for theirs, ours in NETWORKS.items():
        if theirs.startswith("dis"):
            logits, classes = model.networks[ours](images[0][theirs[-1]], training=False)
            assert relative_error(logits, recorded[f"after/{theirs}_real"]) < 1e-6
            assert relative_error(classes, recorded[f"after/{theirs}_real_cam_logit"]) < 1e-6
        else:
            for key in recorded.files:
                if key.startswith(f"after/rho/{theirs}."):
                    rho = variables[theirs][key.removeprefix(f"after/rho/{theirs}.")].numpy()
                    assert relative_error(rho, recorded[key]) < 1e-6, key
