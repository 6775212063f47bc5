"""CycleGAN's residual generator: the authors' numbers, and what its options change."""

import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import to_keras_layout, variables

from gan_zoo.networks.resnet import resnet

RECORDED = pathlib.Path(__file__).parent / "parity" / "net_G_resnet_9blocks_instance.npz"


def noise(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape), keras.backend.floatx())


def layer_of(name: str) -> str:
    """`model.<index>.weight` and `model.<index>.conv_block.<1 or 5>.weight` of nine blocks."""
    index, inner = re.match(r"model\.(\d+)(?:\.conv_block\.(\d))?", name).groups()
    if inner is not None:
        return f"block_{int(index) - 10}_conv_{int(inner) // 5}"
    return {"1": "conv_in", "4": "down_0", "7": "down_1", "19": "up_1", "22": "up_0", "26": "conv_out"}[index]


def test_recorded_output_of_the_authors_code() -> None:
    arrays = np.load(RECORDED)
    network = resnet(input_channels=3, output_channels=3, base_filters=4)
    names = [key.removeprefix("weights/") for key in arrays.files if key.startswith("weights/")]
    for name, variable in variables(network, names, layer_of).items():
        variable.assign(to_keras_layout(variable, arrays[f"weights/{name}"]))
    output = network(tf.constant(arrays["input"].astype(np.float32))).numpy()
    # Recorded in float64 from weights that are exact in float32: what is left is float32's rounding in 23 layers.
    assert np.abs(output - arrays["output"]).max() < 1e-4 * np.abs(arrays["output"]).max()


@pytest.mark.parametrize(("num_blocks", "count"), [(9, 11_378_179), (6, 7_837_699)])
def test_as_many_weights_as_the_authors(num_blocks, count) -> None:
    assert resnet(input_channels=3, output_channels=3, num_blocks=num_blocks).count_params() == count
