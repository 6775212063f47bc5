"""Writes PyTorch's state_dicts without PyTorch, as the zip archive that it has written since 1.6."""

import filecmp
import math
import os
import pathlib
import pickle
import shutil
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_zoo.pretrained.torch_pickle import STORAGE_TYPES, Storage

Arrays = Mapping[str, "np.ndarray | Arrays"]
Tensors = Mapping[str, "tuple[Storage, tuple[int, ...]] | Tensors"]


def write_state_dict(path: str | os.PathLike[str], arrays: Arrays) -> None:
    """Writes arrays as a state_dict that `torch.load(path, weights_only=True)` reads.

    Args:
        path: the file; a crash leaves it as it was.
        arrays: by name, of the types that PyTorch has too; or such state_dicts by name.

    Raises:
        ValueError: for an array of another type.
    """
    path = pathlib.Path(path)
    numbers: list[np.ndarray] = []

    def described(entries: Arrays) -> dict[str, Any]:
        tensors = {}
        for name, entry in entries.items():
            if isinstance(entry, Mapping):
                tensors[name] = described(entry)
                continue
            array = np.asarray(entry)
            if array.dtype.name not in STORAGE_TYPES.values():
                raise ValueError(f"{name}: PyTorch has no type {array.dtype}")
            tensors[name] = Storage(array.dtype.name, str(len(numbers)), math.prod(array.shape)), array.shape
            numbers.append(array)
        return tensors

    tensors = described(arrays)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for member, data in [("data.pkl", write_pickle(tensors)), ("byteorder", b"little"), ("version", b"3\n")]:
                archive.writestr(zipfile.ZipInfo(f"{path.stem}/{member}"), data)
            for place, array in enumerate(numbers):
                data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
                archive.writestr(zipfile.ZipInfo(f"{path.stem}/data/{place}"), data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_state_dicts(folder: pathlib.Path, state_dicts: Mapping[pathlib.Path, Arrays]) -> list[pathlib.Path]:
    """Writes several files into a folder, all of them or none; what is there already must be equal.

    All are written aside first: a killed process leaves next to never a part of them, and where it does, the same files
    written again make the set whole.

    Args:
        folder: made if it is missing.
        state_dicts: the arrays by name, by the path of their file in `folder`.

    Returns:
        The files that are there with other contents; where there are some, nothing was written.
    """
    aside = folder / ".to_pytorch.partial"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        for path, arrays in state_dicts.items():
            write_state_dict(aside / path.name, arrays)
        different = [
            path for path in state_dicts if path.exists() and not filecmp.cmp(path, aside / path.name, shallow=False)
        ]
        if not different:
            for path in state_dicts:
                os.replace(aside / path.name, path)
        return different
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_pickle(tensors: Tensors) -> bytes:
    """The program that rebuilds an OrderedDict of contiguous tensors, each from its own storage and its sizes, or of
    such OrderedDicts."""
    return b"\x80\x02" + _ordered_dict(tensors) + b"."


def _ordered_dict(tensors: Tensors) -> bytes:
    program = [_word("collections.OrderedDict"), b")R("]
    for name, entry in tensors.items():
        program += [_text(name), _ordered_dict(entry) if isinstance(entry, Mapping) else _tensor(*entry)]
    return b"".join([*program, b"u"])


def _tensor(storage: Storage, sizes: tuple[int, ...]) -> bytes:
    storage_types = {dtype: name for name, dtype in STORAGE_TYPES.items()}
    strides = [math.prod(sizes[place + 1 :]) for place in range(len(sizes))]
    program = [_word("torch._utils._rebuild_tensor_v2"), b"(("]
    program += [_text("storage"), _word(storage_types[storage.dtype]), _text(storage.key), _text("cpu")]
    program += [_number(storage.count), b"tQ", _number(0)]
    for numbers in (sizes, strides):
        program += [b"(", *map(_number, numbers), b"t"]
    program += [b"\x89", _word("collections.OrderedDict"), b")RtR"]  # needs no gradient, has no hooks
    return b"".join(program)


def _word(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def _text(text: str) -> bytes:
    return b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()


def _number(value: int) -> bytes:
    digits = pickle.encode_long(value)
    return b"\x8a" + bytes([len(digits)]) + digits
