"""PNG files of pictures that are too large to be in memory as a file too."""

import struct
import zlib
from pathlib import Path

import numpy as np

ROWS = 64  # at a time
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
SUB = 1  # the filter that takes each byte less that of the pixel to the left


def write_png_rows(path: Path, image: np.ndarray) -> None:
    """Writes `[H, W, C]` uint8 or uint16, C from 1 to 4, a few rows after the other."""
    height, width, channels = image.shape
    bits, pixel = 8 * image.dtype.itemsize, channels * image.dtype.itemsize  # of a number; bytes of a pixel
    packer = zlib.compressobj()
    with open(path, "wb") as file:

        def chunk(kind: bytes, data: bytes) -> None:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

        file.write(b"\x89PNG\r\n\x1a\n")
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, COLOUR_TYPES[channels], 0, 0, 0))
        for top in range(0, height, ROWS):
            # The upper byte of a number comes first, whatever the machine's order is.
            numbers = np.ascontiguousarray(image[top : top + ROWS], image.dtype.newbyteorder(">"))
            rows = numbers.view(np.uint8).reshape(-1, width * pixel)
            filtered = np.full((len(rows), 1 + width * pixel), SUB, np.uint8)
            filtered[:, 1:] = rows
            filtered[:, 1 + pixel :] -= rows[:, :-pixel]
            if packed := packer.compress(filtered.tobytes()):
                chunk(b"IDAT", packed)
        chunk(b"IDAT", packer.flush())
        chunk(b"IEND", b"")
