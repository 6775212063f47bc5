"""CUT and FastCUT against arrays recorded from the authors' PyTorch code (b3ac297), in float64 throughout.

Their positions are the same for all images of a batch, and so is FastCUT's coin: the tests put them into ours.
"""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign
from drawn_weights import drawn_weights

from gan_zoo.layers.blur import DOWN_FILTER, UP_FILTER, BlurDown, BlurUp
from gan_zoo.learning.losses import patch_nce
from gan_zoo.learning.patches import pixels_at
from gan_zoo.models import MODELS
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.projection_heads import projection_heads
from gan_zoo.networks.resnet import features_of, resnet

PARITY = pathlib.Path(__file__).parents[1] / "parity"
LAYERS = np.load(PARITY / "cut_layers.npz")
NETS = np.load(PARITY / "cut_nets.npz")
NETWORKS = {"G": "generator", "F": "heads", "D": "discriminator"}
# The authors count the elements of their Sequential.
NAMES = {0: "image", 4: "down_0", 8: "down_1", 12: "block_0", 16: "block_4"}
ROUNDING = 2e-7  # the recordings were computed in float64 and rounded to float32


def in_float64(array: np.ndarray) -> tf.Tensor:
    return tf.constant(array.astype(np.float64))


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


@pytest.mark.parametrize("size", ["8x6", "7x9"])
@pytest.mark.parametrize(("name", "layer_class"), [("down", BlurDown), ("up", BlurUp)])
def test_blur_and_its_gradient(name, layer_class, size, float64) -> None:
    image, upstream = (in_float64(LAYERS[f"{name}/{size}/{key}"]) for key in ("x", "cotangent"))
    layer = layer_class()
    with tf.GradientTape() as tape:
        tape.watch(image)
        output = layer(image)
    assert output.shape == layer.compute_output_shape(image.shape)
    assert relative_error(output, LAYERS[f"{name}/{size}/y"]) < ROUNDING
    assert relative_error(tape.gradient(output, image, upstream), LAYERS[f"{name}/{size}/grad"]) < ROUNDING


def test_the_constant_filters() -> None:
    np.testing.assert_array_equal(DOWN_FILTER, LAYERS["down/filter"])
    np.testing.assert_array_equal(UP_FILTER, LAYERS["up/filter"])


def patches(kind: str) -> list[tf.Tensor]:
    """The recorded features at the recorded positions."""
    maps = [in_float64(LAYERS[f"sample/{kind}/{index}"]) for index in range(3)]
    rows = [np.tile(LAYERS[f"sample/patch_ids/{index}"], (2, 1)) for index in range(3)]
    return [pixels_at(*pair) for pair in zip(maps, rows, strict=True)]


def test_heads_and_their_gradients(float64) -> None:
    heads = projection_heads(channels=[3, 8, 12], width=10)
    variables = assign(heads, drawn_weights(LAYERS, "cut_layers.F."))
    with tf.GradientTape() as tape:
        vectors = heads(patches("feat"))
        rows = [tf.reshape(each, [-1, 10]) for each in vectors]
    upstream = [in_float64(LAYERS[f"sample/cotangent/{index}"]) for index in range(3)]
    gradients = tape.gradient(rows, [variable.value for variable in variables.values()], upstream)
    others = heads(patches("feat_other"))
    plain = projection_heads(channels=[3, 8, 12], width=None)(patches("feat"))
    for index in range(3):
        for kind, ours in (("mlp", vectors), ("mlp_other", others), ("plain", plain)):
            recorded = LAYERS[f"sample/{kind}/{index}"]
            assert relative_error(tf.reshape(ours[index], recorded.shape), recorded) < ROUNDING
    for name, gradient in zip(variables, gradients, strict=True):
        array = gradient.numpy()
        assert relative_error(array.T, LAYERS[f"sample/grad/{name}"]) < ROUNDING, name


