"""TIFF files of 16 bit: Pillow reads grey ones as they are, and of colour the upper half of each number alone."""

import io
import sys

import numpy as np
from PIL import Image

_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags, and a value
_SWAPPED = {"16L": "16B", "16B": "16L", "16N": "16B" if sys.byteorder == "little" else "16L"}


def read_16_bit(data: bytes, header: Image.Image) -> np.ndarray | None:
    """The pixels of a TIFF of 16 bit, or None for one of 8 bit or less.

    Args:
        data: the file.
        header: the same opened.

    Returns:
        `[H, W, C]` uint16; C is 1 (grey), 3 (RGB) or 4 (RGB and alpha).

    Raises:
        ValueError: for numbers of 32 bit or with a fraction, and for colours of 16 bit in an arrangement of its own.
    """
    if header.mode in ("I", "F"):
        raise ValueError("a TIFF of 32-bit or floating-point numbers: save it with 8 or 16 bits")
    if header.mode.startswith("I;16"):
        return grey_page(header)[..., np.newaxis]
    if 16 not in header.tag_v2.get(_BITS, ()):
        return None
    # Read twice, the second time as if the two bytes of a number were exchanged: that gives the lower half.
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as low:
        kinds = {tile.args[0][-3:] for tile in low.tile}
        if header.mode not in ("RGB", "RGBA") or not kinds <= _SWAPPED.keys():
            raise ValueError(f"a TIFF of 16 bit arranged as {header.mode}: save it as RGB or grey, or with 8 bits")
        low.tile = [
            tile._replace(args=(tile.args[0][:-3] + _SWAPPED[tile.args[0][-3:]], *tile.args[1:])) for tile in low.tile
        ]
        return np.asarray(header).astype(np.uint16) << 8 | np.asarray(low)


def grey_page(page: Image.Image) -> np.ndarray:
    """The pixels of a grey page of 8 or 16 bit, `[H, W]` uint8 or uint16, white the highest."""
    grey = np.asarray(page)
    grey = grey.astype(grey.dtype.newbyteorder("="))
    # Pillow turns what is white at zero for 8 bit alone.
    inverted = grey.dtype != np.uint8 and page.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return 65535 - grey if inverted else grey
