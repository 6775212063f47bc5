"""Reads PyTorch's state_dicts without PyTorch: the zip archive that it has written since 1.6, and what it
wrote before, a row of pickles and raw numbers.

What a file claims of its sizes is compared with the bytes that it has before an array is made; what its pickle may say:
`gan_zoo.pretrained.torch_pickle`.
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.pretrained.torch_pickle import (
    BFLOAT16,
    MAX_BYTES,
    RefusedError,
    Storage,
    Tensor,
    kind,
    read_pickle,
)

# What a checkpoint calls the network among what it holds beside it: optimizers, numbers of epochs.
NETWORK_KEYS = ("state_dict", "model_state_dict", "model", "generator", "net", "params")
AVERAGED = "_ema"  # ends the name of the averaged copy, which the authors of such files translate with
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MAX_MEMBERS = 1 << 14


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads the tensors of a state_dict that `torch.save` wrote, or of the one in a checkpoint.

    In a checkpoint, a dict that holds it beside other things, it is the only entry that is a dict of tensors, or the
    only one with a name of `NETWORK_KEYS`; where `params` has an averaged copy `params_ema`, that one.

    Args:
        path: the file.

    Returns:
        The tensors by name, in the file's order, as read-only arrays of PyTorch's shapes and types (bfloat16 as
        float32); some may be views of the same memory.

    Raises:
        UserError: if the file is no state_dict, or holds several; is damaged, claims more than it holds, or asks for
            more than tensors.
    """
    return _read(path, _state_dict_in)


def read_state_dicts(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, dict[str, np.ndarray]]:
    """Reads several state_dicts out of one file, a dict of them.

    Args:
        path: the file.
        names: of the state_dicts that are read.

    Returns:
        Those of them that are there, each as of `read_state_dict`; nothing for a file that holds anything else.

    Raises:
        UserError: as `read_state_dict`, but for what is no state_dict.
    """

    def named(value: Any) -> dict[tuple[str, str], Tensor]:
        entries = {name: value.get(name) for name in names} if type(value) is dict else {}
        there = {name: entry for name, entry in entries.items() if type(entry) is dict and _is_state_dict(entry)}
        return {(name, key): tensor for name, entry in there.items() for key, tensor in entry.items()}

    found: dict[str, dict[str, np.ndarray]] = {}
    for (name, key), array in _read(path, named).items():
        found.setdefault(name, {})[key] = array
    return found


def _read(path: str | os.PathLike[str], chosen: Callable[[Any], dict]) -> dict:
    """The arrays of the tensors that `chosen` takes, by their keys, out of what a file's pickle describes."""
    try:
        with open(path, "rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
            file.seek(0)
            return _read_zip(file, chosen) if is_zip else _read_legacy(file, chosen)
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path} is no file") from None
    except RefusedError as error:
        raise UserError(f"{path} {error}") from None