@pytest.mark.parametrize("case", ["nce", "nce_warm", "nce_minibatch"])
def test_patch_nce_and_its_gradient(case) -> None:
    queries, keys = (in_float64(LAYERS[f"{case}/feat_{kind}"]) for kind in "qk")
    images = 1 if LAYERS[f"{case}/all_negatives_from_minibatch"] else int(LAYERS[f"{case}/batch_size"])
    of_images = [tf.reshape(rows, [images, -1, rows.shape[-1]]) for rows in (queries, keys)]
    with tf.GradientTape() as tape:
        tape.watch(of_images[0])
        loss = patch_nce(*of_images, float(LAYERS[f"{case}/nce_T"]))
    assert float(loss) == pytest.approx(float(LAYERS[f"{case}/mean"]), rel=1e-9)
    gradient = tf.reshape(tape.gradient(loss, of_images[0]), queries.shape)
    assert relative_error(gradient, LAYERS[f"{case}/grad_q"]) < ROUNDING
    # Of one query at a time, against all keys of its image.
    place, (first, second) = 3, of_images
    one = patch_nce(first[:1, place : place + 1], second[:1], float(LAYERS[f"{case}/nce_T"]), place)
    assert float(one) == pytest.approx(float(LAYERS[f"{case}/loss"][place]), rel=ROUNDING)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("antialias", {"antialias": True, "upsampling": "blur"}),
        ("no_antialias", {"upsampling": "transposed"}),
        ("no_antialias_up", {"antialias": True, "upsampling": "transposed"}),
    ],
)
def test_generators_and_their_features(name, options, float64) -> None:
    network = resnet(input_channels=3, output_channels=3, base_filters=4, **options)
    assign(network, drawn_weights(NETS, f"cut_nets.G_{name}."))
    image = in_float64(NETS["input"])
    recorded = {layer: NETS[key] for layer in NAMES if (key := f"G_{name}/feature/{layer}") in NETS.files}
    inside = features_of(network, [NAMES[layer] for layer in recorded], with_output=True)
    *features, output = keras.tree.flatten(inside(image))
    assert relative_error(output, NETS[f"G_{name}/output"]) < ROUNDING
    for feature, (layer, array) in zip(features, recorded.items(), strict=True):
        assert relative_error(feature, array) < ROUNDING, layer
    assert len(recorded) == (5 if name == "antialias" else 0)


@pytest.mark.parametrize("name", ["antialias", "no_antialias"])
def test_discriminators(name, float64) -> None:
    network = patch_discriminator(input_channels=3, base_filters=4, antialias=name == "antialias")
    assign(network, drawn_weights(NETS, f"cut_nets.D_{name}."))
    assert relative_error(network(in_float64(NETS["input"])), NETS[f"D_{name}/output"]) < ROUNDING


