"""How much memory a translation takes, before any of it is taken, and how much there is."""

import ctypes
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from gan_zoo.translation import translating

_TRACED_SIDE = 512  # pixels
_MARGIN = 1.2
_VIEWS = ("Const", "ReadVariableOp", "Identity", "Reshape", "Squeeze", "ExpandDims")  # take nothing of their own
# Of a machine without a word on its free memory, the share of all that other programs are left.
_LEFT_TO_OTHERS = 0.25
_CGROUPS = (  # limit, use, and what of the use the kernel gives back when asked
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def available_memory(root: Path = Path("/")) -> int | None:
    """The bytes that this process can still have: of the machine's, and of its control group's; None if unknown.

    Args:
        root: where `proc` and `sys` are.
    """
    known = [_free_of_machine(root), *(_free_of_group(root, *names) for names in _CGROUPS)]
    return min((count for count in known if count is not None), default=None)


def _free_of_machine(root: Path) -> int | None:
    try:
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        if sys.platform == "win32":
            return _free_on_windows()
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * (1 - _LEFT_TO_OTHERS))
    except (AttributeError, OSError, ValueError):
        return None


def _free_on_windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint32), ("load", ctypes.c_uint32)] + [
            (name, ctypes.c_uint64)
            for name in ("all", "free", "all_paged", "free_paged", "space", "free_space", "more")
        ]

    status = Status(length=ctypes.sizeof(Status))
    return status.free if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _free_of_group(root: Path, limit: str, use: str, given_back: str) -> int | None:
    """Of the control groups that this process is in, the least that one of them has left."""
    top, left = root / "sys/fs/cgroup", []
    kind, _, name = limit.rpartition("/")
    for group in _groups(root, kind):
        folder = top / kind / group
        try:
            most = int((folder / name).read_text(encoding="ascii"))
            used = int((folder / use.rpartition("/")[2]).read_text(encoding="ascii"))
            numbers = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            left.append(max(most - used + int(numbers.get(given_back, 0)), 0))
        except (OSError, ValueError):  # "max", or a group without such a limit
            continue
    return min(left, default=None)


def _groups(root: Path, kind: str) -> list[str]:
    """The process' group and those around it, as paths below where they are mounted."""
    groups = {""}
    try:
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == kind or kind in controllers.split(","):
                parts = [part for part in path.split("/") if part not in ("", "..")]
                groups |= {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    except (OSError, ValueError):
        pass
    return sorted(groups)


def bytes_per_pixel(translator: Any) -> float:
    """What translating takes at the most, for each pixel of the picture; found from the graph, nothing is computed.

    An estimate from above, of the tensors that are there at one time: kernels may keep more or less beside them. Of a
    translator that works in parts it is what grows with the picture; the part at work takes about a gigabyte beside it.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
    """
    multiple = translator.size_multiple
    side = -(-_TRACED_SIDE // multiple) * multiple
    noise = [translating.no_noise(translator, 1)] if translating.takes_noise(translator) else []
    channels = translator.input_channels
    if translator.tile_overlap is not None:
        # What the network takes for a part does not grow with the picture. What does: the picture, and the answer.
        return 2.0 * channels + translator.scale**2 * translator.output_channels
    if translator.chroma is not None:  # it predicts in small, so that all else counts
        image = tf.TensorSpec([1, side, side, 3], tf.uint8)
        peak = peak_bytes(lambda image: translating.translate(translator, image, *noise), image)
    else:
        image = tf.TensorSpec([1, side, side, channels], tf.float32)
        peak = peak_bytes(lambda image: translator.function(image, *noise), image)
    # The picture as decoded, as float32 and padded; the answer padded and cropped.
    copies = channels * (3 + 4 + 4) + translator.scale**2 * translator.output_channels * (4 + 4 + 1)
    return _MARGIN * peak / side**2 + copies


def largest_size(height: int, width: int, per_pixel: float, available: int) -> tuple[int, int] | None:
    """None if a picture of `height` and `width` can be translated in `available` bytes, else what it could be at most.

    Args:
        height, width: in pixels.
        per_pixel: `bytes_per_pixel` of what translates it.
        available: bytes.
    """
    need = per_pixel * height * width
    if need <= available:
        return None
    share = math.sqrt(available / need)
    return int(height * share), int(width * share)


def peak_bytes(function: Callable[..., Any], *specs: tf.TensorSpec) -> int:
    """The most that the tensors of `function` take at one time, and what its largest operation may need to work.

    Args:
        function: in TensorFlow's operations.
        specs: of its arguments, with known shapes.
    """
    graph = tf.function(function).get_concrete_function(*specs).graph
    operations = graph.get_operations()
    last_use: dict[str, int] = {}
    for place, operation in enumerate(operations):
        last_use |= dict.fromkeys((tensor.name for tensor in (*operation.inputs, *operation.outputs)), place)
    last_use |= dict.fromkeys((tensor.name for tensor in graph.outputs), len(operations))
    alive = peak = largest = 0
    freed: dict[int, int] = {}
    for place, operation in enumerate(operations):
        counts = {tensor.name: _bytes_of(tensor) for tensor in operation.outputs}
        if operation.type not in _VIEWS:
            for name, count in counts.items():
                alive += count
                freed[last_use[name]] = freed.get(last_use[name], 0) + count
            largest = max(largest, sum(counts.values()) + sum(map(_bytes_of, operation.inputs)))
        peak = max(peak, alive)
        alive -= freed.pop(place, 0)
    return peak + largest


def _bytes_of(tensor: tf.Tensor) -> int:
    """0 where the shape is not known before the graph runs."""
    if not tensor.shape.is_fully_defined() or not tensor.dtype.size:
        return 0
    return math.prod(tensor.shape) * tensor.dtype.size
