"""The pickle inside a PyTorch file, read as data, without PyTorch.

A pickle is a program that can do anything. What reads it here is no pickle machine with forbidden words: it knows the
few instructions of which a state_dict consists and the few functions that rebuild a tensor, as records of our own, and
stops at everything else. Nothing is imported, called by name or unpickled.
"""

import contextlib
import dataclasses
import io
import math
import pickletools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Some 250 bytes a tensor are needed; the limit keeps a made-up file from filling the memory with small objects.
MAX_BYTES = 1 << 20
MAX_DIMS = 8
MAX_ARGUMENTS = 16  # PyTorch gives 7 at most; a long tuple in a thousand calls would cost minutes
BFLOAT16 = "bfloat16"  # of which numpy knows nothing
STORAGE_TYPES = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": BFLOAT16,
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}


class RefusedError(Exception):
    """What is wrong with a file, as the end of a sentence about it."""


@dataclasses.dataclass(frozen=True)
class Global:
    """A class or function that a pickle names: a word, nothing that could be called."""

    name: str


@dataclasses.dataclass(frozen=True)
class Storage:
    """A row of `count` numbers somewhere in the file, found by its key."""

    dtype: str
    key: str
    count: int

    @property
    def num_bytes(self) -> int:
        return self.count * (2 if self.dtype == BFLOAT16 else np.dtype(self.dtype).itemsize)


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A view of a storage that was found to lie inside it; offset and strides in numbers, not bytes."""

    storage: Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


def kind(value: Any) -> str:
    """What a value is, for an error message."""
    return value.name if type(value) is Global else type(value).__name__.lower()


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise RefusedError("describes a tensor with a size, stride or offset that is no whole number from 0 on")
    return value


def _storage(parts: Any) -> Storage:
    if type(parts) is not tuple or len(parts) not in (5, 6) or parts[0] != "storage" or parts[5:] not in ((), (None,)):
        raise RefusedError("refers to something outside of it that is no plain row of numbers")
    _, storage_type, key, _, count = parts[:5]
    if type(storage_type) is not Global or storage_type.name not in STORAGE_TYPES or type(key) is not str:
        raise RefusedError("describes a row of numbers in a way that PyTorch does not")
    return Storage(STORAGE_TYPES[storage_type.name], key, _whole(count))


def _rebuild_tensor(storage: Any, offset: Any, sizes: Any, strides: Any, *_: Any) -> Tensor:
    """Checks that each of the tensor's numbers lies in its storage, and that there are no more of them than it has."""
    if type(storage) is not Storage or type(sizes) is not tuple or type(strides) is not tuple:
        raise RefusedError("describes a tensor in a way that PyTorch does not")
    if len(sizes) != len(strides) or len(sizes) > MAX_DIMS:
        raise RefusedError(f"describes a tensor of {len(sizes)} sizes and {len(strides)} strides")
    offset, sizes, strides = _whole(offset), tuple(map(_whole, sizes)), tuple(map(_whole, strides))
    if 0 in sizes:
        raise RefusedError("holds a tensor without numbers")
    strides = tuple(stride if size > 1 else 0 for size, stride in zip(sizes, strides, strict=True))
    end = offset + 1 + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if max(end, math.prod(sizes)) > storage.count:
        raise RefusedError(f"claims a tensor of the shape {list(sizes)} in a storage of {storage.count} numbers")
    return Tensor(storage, offset, sizes, strides)


def _rebuild_parameter(tensor: Any, *_: Any) -> Tensor:
    if type(tensor) is not Tensor:
        raise RefusedError("describes a parameter that is no tensor")
    return tensor


def _size(sizes: Any) -> tuple:
    if type(sizes) is not tuple:
        raise RefusedError("describes a size that is none")
    return sizes


def _ordered_dict(items: Any = None) -> dict[str | int, Any]:
    result: dict[str | int, Any] = {}
    if items is not None:  # Python 2 pickled them with it, as a list of lists of two
        if type(items) is not list or not all(type(item) is list and len(item) == 2 for item in items):
            raise RefusedError("holds an OrderedDict that is none")
        for key, value in items:
            _set_item(result, key, value)
        items.clear()  # a program that used them again and again could fill the memory
    return result