def _read_zip(file: BinaryIO, chosen: Callable[[Any], dict]) -> dict:
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info.file_size for info in archive.infolist()}
            _check_members(archive.infolist(), os.fstat(file.fileno()).st_size)
            roots = [name.removesuffix("/data.pkl") for name in members if name.endswith("/data.pkl")]
            if len(roots) != 1:
                raise RefusedError("is no archive of PyTorch's: it has no data.pkl")
            root = roots[0]
            if members[f"{root}/data.pkl"] > MAX_BYTES:
                raise RefusedError(f"holds a pickle of more than {MAX_BYTES} bytes; no state_dict is that long")
            tensors = chosen(read_pickle(io.BytesIO(archive.read(f"{root}/data.pkl"))))
            order = "little"  # and older files do not say it
            if f"{root}/byteorder" in members:
                order = archive.read(f"{root}/byteorder").decode("ascii", "replace")
            numbers = {}
            for storage in _storages_of(tensors.values()):
                member = f"{root}/data/{storage.key}"
                if members.get(member) != storage.num_bytes:
                    has = f"has {members[member]}" if member in members else "has none"
                    raise RefusedError(f"claims {storage.num_bytes} bytes for the storage {storage.key!r} and {has}")
                numbers[storage.key] = _decode(archive.read(member), storage, order)
    # What zipfile raises for a damaged archive depends on where the damage is.
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, RuntimeError, OverflowError) as error:
        raise RefusedError(f"is a damaged or truncated archive ({str(error)[:200]})") from None
    return {name: _view(tensor, numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _check_members(members: list[zipfile.ZipInfo], file_size: int) -> None:
    """PyTorch stores its members as they are, each once: so all of them together are no larger than the file."""
    if len(members) > MAX_MEMBERS or len({member.filename for member in members}) < len(members):
        raise RefusedError("is no archive of PyTorch's: it has too many members, or some twice")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise RefusedError("is no archive of PyTorch's: its members are compressed or encrypted")
    if sum(member.file_size for member in members) > file_size:
        raise RefusedError("is no archive of PyTorch's: its members claim more bytes than it has")


def _read_legacy(file: BinaryIO, chosen: Callable[[Any], dict]) -> dict:
    head = io.BytesIO(file.read(MAX_BYTES))
    try:
        is_magic = read_pickle(head) == LEGACY_MAGIC
    except RefusedError as error:
        raise RefusedError(f"is no PyTorch file: it {error}") from None
    if not is_magic or read_pickle(head) != LEGACY_PROTOCOL:
        raise RefusedError("is no PyTorch file of a known version")
    read_pickle(head)  # about the machine that wrote it; the numbers are little-endian on all of them
    value = read_pickle(head)
    tensors = chosen(value)
    storages = {storage.key: storage for storage in _storages_of(_tensors_anywhere(value))}
    keys = read_pickle(head)
    if type(keys) is not list or not all(type(key) is str for key in keys) or sorted(keys) != sorted(storages):
        raise RefusedError("is damaged: its list of storages is not that of its tensors")
    file.seek(head.tell())
    left = os.fstat(file.fileno()).st_size - head.tell()
    wanted = {tensor.storage.key for tensor in tensors.values()}
    numbers = {}
    for key in keys:
        storage = storages[key]
        left -= 8 + storage.num_bytes
        if left < 0:
            raise RefusedError(
                f"claims {storage.num_bytes} bytes for the storage {key!r} and ends before them: truncated"
            )
        if int.from_bytes(file.read(8), "little", signed=True) != storage.count:
            raise RefusedError(f"is damaged: its storage {key!r} has two different lengths")
        if key in wanted:
            numbers[key] = _decode(file.read(storage.num_bytes), storage, "little")
        else:
            file.seek(storage.num_bytes, os.SEEK_CUR)
    return {name: _view(tensor, numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _state_dict_in(value: Any) -> dict[str, Tensor]:
    """The state_dict that a pickle describes, or the one in a checkpoint."""
    if type(value) is not dict:
        raise RefusedError(f"holds {kind(value)} instead of a state_dict")
    entries = {id(entry): entry for entry in value.values() if type(entry) is dict}  # one may be there often
    state_dicts = {place for place, entry in entries.items() if _is_state_dict(entry)}
    inner = {name: entry for name, entry in value.items() if id(entry) in state_dicts}
    inner = {name: entry for name, entry in inner.items() if f"{name}{AVERAGED}" not in inner}
    if len(inner) > 1:
        named = {name: entry for name, entry in inner.items() if str(name).removesuffix(AVERAGED) in NETWORK_KEYS}
        if len(named) != 1:
            names = ", ".join(repr(name)[:80] for name in list(inner)[:5])
            raise RefusedError(f"holds several state_dicts ({names}): save the one to read by itself")
        inner = named
    for state_dict in inner.values():
        return state_dict
    for name, entry in value.items():
        if type(entry) is not Tensor or type(name) is not str:
            raise RefusedError(f"is no state_dict: its entry {str(name)[:200]!r} is {kind(entry)} and no tensor")
    return value


def _is_state_dict(value: dict) -> bool:
    return bool(value) and all(type(name) is str and type(entry) is Tensor for name, entry in value.items())


def _tensors_anywhere(value: Any) -> list[Tensor]:
    """All the tensors in a value of `read_pickle`, which may hold itself."""
    found, seen, waiting = [], set(), [value]
    while waiting:
        value = waiting.pop()
        if type(value) is Tensor:
            found.append(value)
        elif type(value) in (dict, list, tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if type(value) is dict else value)
    return found


def _storages_of(tensors: Iterable[Tensor]) -> list[Storage]:
    """Each storage once, however many tensors lie in it."""
    by_key: dict[str, Storage] = {}
    for tensor in tensors:
        if by_key.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise RefusedError(f"describes its storage {tensor.storage.key!r} in two ways")
    return list(by_key.values())


def _decode(data: bytes, storage: Storage, order: str) -> np.ndarray:
    """The storage's numbers in this machine's byte order."""
    if order not in ("little", "big"):
        raise RefusedError("has a byte order that is neither little nor big")
    stored = np.dtype("uint16" if storage.dtype == BFLOAT16 else storage.dtype)
    numbers = np.frombuffer(data, stored.newbyteorder("<" if order == "little" else ">")).astype(stored, copy=False)
    if storage.dtype == BFLOAT16:  # the upper half of a float32
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers


def _view(tensor: Tensor, numbers: np.ndarray) -> np.ndarray:
    """The tensor in its storage; that it lies inside was checked when it was described."""
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.sizes, strides, writeable=False)
