"""How PyTorch lays out what Keras lays out otherwise."""

import keras
import numpy as np


def to_keras_layout(array: np.ndarray) -> np.ndarray:
    """A kernel of PyTorch's, `[out, in, h, w]`, transposed `[in, out, h, w]`, dense `[out, in]`, as Keras stores it."""
    if array.ndim == 4:
        # For a transposed convolution Keras wants [h, w, out, in]: the same permutation.
        return array.transpose(2, 3, 1, 0)
    return array.T if array.ndim == 2 else array


def to_torch_layout(array: np.ndarray) -> np.ndarray:
    """The way back."""
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1)
    return array.T if array.ndim == 2 else array


def torch_shape(variable: keras.Variable | None) -> tuple[int, ...]:
    """The shape that PyTorch gives to a variable of ours, or to a number of batches."""
    shape = () if variable is None else tuple(variable.shape)
    if len(shape) == 4:
        return (shape[3], shape[2], *shape[:2])
    return shape[::-1]  # of a dense kernel; of a vector it changes nothing
