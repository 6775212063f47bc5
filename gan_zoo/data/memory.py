"""How much memory there is, and pictures that are decoded only where it is enough."""

import ctypes
import os
import sys
from pathlib import Path

import numpy as np

from gan_zoo.headers import PNG_SIGNATURE
from gan_zoo.images import BadImage, decode_image, size_of

SMALL_PIXELS = 1 << 20  # of a picture that fits wherever TensorFlow does
# What decoding takes for a pixel at the most, and resizing after it.
# By measurement: 11 for a PNG of 8 bit, 18 to 21 for a JPEG with a colour profile, which is looked at twice.
OF_PNG, OF_OTHERS = 14, 24
# Of a machine without a word on its free memory, the share of all that other programs are left.
_LEFT_TO_OTHERS = 0.25
_CGROUPS = (  # limit, use, and what of the use the kernel gives back when asked
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def bytes_to_decode(data: bytes) -> int:
    """What decoding a picture takes at the most for each pixel, in bytes: an estimate from above, by half perhaps.

    Args:
        data: of a file that is a picture.
    """
    if not data.startswith(PNG_SIGNATURE):
        return OF_OTHERS
    return OF_PNG * (2 if data[24] == 16 else 1)  # of the IHDR chunk, always the first


def decode_if_room(data: bytes, *, use_profile: bool = True) -> np.ndarray:
    """`gan_zoo.images.decode_image`, for which memory is only taken where there is enough of it.

    Raises:
        BadImage: as that, and for a picture that is too large for the memory that is free.
    """
    height, width = size_of(data)
    if height * width > SMALL_PIXELS:
        available = available_memory()
        need = bytes_to_decode(data) * height * width
        if available is not None and need > available:
            raise BadImage(
                f"{width}x{height} pixels: to decode them would take {need / 1e9:.1f} GB of memory, and "
                f"{available / 1e9:.1f} GB are free: make it smaller"
            )
    return decode_image(data, use_profile=use_profile)


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