def _set_item(target: Any, key: Any, value: Any) -> None:
    if type(target) is not dict or type(key) not in (str, int):  # optimizers number what they keep
        raise RefusedError("holds a dict whose keys are not all names or numbers")
    target[key] = value


# All that a state_dict may call. Ours return records of what they are told.
CALLABLES: Mapping[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.Size": _size,
}


def _global(name: str) -> Global:
    if name not in CALLABLES and name not in STORAGE_TYPES:
        raise RefusedError(f"asks for {name[:200]!r}, which rebuilds no tensor; nothing of it was run")
    return Global(name)


def _call(function: Any, arguments: Any) -> Any:
    if type(function) is not Global or function.name not in CALLABLES or type(arguments) is not tuple:
        raise RefusedError(f"calls {kind(function)!r}, which rebuilds no tensor; nothing of it was run")
    with contextlib.suppress(TypeError):  # their number
        if len(arguments) <= MAX_ARGUMENTS:
            return CALLABLES[function.name](*arguments)
    raise RefusedError(f"calls {function.name} in a way that PyTorch does not")


_MARK = object()


class _Machine:
    """A stack and a memo, and the few instructions that state_dicts are made of.

    Each makes at most one small object of a few values: a program outgrows its length by little, in memory and time.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self, count: int) -> list[Any]:
        """The last values, in the order in which they came."""
        start = len(self.stack) - count
        if start < 0:
            raise IndexError("too few values")
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def pop_to_mark(self) -> list[Any]:
        count = next(count for count, value in enumerate(reversed(self.stack)) if value is _MARK)
        return self.pop(count + 1)[1:]

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise RefusedError("appends to something that is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            _set_item(self.stack[-1], key, value)

    def set_attributes(self) -> None:
        """Those of an OrderedDict, which are left out: PyTorch notes the versions of its layers there."""
        if type(self.pop(1)[0]) is not dict or type(self.stack[-1]) is not dict:
            raise RefusedError("sets attributes of something that is no state_dict; nothing of it was run")

    def put(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise RefusedError("asks for something that has no name")
        self.push(_global(f"{module[:100]}.{name[:100]}"))


_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")
_TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING")
_STEPS: Mapping[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, argument: None),
    **dict.fromkeys((*_NUMBERS, *_TEXTS), lambda machine, value: machine.push(value)),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "MARK": lambda machine, _: machine.push(_MARK),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "APPEND": lambda machine, _: machine.append(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.append(machine.pop_to_mark()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "SETITEM": lambda machine, _: machine.set_items(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
    "BUILD": lambda machine, _: machine.set_attributes(),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda machine, place: machine.put(place)),
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, place: machine.push(machine.memo[place])),
    "GLOBAL": lambda machine, names: machine.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name(*machine.pop(2)),
    "REDUCE": lambda machine, _: machine.push(_call(*machine.pop(2))),
    "BINPERSID": lambda machine, _: machine.push(_storage(*machine.pop(1))),
}


def read_pickle(file: io.BytesIO) -> Any:
    """Reads the pickle at the file's position, which then stands behind it.

    Returns:
        What it describes, of strings, numbers, tuples, lists, dicts (also for an OrderedDict), `Storage`, `Tensor` and
        `Global`.

    Raises:
        RefusedError: if it does anything but describing tensors, is damaged, or ends too early.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                (value,) = machine.stack
                return value
            if opcode.name not in _STEPS:
                what = opcode.name if argument is None else f"{opcode.name} {argument!r:.200}"
                raise RefusedError(f"uses the instruction {what}, which rebuilds no tensor; nothing of it was run")
            _STEPS[opcode.name](machine, argument)
    # A damaged program fails where it happens to: a missing operand, a name that is not UTF-8, a count too large.
    except (ValueError, IndexError, KeyError, StopIteration, RuntimeError, OverflowError) as error:
        raise RefusedError(
            f"holds a damaged or truncated pickle ({type(error).__name__}: {str(error)[:200]})"
        ) from None
    raise RefusedError("holds a truncated pickle")
