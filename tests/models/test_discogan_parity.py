"""DiscoGAN against arrays recorded from the authors' code (SKTBrain/DiscoGAN at f044178).

Their images are in [0, 1], their discriminators end in a sigmoid. All is computed in float64 here: outputs, losses,
gradients, and what a discriminator's and a generator's update change. See `test_bicyclegan_parity.py` for why.
"""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import drawn_weights

from gan_zoo.models.discogan import DiscoGAN, DiscoGANConfig
from gan_zoo.networks.discriminators.features import with_features
from gan_zoo.networks.discriminators.image_discriminator import image_discriminator
from gan_zoo.networks.encoder_decoder import encoder_decoder
from gan_zoo.pretrained.torch_layout import to_keras_layout

PARITY = pathlib.Path(__file__).parents[1] / "parity"
# Their G_B leads to B.
NETWORKS = {
    "G_B": "generator_a_to_b",
    "G_A": "generator_b_to_a",
    "D_A": "discriminator_a",
    "D_B": "discriminator_b",
}
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def theirs_in_order(network: keras.Model) -> list[keras.Variable]:
    """Our variables in the order of their state_dict: kernel, then the norm behind it."""
    found = []
    for layer in network.layers:
        found += [layer.kernel] if hasattr(layer, "kernel") else []
        found += [getattr(layer, ours) for ours in NORM.values()] if hasattr(layer, "moving_mean") else []
    assert {id(variable) for variable in found} == {id(variable) for variable in network.variables}
    return found


def assign(network: keras.Model, weights: dict[str, np.ndarray]) -> dict[str, keras.Variable]:
    """Gives a network their weights; returns its variables by their names."""
    by_name = dict(zip(weights, theirs_in_order(network), strict=True))
    for name, variable in by_name.items():
        variable.assign(to_keras_layout(weights[name]))
    return by_name


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


def in_our_range(image: np.ndarray) -> tf.Tensor:
    return tf.constant(2.0 * image.astype(np.float64) - 1.0)


def in_their_range(image: tf.Tensor) -> np.ndarray:
    return (image.numpy() + 1.0) / 2.0


class Recording:
    """A recorded run, our model with its weights, and what its updates were given."""

    def __init__(self, name: str, **settings) -> None:
        self.arrays = np.load(PARITY / f"{name}.npz")
        self.model = DiscoGAN(DiscoGANConfig(batch_size=3, **settings))
        self.model.compile()
        self.variables = {
            theirs: assign(self.model.networks[ours], drawn_weights(self.arrays, f"discogan.{theirs}."))
            for theirs, ours in NETWORKS.items()
            if ours in self.model.networks
        }

    def step(self, inputs: int) -> tuple[dict[str, float], dict[str, dict[int, float]]]:
        """A step on inputs 0 or 1: our losses by name, and the norms of the gradients that a network was given."""
        norms = {}

        def remember(network: str, gradients: list[tf.Tensor]) -> None:
            weights = self.model.networks[network].trainable_variables
            norms[network] = {id(v): float(tf.norm(g)) for v, g in zip(weights, gradients, strict=True)}
            DiscoGAN.apply_gradients(self.model, network, gradients)

        self.model.apply_gradients = remember
        batch = {key: in_our_range(self.arrays[f"{key}/{inputs}"]) for key in ("input_image", "target_image")}
        batch["example_index"] = tf.range(3, dtype=tf.int64)
        return {name: float(value) for name, value in self.model.train_step(batch).items()}, norms

    def assert_gradients(self, step: int, norms: dict[str, dict[int, float]], kind: str) -> None:
        compared = 0
        for theirs, by_name in self.variables.items():
            if theirs[0] != kind:
                continue
            prefix = f"step{step}/grad_norm/{theirs}/"
            recorded = {k.removeprefix(prefix): float(self.arrays[k]) for k in self.arrays.files if prefix in k}
            for key, value in recorded.items():
                assert norms[NETWORKS[theirs]][id(by_name[key])] == pytest.approx(value, rel=1e-5), (theirs, key)
                compared += 1
        assert compared == {"G": 40, "D": 22}[kind]


def weighted(row: np.ndarray, names: np.ndarray, rate: float) -> dict[str, float]:
    """Their losses in our names and with their weights."""
    values = dict(zip(names, row.tolist(), strict=True))
    expected = {}
    for theirs, ours in (("A", "a"), ("B", "b")):
        expected[f"gan_{ours}"] = (1 - rate) * 0.1 * values[f"gen_{theirs}"]
        expected[f"features_{ours}"] = (1 - rate) * 0.9 * values[f"fm_{theirs}"]
        expected[f"cycle_{ours}"] = rate * values[f"recon_{theirs}"]
        expected[f"discriminator_{ours}"] = values[f"dis_{theirs}"]
    return expected


