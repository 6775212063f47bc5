"""StarGAN against arrays recorded from the authors' PyTorch code: attributes and classes, two updates, test targets.

In float64, see `test_bicyclegan_parity.py`; of images the recordings hold every third pixel of every third row.
"""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import drawn_weights

from gan_zoo.models.labelled import asked_for
from gan_zoo.models.stargan import StarGAN, StarGANConfig
from gan_zoo.pretrained.torch_layout import to_keras_layout

PARITY = pathlib.Path(__file__).parents[1] / "parity"
SELECTED = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
LABELS = {
    "celeba": {"attributes": ",".join(SELECTED), "exclusive": ",".join(SELECTED[:3])},
    "rafd": {"classes": ",".join("abcdefgh")},
}
LOSSES = {
    "D/loss_real": "discriminator_real",
    "D/loss_fake": "discriminator_fake",
    "D/loss_cls": "classification_real",
    "D/loss_gp": "gradient_penalty",
    "G/loss_fake": "gan",
    "G/loss_rec": "reconstruction",
    "G/loss_cls": "classification_fake",
}


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


def named_variables(model: StarGAN) -> dict[str, tf.Variable]:
    """Every weight, by the authors' names."""
    blocks, layers = model.config.num_blocks, model.config.discriminator_layers
    paths = {"conv_in": "main.0", "down_0": "main.3", "down_1": "main.6"}
    for block in range(blocks):
        paths |= {
            f"block_{block}_conv_0": f"main.{9 + block}.main.0",
            f"block_{block}_conv_1": f"main.{9 + block}.main.3",
        }
    paths |= {"up_1": f"main.{9 + blocks}", "up_0": f"main.{12 + blocks}"}
    named = {}
    for ours, theirs in paths.items():
        stem, _, number = theirs.rpartition(".")
        named[f"G.{theirs}.weight"] = model.generator.get_layer(ours).kernel
        norm = model.generator.get_layer(f"{ours}_norm")
        named |= {
            f"G.{stem}.{int(number) + 1}.{name}": value for name, value in (("weight", norm.gamma), ("bias", norm.beta))
        }
    named[f"G.main.{15 + blocks}.weight"] = model.generator.get_layer("conv_out").kernel
    for index in range(layers):
        layer = model.discriminator.get_layer(f"conv_{index}")
        named |= {f"D.main.{2 * index}.weight": layer.kernel, f"D.main.{2 * index}.bias": layer.bias}
    heads = {"D.conv1.weight": "patches", "D.conv2.weight": "label"}
    return named | {name: model.discriminator.get_layer(ours).kernel for name, ours in heads.items()}


@pytest.mark.parametrize("name", LABELS)
def test_losses_gradients_and_two_updates_in_float64(name, float64, monkeypatch) -> None:
    recorded = np.load(PARITY / f"stargan_{name}_64.npz")
    options = json.loads(str(recorded["config"]))
    settings = {
        "image_size": options["image_size"],
        "batch_size": options["batch_size"],
        "base_filters": options["g_conv_dim"],
        "num_blocks": options["g_repeat_num"],
        "discriminator_filters": options["d_conv_dim"],
        "discriminator_layers": options["d_repeat_num"],
        "lambda_classification": options["lambda_cls"],
        "lambda_reconstruction": options["lambda_rec"],
        "lambda_gradient_penalty": options["lambda_gp"],
        "n_critic": options["n_critic"],
    }
    model = StarGAN(StarGANConfig(**settings, **LABELS[name]))
    model.compile()
    variables = named_variables(model)
    drawn = drawn_weights(recorded, f"stargan_{name}_64.")
    assert variables.keys() == {key for key in drawn if "running" not in key}
    for key, variable in variables.items():
        variable.assign(to_keras_layout(drawn[key]))

    norms, seen = {}, []

    def remember(network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(model.networks[network].trainable_variables, gradients, strict=True):
            norms.setdefault(id(variable), float(tf.norm(gradient)))
        type(model).apply_gradients(model, network, gradients)

    def generator_losses(image, restored_image, target_label, judgement):
        seen.append(restored_image)
        return StarGAN.generator_losses(model, image, restored_image, target_label, judgement)

    model.apply_gradients, model.generator_losses = remember, generator_losses

    def label(key: str) -> tf.Tensor:
        given = recorded[key]
        return tf.constant(np.eye(8)[given] if given.ndim == 1 else given, tf.float64)

    def image(step: int) -> tf.Tensor:
        return tf.constant(recorded[f"x_real/{step}"].astype(np.float64))

    fake = model.translate(image(0), label("label_trg/0"))
    assert relative_error(fake[:, ::3, ::3], recorded["step0/x_fake"]) < 1e-6
    for key, judged in (("real", image(0)), ("fake", fake)):
        for part, logits in zip(("src", "cls"), model.discriminator(judged), strict=True):
            assert relative_error(logits, recorded[f"step0/D_{key}/{part}"]) < 1e-6, (key, part)

    weights = {"classification": options["lambda_cls"], "reconstruction": options["lambda_rec"]}
    weights["gradient"] = options["lambda_gp"]
    for step in (0, 1):
        alpha = tf.constant(recorded[f"alpha/{step}"][:, np.newaxis])
        monkeypatch.setattr("gan_zoo.models.stargan.example_noise", lambda *_, alpha=alpha, **__: alpha)
        batch = {"input_image": image(step), "label": label(f"label_org/{step}")}
        batch |= {"target_label": label(f"label_trg/{step}"), "example_index": tf.range(options["batch_size"])}
        logs = {key: float(value) for key, value in model.train_step(batch).items()}
        assert sorted(logs) == sorted(LOSSES.values())
        for theirs, value in zip(recorded["loss_names"], recorded["losses"][step].tolist(), strict=True):
            ours = LOSSES[str(theirs)]
            expected = weights.get(ours.split("_")[0], 1.0) * value
            assert logs[ours] == pytest.approx(expected, rel=1e-5), (step, theirs)
    assert relative_error(seen[0][:, ::3, ::3], recorded["step0/x_reconst"]) < 1e-6

    found = {
        key.removeprefix("step0/grad_norm/").replace("/", "."): float(recorded[key])
        for key in recorded.files
        if "grad_norm" in key
    }
    assert found.keys() == variables.keys()
    for network in "GD":
        of_network = {key: value for key, value in found.items() if key.startswith(network)}
        floor = 1e-4 * max(of_network.values())
        for key, value in of_network.items():
            assert value > floor and norms[id(variables[key])] == pytest.approx(value, rel=1e-5), key

    after = model.translate(image(0), label("label_trg/0"))
    assert relative_error(after[:, ::3, ::3], recorded["after/x_fake"]) < 1e-4
    for part, logits in zip(("src", "cls"), model.discriminator(image(0)), strict=True):
        assert relative_error(logits, recorded[f"after/D_real/{part}"]) < 1e-4, part


def test_what_images_are_asked_for_is_what_the_authors_ask_for() -> None:
    recorded = np.load(PARITY / "stargan_celeba_64.npz")
    found = asked_for(StarGANConfig(**LABELS["celeba"]), tf.constant(recorded["targets/c_org"]))
    np.testing.assert_array_equal(found, np.swapaxes(recorded["targets/c_trg"], 0, 1))
