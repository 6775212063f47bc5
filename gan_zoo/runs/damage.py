"""Whether the bytes of a checkpoint are those that were written: the checksums of its index, then those of its tensors.

TensorFlow looks at the second kind alone, and only at what it restores: what is cut short or flipped would be found in
the middle, with half of the variables changed.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from gan_zoo.errors import UserError

_FOOTER, _MAGIC = 48, 0xDB4775248B80FB57  # of a LevelDB table, which an index is
_TRAILER = 5  # bytes behind each block: how it is compressed, and its checksum
_found: dict[str, tuple[tuple, str | None]] = {}  # reading takes seconds where networks are large: each state once


def damage_of(path: str) -> str | None:
    """What is wrong with the checkpoint of a path prefix; None where it is whole.

    Raises:
        UserError: where a file of it may not or cannot be read, which says nothing about what is in it.
    """
    state = _state(path)
    if path not in _found or _found[path][0] != state:
        _found[path] = state, _look(path)
    return _found[path][1]


def remember_whole(path: str) -> None:
    """Saves looking at a checkpoint that this process has written."""
    _found[path] = _state(path), None


def _state(path: str) -> tuple:
    files = sorted(pathlib.Path(path).parent.glob(f"{pathlib.Path(path).name}.*"))
    with _unreadable(path):
        stats = [(str(file), os.stat(file)) for file in files]
    return path, *((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)


def _look(path: str) -> str | None:
    index = pathlib.Path(f"{path}.index")
    with _unreadable(index):
        try:
            damage = _damage_of_table(index.read_bytes())
        except FileNotFoundError:
            return "it has no index"
        if damage:
            return f"its index {damage}"
        for file in index.parent.glob(f"{index.stem}.data-*"):
            with file.open("rb"):
                pass
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)  # compares its checksum
    except (
        tf.errors.PermissionDeniedError,
        tf.errors.ResourceExhaustedError,
        tf.errors.UnavailableError,
        tf.errors.UnknownError,
    ) as error:
        raise UserError(f"checkpoint {path} cannot be read: {_first_line(error)}") from None
    except (tf.errors.OpError, ValueError, IndexError, RuntimeError) as error:
        return _first_line(error)
    return None


@contextlib.contextmanager
def _unreadable(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"checkpoint file {error.filename or path} cannot be read ({error.strerror}), so nothing is known of it: "
            "change its rights, or see to its disk, and repeat"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _damage_of_table(data: bytes) -> str | None:
    """What is wrong with a LevelDB table as TensorFlow writes it, uncompressed; None for nothing."""
    if len(data) < _FOOTER or int.from_bytes(data[-8:], "little") != _MAGIC:
        return "is cut short" if data else "is empty"
    try:
        place = len(data) - _FOOTER
        meta_start, place = _varint(data, place)
        meta_size, place = _varint(data, place)
        start, place = _varint(data, place)
        size, _ = _varint(data, place)
        blocks = [(meta_start, meta_size), (start, size)]
        if _checked(data, start, size):
            blocks += _handles(data[start : start + size])
    except IndexError:
        return "is damaged"
    return None if all(_checked(data, *block) for block in blocks) else "is damaged: a checksum differs"


def _handles(block: bytes) -> list[tuple[int, int]]:
    """The places and sizes of the blocks that a table's own index lists."""
    restarts = int.from_bytes(block[-4:], "little")
    place, end, handles = 0, len(block) - 4 - 4 * restarts, []
    while place < end:
        _, place = _varint(block, place)  # bytes of the key that the one before has too
        key_size, place = _varint(block, place)
        value_size, place = _varint(block, place)
        value = place + key_size
        start, inner = _varint(block, value)
        handles.append((start, _varint(block, inner)[0]))
        place = value + value_size
    return handles


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number in groups of 7 bits, the lowest first, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _checked(data: bytes, start: int, size: int) -> bool:
    """Whether a block has the checksum that stands behind it: that of its bytes and of the one that follows them."""
    end = start + size + 1
    if end + _TRAILER - 1 > len(data):
        return False
    crc = _crc32c(data[start:end])
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF  # as LevelDB stores them
    return masked == int.from_bytes(data[end : end + 4], "little")


def _crc32c_table() -> list[int]:
    table = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
        table.append(remainder)
    return table


_TABLE = _crc32c_table()


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
