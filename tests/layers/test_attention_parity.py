"""AdaLIN, LIN and class activation against arrays recorded from U-GAT-IT's authors' PyTorch code (b8c4251), in float64.

Gradients are those of the sum of all outputs, each times its `cotangent`.
"""

import pathlib
from collections.abc import Callable, Mapping

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import drawn_weights

from gan_zoo.authors_weights.names import torch_variables
from gan_zoo.layers.adalin import AdaptiveLayerInstanceNorm, LayerInstanceNorm
from gan_zoo.layers.mirrored import MirroredConv2D
from gan_zoo.networks.attention_resnet import attention_resnet
from gan_zoo.networks.discriminators.attention_discriminator import attention_discriminator
from gan_zoo.pretrained.torch_layout import to_keras_layout, to_torch_layout

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "ugatit_layers.npz")
REACH = 1e-6  # they were rounded to float32


def recorded(prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}


def assert_equal(ours, theirs: np.ndarray, name: str) -> None:
    ours = np.reshape(np.asarray(ours), theirs.shape)
    assert np.max(np.abs(ours - theirs)) < REACH * np.max(np.abs(theirs)), name


def draw(case: str, variables: Mapping) -> None:
    weights = drawn_weights(RECORDED, f"ugatit_layers.{case}.")
    assert weights.keys() == variables.keys()
    for name, variable in variables.items():
        variable.assign(np.reshape(to_keras_layout(weights[name]), variable.shape))


def compare(case: str, function: Callable, variables: Mapping[str, keras.Variable]) -> None:
    """Outputs by name, and the gradients by the inputs and by the variables, which have the authors' names."""
    inputs = {name: tf.constant(array.astype(np.float64)) for name, array in recorded(f"{case}/input/").items()}
    with tf.GradientTape() as tape:
        tape.watch(list(inputs.values()))
        outputs = function(**inputs)
        parts = [
            tf.reduce_sum(tf.reshape(outputs[name], array.shape) * array.astype(np.float64))
            for name, array in recorded(f"{case}/cotangent/").items()
        ]
        total = tf.add_n(parts)
    for name, array in recorded(f"{case}/output/").items():
        assert_equal(outputs[name], array, name)
    ours = {name: getattr(variable, "variable", variable) for name, variable in variables.items()}
    gradients = tape.gradient(total, (inputs, {name: v for name, v in ours.items() if v.trainable}))
    theirs, norms = recorded(f"{case}/grad/"), recorded(f"{case}/grad_norm/")
    assert theirs.keys() | norms.keys() == gradients[0].keys() | gradients[1].keys()
    for name, tensor in (gradients[0] | gradients[1]).items():
        gradient = tensor.numpy()
        if name in norms:
            assert np.linalg.norm(gradient) == pytest.approx(norms[name], rel=REACH), name
        else:
            assert_equal(gradient if name in inputs else to_torch_layout(gradient), theirs[name], name)


def test_adalin(float64) -> None:
    layer = AdaptiveLayerInstanceNorm(unbiased=True)
    layer.build((None, 6, 5, 8), (None, 8), (None, 8))
    variables = {"rho": layer.rho}
    draw("adalin", variables)
    compare("adalin", lambda x, gamma, beta: {"y": layer(x, gamma, beta)}, variables)
    biased = AdaptiveLayerInstanceNorm()
    x, gamma, beta = recorded("adalin/input/").values()
    biased(x, gamma, beta)
    biased.rho.assign(layer.rho)
    unbiased = RECORDED["adalin/output/y"]
    apart = np.abs(biased(x, gamma, beta) - unbiased).max() / np.abs(unbiased).max()
    assert 1e-3 < apart < 3e-2  # a thirtieth of the variance of 30 pixels, halved by the root, and less in 240 values


def test_lin(float64) -> None:
    layer = LayerInstanceNorm(unbiased=True)
    layer.build((None, 6, 5, 8))
    variables = {name: getattr(layer, name) for name in ("rho", "gamma", "beta")}
    draw("iln", variables)
    compare("iln", lambda x: {"y": layer(x)}, variables)


def test_a_residual_block(float64) -> None:
    convs = [MirroredConv2D(8, use_bias=False) for _ in range(2)]
    norms = [AdaptiveLayerInstanceNorm(unbiased=True) for _ in range(2)]

    def block(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> dict[str, tf.Tensor]:
        y = tf.nn.relu(norms[0](convs[0](x), gamma, beta))
        return {"y": x + norms[1](convs[1](y), gamma, beta)}

    block(*(tf.constant(array, tf.float64) for array in recorded("resblock/input/").values()))
    variables = {f"conv{place + 1}.weight": convs[place].kernel for place in (0, 1)}
    variables |= {f"norm{place + 1}.rho": norms[place].rho for place in (0, 1)}
    draw("resblock", variables)
    compare("resblock", block, variables)


def of_the_attention(network: keras.Model) -> dict:
    """The variables of what a recording holds of a generator or discriminator, by the authors' names."""
    kept = ("gap_fc", "gmp_fc", "conv1x1", "gamma", "beta", "FC", "conv.")
    return {name: variable for name, variable in torch_variables(network).items() if name.startswith(kept)}


@pytest.mark.parametrize("case", ["cam_g", "cam_g_light"])
def test_the_attention_of_a_generator(float64, case) -> None:
    light = case == "cam_g_light"
    network = attention_resnet(
        input_channels=3, output_channels=3, image_size=32, num_blocks=1, base_filters=4, light=light
    )
    layers = {"y": "attention_activation", "cam_logit": "class_logits", "gamma": "gamma", "beta": "beta"}
    outputs = {name: network.get_layer(layer).output for name, layer in layers.items()}
    part = keras.Model(network.get_layer("attention").input, outputs | {"heatmap": network.outputs[2]})
    variables = of_the_attention(network)
    draw(case, variables)
    compare(case, lambda x: part(x, training=True), variables)


def test_the_attention_of_a_discriminator(float64) -> None:
    network = attention_discriminator(input_channels=3, base_filters=8, num_layers=3)
    x, classes = (network.get_layer(name).output for name in ("attention_activation", "class_logits"))
    outputs = {"y": network.outputs[0], "cam_logit": classes, "heatmap": keras.ops.sum(x, -1, keepdims=True)}
    part = keras.Model(network.get_layer("attention").input, outputs)
    variables = of_the_attention(network)
    draw("cam_d", variables)
    compare("cam_d", lambda x: part(x, training=True), variables)


def test_a_discriminator_whose_kernels_are_normalized_anew_in_each_pass(float64) -> None:
    network = attention_discriminator(input_channels=3, base_filters=4, num_layers=5)
    attended = keras.ops.sum(network.get_layer("attention_activation").output, -1, keepdims=True)
    whole = keras.Model(network.input, {"y": network.outputs[0], "cam_logit": network.outputs[1], "heatmap": attended})
    variables = torch_variables(network)
    draw("dis", variables)

    def assert_vectors(prefix: str) -> None:
        vectors = recorded(prefix)
        assert len(vectors) == 7
        for name, vector in vectors.items():
            assert_equal(variables[name].numpy(), vector, name)

    compare("dis", lambda x: whole(x, training=True), variables)
    assert_vectors("dis/after_1_forward/")
    x = RECORDED["dis/input/x"].astype(np.float64)
    for prefix, training in (("dis/second/", True), ("dis/eval_mode/", False)):
        outputs = whole(x, training=training)
        for name, array in recorded(prefix).items():
            assert_equal(outputs[name], array, prefix + name)
    assert_vectors("dis/after_2_forwards/")
