"""Reads files of safetensors, which hold numbers and names alone, with the library of that name if it is installed."""

import os

import numpy as np

from gan_zoo.errors import UserError

SUFFIX = ".safetensors"


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads the tensors of a file.

    The library compares what a file claims of its sizes with the bytes that it has before it makes an array.

    Args:
        path: the file.

    Returns:
        The tensors by name, of numpy's types (bfloat16 as float32).

    Raises:
        UserError: if it is no such file, is damaged, holds a tensor without numbers or of a type that numpy has not, or
            if the library is missing.
    """
    try:
        import safetensors.numpy
    except ImportError:
        raise UserError(
            f"{path} needs the library safetensors: pip install safetensors, or the extra of that name"
        ) from None
    if not os.path.isfile(path):
        raise UserError(f"{path} is no file")
    try:
        arrays = safetensors.numpy.load_file(path)
    # Of a type that numpy has not, the library asks numpy for an attribute.
    except (safetensors.SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no file of safetensors, or damaged ({str(error)[:200]!r})") from None
    for name, array in arrays.items():
        if not array.size:
            raise UserError(f"{path} holds a tensor without numbers: {name[:200]!r}")
        if array.dtype.name == "bfloat16":
            arrays[name] = array.astype(np.float32)
        elif array.dtype.kind not in "fiub":
            raise UserError(f"{path}: {name[:200]!r} is of the type {array.dtype}")
    return arrays
