"""Images of any count of channels as files: numpy's arrays, and TIFF files in which each page is a channel.

| file | what is read |
|---|---|
| `.npy` | `[H, W]` or `[H, W, C]`, uint8 or uint16, C from 1 to 16; nothing in it is unpickled |
| `.tif`, `.tiff` | 2 to 16 grey pages of one size, 8 or 16 bit, as they are or packed by LZW, Deflate or PackBits |

A TIFF of one page, or of pages in colour or of several sizes, is a picture. What a file claims of its sizes is compared
with the bytes that it has before an array is made.
"""

import io
import math
import tokenize
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gan_zoo.images import MIN_SIDE, BadImage, Planes, size_of, write_whole
from gan_zoo.tiff import grey_page

NPY = ".npy"
MAX_CHANNELS = 16
_GREY = ("L", "I;16", "I;16B")
# How many bytes of an image a byte of a page can hold: of raw numbers one, and no more than this by LZW; the others
# pack less.
MOST_PACKED = 1400
_PACKED = {"raw": 1, **dict.fromkeys(("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"), MOST_PACKED)}
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def size_of_file(path: str | Path, data: bytes) -> tuple[int, int]:
    """Height and width of a picture, which is not decoded for it, or of an array.

    Raises:
        BadImage: as `gan_zoo.images.size_of` and `decode_array`.
    """
    array = decode_array(path, data)
    return size_of(data) if array is None else array.shape[:2]


def decode_array(path: str | Path, data: bytes) -> Planes | None:
    """Decodes the bytes of an array file, `[H, W, C]` uint8 or uint16, C from 1 to 16; None for those of a picture.

    Raises:
        BadImage: for truncated or damaged data, other types and shapes, or fewer than 8 pixels on a side.
    """
    if Path(path).suffix.lower() == NPY:
        return _decode_npy(data).view(Planes)
    if not data.startswith(_TIFF_SIGNATURES):
        return None
    image = _decode_tiff(data)
    return None if image is None else image.view(Planes)


def write_npy(path: str | Path, image: np.ndarray) -> None:
    """Writes an array as a `.npy` file that is whole whenever it is there."""
    data = io.BytesIO()
    np.save(data, image, allow_pickle=False)
    write_whole(Path(path), data.getvalue())


def _decode_npy(data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    try:
        shape, _, dtype = _NPY_HEADERS[np.lib.format.read_magic(stream)](stream)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
        raise BadImage("no file of numpy's, or a damaged one") from None
    if dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise BadImage(f"an array of the type {str(dtype)[:80]}: uint8 or uint16 is needed")
    if len(shape) not in (2, 3):
        raise BadImage(f"an array of {len(shape)} dimensions: [H, W] or [H, W, C] is needed")
    _check_size(shape)
    if math.prod(shape) * dtype.itemsize > len(data) - stream.tell():
        raise BadImage(f"claims the shape {list(shape)} and ends before that: truncated")
    stream.seek(0)
    try:
        array = np.load(stream, allow_pickle=False)
    except MemoryError:
        raise BadImage("not enough memory to decode it") from None
    return np.ascontiguousarray(array.reshape(*shape[:2], -1), array.dtype.newbyteorder("="))


def _decode_tiff(data: bytes) -> np.ndarray | None:
    is_array = False  # until it shows that it is one, the reader of pictures knows what to say
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as file:
            if not (is_array := _is_array(file)):
                return None
            count, left = 0, float(len(data))  # bytes of the file that no page has claimed yet
            while _has_page(file, count):
                left -= _claimed(file)
                count += 1
                if left < 0:
                    raise BadImage(f"claims {file.width}x{file.height} pixels, for which it is too short")
                if count > MAX_CHANNELS:
                    raise BadImage(f"more than {MAX_CHANNELS} grey pages: each is a channel")
            image = np.stack([_page(file, number) for number in range(count)], axis=-1)
    except BadImage:
        raise
    except MemoryError:
        raise BadImage("not enough memory to decode it") from None
    except Exception as error:  # what Pillow raises for a damaged file depends on where the damage is
        if not is_array:
            return None
        raise BadImage(f"a truncated or damaged TIFF file ({type(error).__name__})") from None
    _check_size(image.shape)
    return image


def _is_array(file: Image.Image) -> bool:
    """Whether there are several pages, and all that count are grey and of one kind and size."""
    kinds = {(file.mode, file.size)}
    if not _has_page(file, 1):
        return False
    number = 1
    while number <= MAX_CHANNELS and _has_page(file, number):
        kinds.add((file.mode, file.size))
        number += 1
    return len(kinds) == 1 and file.mode in _GREY


def _has_page(file: Image.Image, number: int) -> bool:
    """Goes to a page, if it is there."""
    try:
        file.seek(number)
    except EOFError:
        return False
    return True


def _page(file: Image.Image, number: int) -> np.ndarray:
    """`[H, W]` uint8 or uint16."""
    file.seek(number)
    return grey_page(file)


def _claimed(page: Image.Image) -> float:
    """The least number of bytes in a file that can hold a page."""
    compression = page.info.get("compression")
    if compression not in _PACKED:
        raise BadImage(f"a page packed by {compression}: give none, LZW or Deflate")
    return page.width * page.height * (1 if page.mode == "L" else 2) / _PACKED[compression]


def _check_size(shape: Sequence[int]) -> None:
    """Refuses an image that is too small, or of too many channels; `[H, W]` or `[H, W, C]`."""
    height, width = shape[:2]
    if min(height, width) < MIN_SIDE:
        raise BadImage(f"{width}x{height} pixels: at least {MIN_SIDE}x{MIN_SIDE} are needed, as [H, W] or [H, W, C]")
    if len(shape) == 3 and not 1 <= shape[2] <= MAX_CHANNELS:
        raise BadImage(f"{shape[2]} channels, of [H, W, C]: 1 to {MAX_CHANNELS} are known")
