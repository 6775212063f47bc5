"""The U-Net with pix2pix' parts: the authors' numbers, every size, dropout drawn from seeds."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.normalization import NORMS
from gan_zoo.networks.unet import unet

RECORDED = pathlib.Path(__file__).parents[1] / "parity" / "net_G_unet_256_batch.npz"


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def seeds(*values: int) -> tf.Tensor:
    return tf.constant(values, tf.int64)


def test_recorded_output_of_the_authors_code() -> None:
    arrays = np.load(RECORDED)
    network = unet(input_channels=3, output_channels=3, num_downs=8, base_filters=4, norm="batch")
    assign(network, recorded_weights(arrays), skip_first=True)
    output = network(tf.constant(arrays["input"].astype(np.float32)), training=bool(arrays["training"]))
    # Recorded in float64 from weights that are exact in float32: what is left is float32's rounding.
    assert np.abs(output - arrays["output"]).max() < 1e-4 * np.abs(arrays["output"]).max()


def test_as_many_weights_as_the_authors(monkeypatch) -> None:
    monkeypatch.setattr("gan_zoo.networks.unet.make_initializer", lambda *_: "zeros")  # Random numbers take seconds.
    network = unet(input_channels=3, output_channels=3, num_downs=8, norm="batch")
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == 54_413_955


@pytest.mark.parametrize("num_downs", [5, 6, 7, 8, 9, 10])
def test_sizes_from_32_to_1024(num_downs) -> None:
    network = unet(input_channels=1, output_channels=2, num_downs=num_downs, base_filters=1, norm="batch")
    size = 2**num_downs
    output = network(noise(1, size, size, 1), training=True).numpy()
    assert output.shape == (1, size, size, 2) and np.isfinite(output).all()
    assert sum("down" in layer.name and hasattr(layer, "kernel") for layer in network.layers) == num_downs
    assert output.std() > 0 and abs(output).max() <= 1


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_which_convolutions_have_a_bias(norm, upsampling) -> None:
    network = unet(input_channels=1, output_channels=1, num_downs=5, base_filters=1, norm=norm, upsampling=upsampling)
    has_bias = {layer.name: layer.use_bias for layer in network.layers if hasattr(layer, "kernel")}
    assert len(has_bias) == 10 and has_bias.pop("up_0")
    assert set(has_bias.values()) == {norm == "instance"}
    normalized = [layer.name for layer in network.layers if layer.name.endswith("norm")]
    expected = [f"down_{level}_norm" for level in (1, 2, 3)] + [f"up_{level}_norm" for level in (4, 3, 2, 1)]
    assert normalized == ([] if norm == "none" else expected)


def with_seed(inference_mode: str, num_downs: int = 7) -> keras.Model:
    keras.utils.set_random_seed(1)
    return unet(
        input_channels=1,
        output_channels=1,
        num_downs=num_downs,
        base_filters=2,
        init_gain=1.0,
        norm="batch",
        dropout_from_seed=True,
        inference_mode=inference_mode,
    )


def test_in_train_mode_a_translation_depends_on_its_own_image_and_seed_alone() -> None:
    network = with_seed("train")
    image = noise(3, 128, 128, 1)
    together = network([image, seeds(5, 6, 5)]).numpy()
    alone = network([image[:1], seeds(5)]).numpy()
    # The same sums, over one image or three at a time, may be added up in another order.
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)
    assert abs(network([image[:1], seeds(7)]).numpy() - alone).max() > 0.01
    same_image = network([tf.repeat(image[:1], 2, axis=0), seeds(5, 7)]).numpy()
    np.testing.assert_allclose(same_image[:1], alone, atol=1e-5)
    assert abs(same_image[1] - same_image[0]).max() > 0.01


def test_of_a_batch_of_one_train_mode_gives_what_training_does() -> None:
    network = with_seed("train")
    inputs = [noise(1, 128, 128, 1), seeds(5)]
    np.testing.assert_allclose(network(inputs), network(inputs, training=True), atol=1e-5)


def test_in_eval_mode_seeds_count_in_training_only() -> None:
    network = with_seed("eval")
    image = noise(1, 128, 128, 1)
    np.testing.assert_array_equal(network([image, seeds(5)]), network([image, seeds(7)]))
    first, second = (network([image, seeds(seed)], training=True).numpy() for seed in (5, 7))
    assert abs(first - second).max() > 0.01


def test_dropout_lies_where_the_authors_have_it() -> None:
    layers = [layer for layer in with_seed("train", num_downs=8).layers if isinstance(layer, SeededDropout)]
    assert [(layer.name, layer.rate) for layer in layers] == [(f"up_{level}_dropout", 0.5) for level in (6, 5, 4)]
    assert len({layer.stream for layer in layers}) == 3


def test_the_shallowest_network_takes_a_seed_too() -> None:
    network = with_seed("train", num_downs=5)
    assert [tuple(given.shape) for given in network.inputs] == [(None, None, None, 1), (None,)]
    assert network([noise(2, 32, 32, 1), seeds(1, 2)]).shape == (2, 32, 32, 1)


@pytest.mark.parametrize("argument", [{"norm": "spectral"}, {"inference_mode": "test"}, {"init_type": "uniform"}])
def test_wrong_arguments_are_named(argument) -> None:
    with pytest.raises(ValueError, match="Received: "):
        unet(input_channels=1, output_channels=1, num_downs=5, base_filters=1, **argument)
