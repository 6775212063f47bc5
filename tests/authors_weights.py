"""Maps the names of the authors' PyTorch weights to the variables of our networks."""

import re

import keras
import numpy as np


def unet_layer(name: str) -> str:
    """The layer of our U-Net that holds `model.model.1.model.3...weight` or `model.submodule.down.1...weight`."""
    tokens = name.split(".")[1:-1]
    if tokens[-2] in ("down", "up"):
        return f"{tokens[-2]}_{tokens.count('submodule')}"
    level = len(tokens) // 2 - 1
    is_down = tokens[-1] == ("0" if level == 0 else "1")
    return f"{'down' if is_down else 'up'}_{level}"


def discriminator_layer(name: str) -> str:
    """`model_<scale>.<index>.weight`: the convolutions stand at 0, 2, 5, 8 ..."""
    scale, index = re.match(r"model_(\d+)\.(\d+)", name).groups()
    return f"scale_{scale}_conv_{(int(index) + 1) // 3}"


def encoder_layer(name: str) -> str:
    if name.startswith("fc"):
        return "logvar" if name.startswith("fcVar") else "mu"
    parts = name.split(".")
    if len(parts) == 3:
        return f"conv_{(int(parts[1]) + 1) // 3}"
    if parts[2] == "shortcut":
        return f"block_{parts[1]}_shortcut"
    return f"block_{parts[1]}_conv_{0 if parts[3] == '2' else 1}"


def to_keras_layout(layer: keras.layers.Layer, array: np.ndarray) -> np.ndarray:
    """PyTorch's `[out, in, h, w]`, `[in, out, h, w]` (transposed) and `[out, in]` as Keras stores them."""
    if array.ndim == 4:
        return array.transpose(
            2, 3, 1, 0
        )  # For a transposed convolution Keras wants [h, w, out, in]: the same permutation.
    return array.T if array.ndim == 2 else array


def variables(network: keras.Model, names: list[str], layer_of) -> dict[str, keras.Variable]:
    """The network's variable for each of the authors' names; every variable is met once."""
    found = {}
    for name in names:
        layer = network.get_layer(layer_of(name))
        found[name] = layer.bias if name.endswith("bias") else layer.kernel
    assert len({id(variable) for variable in found.values()}) == len(found) == len(network.trainable_variables)
    return found


def unet_part(name: str) -> str:
    """The layer of our U-Net, convolution or norm, that holds `model.model.1.model.2.running_mean` and the like."""
    *block, index = name.split(".")[1:-1]
    if index in ("2", "4", "6"):
        return f"{'down' if index == '2' else 'up'}_{len(block) // 2}_norm"
    return unet_layer(name)


def discriminator_part(name: str) -> str:
    """`conv_<n>` or `norm_<n>` for `model.<index>.weight` of a discriminator of one scale, or `net.<index>.weight`."""
    index = int(name.split(".")[1])
    return f"{'norm' if index and index % 3 == 0 else 'conv'}_{(index + 1) // 3}"


def skip_last(name: str, array: np.ndarray) -> np.ndarray:
    """The weight of a transposed convolution `[in, out, h, w]` of pix2pix' U-Net, as BicycleGAN's (and ours) has it.

    pix2pix' joins [skip, way up], BicycleGAN's [way up, skip], both halves equally wide; the innermost has no skip.
    """
    *block, index, kind = name.split(".")[1:]
    is_joined = kind == "weight" and array.ndim == 4 and index == ("5" if len(block) > 1 else "3")
    return np.roll(array, len(array) // 2, axis=0) if is_joined else array


def assign(network: keras.Model, arrays: dict[str, np.ndarray], layer_of) -> None:
    """Gives the network all of the authors' arrays by their names; each of its variables gets one."""
    norm_variables = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    met = set()
    for name, array in arrays.items():
        kind = name.split(".")[-1]
        if kind == "num_batches_tracked":
            continue
        layer = network.get_layer(layer_of(name))
        is_conv = hasattr(layer, "kernel")
        variable = getattr(layer, {"weight": "kernel", "bias": "bias"}[kind] if is_conv else norm_variables[kind])
        variable.assign(to_keras_layout(layer, array))
        met.add(id(variable))
    assert met == {id(variable) for variable in network.variables}


def recorded_weights(arrays, prefix: str = "weights/") -> dict[str, np.ndarray]:
    """The weights of a recording by the authors' names."""
    return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}