@pytest.mark.parametrize(
    ("name", "rate", "rate_change_step"), [("discogan_start", 0.01, 10_000), ("discogan_default", 0.5, 0)]
)
def test_losses_gradients_and_an_update_of_each_side_in_float64(name, rate, rate_change_step, float64) -> None:
    recording = Recording(name, rate_change_step=rate_change_step)
    arrays, model = recording.arrays, recording.model
    if name == "discogan_start":
        assert_tensors_of_the_start(recording)
        # The generators' gradients at the first weights: a step of theirs, whose rate is nothing.
        rates = {key: float(optimizer.learning_rate.numpy()) for key, optimizer in model.optimizers.items()}
        for optimizer in model.optimizers.values():
            optimizer.learning_rate.assign(0.0)
        model.step.assign(1)
        _, norms = recording.step(0)
        recording.assert_gradients(0, norms, "G")
        model.compile()
        assert {key: float(o.learning_rate.numpy()) for key, o in model.optimizers.items()} == rates
        model.step.assign(0)

    for step in (0, 1, 2):
        if step == 2:  # inputs 0 once more, to see what was learnt
            after = [
                in_their_range(model.networks[NETWORKS[key]](in_our_range(arrays[image]), training=True))
                for key, image in (("G_B", "input_image/0"), ("G_A", "target_image/0"))
            ]
            logits = [
                model.judged(domain, in_our_range(arrays[f"{key}/0"]))[0][0]
                for domain, key in (("a", "input_image"), ("b", "target_image"))
            ]
        losses, norms = recording.step(step % 2)
        expected = weighted(arrays["losses"][step], arrays["loss_names"], rate)
        tolerance = 1e-5
        assert losses == pytest.approx(expected, rel=tolerance), step
        generator = sum(value for key, value in losses.items() if not key.startswith("discriminator"))
        discriminator = sum(value for key, value in losses.items() if key.startswith("discriminator"))
        assert [generator, discriminator] == pytest.approx(arrays["totals"][step].tolist(), rel=tolerance), step
        if step < 2:  # every third step is the discriminators'
            recording.assert_gradients(step, norms, "DG"[step])
    for ours, theirs in zip(after, ("AB", "BA"), strict=True):
        assert relative_error(ours, arrays[f"after/{theirs}"]) < 1e-4
    for ours, theirs in zip(logits, ("A", "B"), strict=True):
        assert relative_error(ours, arrays[f"after/D_{theirs}_real_logit"]) < 1e-4


def assert_tensors_of_the_start(recording: Recording) -> None:
    arrays, model = recording.arrays, recording.model
    a, b = (in_our_range(arrays[f"{key}/0"]) for key in ("input_image", "target_image"))
    images = {"A": a, "B": b}
    images["AB"], images["BA"] = model.generator_a_to_b(a, training=True), model.generator_b_to_a(b, training=True)
    images["ABA"] = model.generator_b_to_a(images["AB"], training=True)
    images["BAB"] = model.generator_a_to_b(images["BA"], training=True)
    for name in ("AB", "BA", "ABA", "BAB"):
        assert relative_error(in_their_range(images[name]), arrays[f"step0/{name}"]) < 1e-6, name
    for domain, kind, image in (("A", "real", "A"), ("A", "fake", "BA"), ("B", "real", "B"), ("B", "fake", "AB")):
        (logits,), features = model.judged(domain.lower(), images[image])
        assert relative_error(tf.sigmoid(logits), arrays[f"step0/D_{domain}_{kind}"]) < 1e-6
        if domain == "A":
            mean = tf.reduce_mean(features[-1], 0, keepdims=True)
            assert relative_error(mean, arrays[f"step0/D_A_{kind}_features_mean/2"]) < 1e-6


@pytest.mark.parametrize(("objective", "rate", "rate_change_step"), [("recongan", 0.01, 10_000), ("gan", 0.5, 0)])
def test_totals_of_the_other_objectives(objective, rate, rate_change_step, float64) -> None:
    recording = Recording("discogan_start", objective=objective, rate_change_step=rate_change_step)
    assert len(recording.variables) == {"recongan": 3, "gan": 2}[objective]
    losses, _ = recording.step(0)
    generator, discriminator = recording.arrays[f"step0/total/{objective}/rate_{rate}"].tolist()
    assert sum(value for key, value in losses.items() if key != "discriminator_b") == pytest.approx(generator, rel=1e-6)
    assert losses["discriminator_b"] == pytest.approx(discriminator, rel=1e-6)


@pytest.mark.parametrize("name", ["net_G_discogan_extra", "net_G_discogan_eval", "net_D_discogan_eval"])
def test_one_network_in_float64(name, float64) -> None:
    arrays = np.load(PARITY / f"{name}.npz")
    image, training = in_our_range(arrays["input"]), bool(arrays["training"])
    if "net_G" in name:
        network = encoder_decoder(input_channels=3, output_channels=3, extra_layer="extra" in name)
        assign(network, drawn_weights(arrays, f"{name}."))
        assert relative_error(in_their_range(network(image, training=training)), arrays["output"]) < 1e-6
        return
    network = image_discriminator(input_channels=3, image_size=64, norm="batch", outer_bias=False, unit_range=True)
    assign(network, drawn_weights(arrays, f"{name}."))
    (logits,), features = with_features(network)(image, training=training)
    assert relative_error(tf.sigmoid(logits), arrays["output"]) < 1e-6
    assert len(features) == 3
    for index, feature in enumerate(features):
        assert relative_error(feature[:1], arrays[f"features/{index}"]) < 1e-6
