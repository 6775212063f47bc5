"""The residual U-Net: its paper's size, its sums, and that all of it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.networks.res_unet import res_unet


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def test_as_many_weights_as_the_papers_filters_make(monkeypatch) -> None:
    monkeypatch.setattr("gan_zoo.networks.res_unet.make_initializer", lambda *_: "zeros")  # Random numbers take time.
    network = res_unet(input_channels=3, output_channels=1)
    kernels = {layer.name: layer.kernel.shape for layer in network.layers if hasattr(layer, "kernel")}
    assert len(kernels) == 14 + 7 + 1  # two in each of 7 units, the shortcut of each, the output
    of_3x3 = {name: int(np.prod(shape)) for name, shape in kernels.items() if shape[0] == 3}
    # The paper's 64 to 512 filters, level by level: 7.8 million in all.
    assert list(of_3x3.values()) == [
        *(9 * 3 * 64, 9 * 64 * 64),
        *(9 * 64 * 128, 9 * 128 * 128),
        *(9 * 128 * 256, 9 * 256 * 256),
        *(9 * 256 * 512, 9 * 512 * 512),
        *(9 * (512 + 256) * 256, 9 * 256 * 256),
        *(9 * (256 + 128) * 128, 9 * 128 * 128),
        *(9 * (128 + 64) * 64, 9 * 64 * 64),
    ]
    assert sum(of_3x3.values()) == 7_780_032
    assert sum(int(np.prod(shape)) for name, shape in kernels.items() if "shortcut" in name) == 430_272


def test_the_tanh_starts_unsaturated() -> None:
    keras.utils.set_random_seed(0)
    network = res_unet(input_channels=1, output_channels=2, base_filters=16)
    image = noise(2, 32, 32, 1)
    # 0.02 times the root of 16 channels times what the sums of the units add up to, about 3.
    for training in (False, True):
        assert 0.05 < np.std(network(image, training=training)) < 0.4


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_every_weight_learns(norm) -> None:
    keras.utils.set_random_seed(0)
    network = res_unet(input_channels=1, output_channels=2, num_downs=2, base_filters=4, norm=norm)
    image, weighting = noise(2, 16, 24, 1), noise(2, 16, 24, 2)
    with tf.GradientTape() as tape:
        output = network(image, training=True)
        loss = tf.reduce_sum(output * weighting)
    assert output.shape == (2, 16, 24, 2)
    for variable, gradient in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, variable.path


def test_a_units_input_is_added_to_its_output() -> None:
    """Without its second convolution a unit is its shortcut alone, in graphs without fixed size too."""
    network = res_unet(input_channels=3, output_channels=2, num_downs=1, base_filters=4)
    for layer in network.layers:
        if layer.name.endswith("conv_1"):
            layer.kernel.assign(tf.zeros_like(layer.kernel))
    kernels = {layer.name: layer.kernel for layer in network.layers if hasattr(layer, "kernel")}
    image = noise(1, 6, 8, 3)
    full = image @ kernels["down_0_shortcut"][0, 0]
    half = full[:, ::2, ::2] @ kernels["down_1_shortcut"][0, 0]
    joined = np.concatenate([half.numpy().repeat(2, 1).repeat(2, 2), full], -1)
    expected = np.tanh(joined @ kernels["up_0_shortcut"][0, 0] @ kernels["conv_out"][0, 0])
    graph = tf.function(network, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(graph(image), expected, atol=1e-6)


def test_the_activation_comes_before_the_convolution() -> None:
    network = res_unet(input_channels=1, output_channels=1, num_downs=1, base_filters=2)
    before = {
        layer.name: layer.input._keras_history.operation.name
        for layer in network.layers
        if layer.name != "image" and "skip" not in layer.name and not isinstance(layer.input, list)
    }
    assert before["down_0_conv_0"] == "image"
    assert before["down_0_conv_1"] == "down_0_1_activation"
    assert before["down_1_conv_0"] == "down_1_0_activation"
    assert before["down_1_0_activation"] == "down_1_0_norm"
    assert before["down_1_shortcut"] == before["down_1_0_norm"] == "down_0"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="Received: num_downs=0"):
        res_unet(input_channels=1, output_channels=1, num_downs=0)
    with pytest.raises(ValueError, match="Received: norm='group'"):
        res_unet(input_channels=1, output_channels=1, norm="group")
