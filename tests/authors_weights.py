"""Gives our networks the weights that the authors' code was recorded with."""

import keras
import numpy as np

from gan_zoo.authors_weights.names import joined_inputs, swap_halves, torch_variables
from gan_zoo.pretrained.torch_layout import to_keras_layout


def recorded_weights(arrays, prefix: str = "weights/") -> dict[str, np.ndarray]:
    """The weights of a recording by the authors' names."""
    return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}


def assign(
    network: keras.Model, weights: dict[str, np.ndarray], *, skip_first: bool = False
) -> dict[str, keras.Variable]:
    """Gives the network all of the weights, each of its variables one; returns the variables by the authors' names.

    Args:
        skip_first: for a U-Net of pix2pix, which joins [skip, way up], BicycleGAN's and ours [way up, skip].
    """
    named = torch_variables(network)
    variables = {name: variable for name, variable in named.items() if not isinstance(variable, np.ndarray)}
    assert set(variables) == set(weights)
    swapped = joined_inputs(network) if skip_first else {}
    for name, variable in variables.items():
        if variable is not None:
            array = swap_halves(weights[name], swapped[name]) if name in swapped else weights[name]
            variable.assign(to_keras_layout(array))
    return {name: variable for name, variable in variables.items() if variable is not None}