class Recording:
    """A recorded run of two iterations, and our model with its weights, positions and coins."""

    def __init__(self, name: str) -> None:
        self.name, self.arrays, self.norms = name, np.load(PARITY / f"{name}_64.npz"), {}
        options = json.loads(str(self.arrays["config"]))
        settings = {
            "image_size": options["crop_size"],
            "batch_size": options["batch_size"],
            "base_filters": options["ngf"],
            "discriminator_filters": options["ndf"],
            "head_width": options["netF_nc"],
            "num_patches": options["num_patches"],
        }
        self.model = MODELS[name](MODELS[name].config_class.from_dict(settings))
        # What is not set is theirs by default.
        config = self.model.config
        assert (config.lambda_nce, config.temperature) == (options["lambda_NCE"], options["nce_T"])
        assert (config.identity_nce, config.flip_equivariance) == (options["nce_idt"], options["flip_equivariance"])
        self.model.compile()
        self.model.positions, self.model.coins = self.positions, self.coins
        self.model.apply_gradients = self.apply_gradients
        self.variables = {
            theirs: assign(self.model.networks[ours], drawn_weights(self.arrays, f"{name}_64.{theirs}."))
            for theirs, ours in NETWORKS.items()
        }

    def positions(self, features: list[tf.Tensor], index: tf.Tensor) -> list[tf.Tensor]:
        rows, losses = len(index), ("NCE", "NCE_Y") if self.model.config.identity_nce else ("NCE",)
        keys = [[f"patch_ids/{self.step}/{loss}/{layer}" for loss in losses] for layer in NAMES]
        return [tf.concat([np.tile(self.arrays[key], (rows, 1)) for key in of_layer], 0) for of_layer in keys]

    def coins(self, index: tf.Tensor) -> tf.Tensor:
        return tf.fill([len(index)], bool(self.arrays[f"flipped/{self.step}"]))

    def apply_gradients(self, network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(self.model.networks[network].trainable_variables, gradients, strict=True):
            self.norms.setdefault(id(variable), float(tf.norm(gradient)))
        type(self.model).apply_gradients(self.model, network, gradients)

    def __getitem__(self, key: str) -> tf.Tensor:
        return in_float64(self.arrays[key])

    def train_step(self, step: int) -> dict[str, float]:
        self.step = step
        batch = {"input_image": self[f"real_A/{step}"], "target_image": self[f"real_B/{step}"]}
        batch["example_index"] = tf.range(len(batch["input_image"]), dtype=tf.int64)
        return {name: float(loss) for name, loss in self.model.train_step(batch).items()}


@pytest.mark.parametrize("name", ["cut", "fastcut"])
def test_losses_gradients_and_two_updates(name, float64) -> None:
    recording = Recording(name)
    model, arrays = recording.model, recording.arrays
    if name == "fastcut":
        assert sorted(int(arrays[f"flipped/{step}"]) for step in (0, 1)) == [0, 1]  # both ways
    image_a, image_b = recording["real_A/0"], recording["real_B/0"]
    seen = image_a[:, :, ::-1] if name == "fastcut" and arrays["flipped/0"] else image_a
    assert relative_error(model.translators["translate"].function(seen), arrays["step0/fake_B"]) < ROUNDING
    assert relative_error(model.discriminator(image_b), arrays["step0/D_real"]) < ROUNDING
    if name == "cut":
        assert relative_error(model.generator(image_b), arrays["step0/idt_B"]) < ROUNDING

    names = {"G_GAN": "gan", "NCE": "nce", "NCE_Y": "nce_identity"}
    names |= {f"D_{kind}": f"discriminator_{kind}" for kind in ("real", "fake")}
    for step in (0, 1):
        losses = recording.train_step(step)
        recorded = dict(zip(arrays["loss_names"], arrays["losses"][step].tolist(), strict=True))
        total = recorded.pop("G")
        assert sum(losses[names[key]] for key in recorded if key[0] != "D") == pytest.approx(total, rel=1e-7)
        assert losses.keys() == {names[key] for key in recorded}
        for key, value in recorded.items():
            # Theirs are halved when they are added up.
            half = 0.5 if name == "cut" and key.startswith("NCE") else 1.0
            assert losses[names[key]] == pytest.approx(half * value, rel=1e-7), (step, key)

    compared = 0
    for theirs, by_name in recording.variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        norms = {key.removeprefix(prefix): float(arrays[key]) for key in arrays.files if key.startswith(prefix)}
        assert norms.keys() == by_name.keys()
        # Below that, gradients are zero by construction (a bias before an instance norm) and hold rounding noise.
        floor = 1e-4 * max(norms.values())
        for key, value in norms.items():
            if value > floor:
                assert recording.norms[id(by_name[key])] == pytest.approx(value, rel=1e-6), (theirs, key)
                compared += 1
    assert compared >= 45

    assert relative_error(model.generator(image_a), arrays["after/fake_B"]) < 1e-6
    assert relative_error(model.discriminator(image_b), arrays["after/D_real"]) < 1e-6
    recording.step = 0
    features = model.encoder(image_a)
    rows = [places[: len(image_a)] for places in recording.positions(features, image_a)]
    vectors = model.heads([pixels_at(*pair) for pair in zip(features, rows, strict=True)])
    for layer, ours in zip(NAMES, vectors, strict=True):
        recorded = arrays[f"after/F/{layer}"]
        assert relative_error(tf.reshape(ours, recorded.shape), recorded) < 1e-6, layer
