"""What a picture file says beside its pixels: its size, how it is to be turned, and whether all of its data are there.

Everything beside the pixels may be odd in a picture that is whole. So a PNG is decoded without its texts and blocks of
metadata, and what cannot be read of them is as if it were not there.
"""

import io
import itertools
import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB")  # what a PNG needs to be shown
_MAX_METADATA = 1 << 20  # bytes; Pillow refuses larger profiles
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])")
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")  # but for the ones that stand inside a scan
_SCAN, _RESTARTS, _END = 0xDA, 0xDD, 0xD9
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
# Bytes that stand for some coefficients or other, and for no marker.
_ANYTHING = np.random.default_rng(0).integers(0, 255, 256, np.uint8).tobytes()


def without_metadata(data: bytes) -> bytes:
    """A PNG without all that is no part of the pixels or their colours; other files as they are."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    kept, end = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    for kind, start, end in _png_chunks(data):
        if kind in _PIXELS or (kind == b"iCCP" and _inflated(data[start + 8 : end - 4].partition(b"\0")[2][1:])):
            kept.append(data[start:end])
    return b"".join([*kept, data[end:]]) if kept[-1][4:8] != b"IEND" else b"".join(kept)


def orientation(data: bytes, header: Image.Image) -> int:
    """How the picture is to be turned: 1 to 8 of the EXIF tag, from EXIF or, where that does not say, from XMP.

    Args:
        data: the file.
        header: the same opened, perhaps `without_metadata`.
    """
    exif = Image.Exif()
    block = next((data[start + 8 : end - 4] for kind, start, end in _png_chunks(data) if kind == b"eXIf"), b"")
    try:
        if header.format == "PNG":
            exif.load(block)
        else:
            exif = header.getexif()
        found = exif.get(ORIENTATION)
    except Exception:  # whatever odd bytes make Pillow's parser raise
        found = None
    if found is None and header.format == "PNG":
        matches = (_XMP_ORIENTATION.search(text) for text in _png_texts(data))
        found = next((int(match[1]) for match in matches if match), None)
    return found if found in range(1, 9) else 1


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each whole chunk of a PNG, as far as IEND; nothing for other files."""
    place = len(PNG_SIGNATURE)
    while data.startswith(PNG_SIGNATURE) and place + 12 <= len(data):
        (length,), kind = struct.unpack_from(">I", data, place), data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            return
        yield kind, place, end
        if kind == b"IEND":
            return
        place = end


def _png_texts(data: bytes) -> Iterator[bytes]:
    """The XMP packets of a PNG."""
    for kind, start, end in _png_chunks(data):
        name, _, rest = data[start + 8 : end - 4].partition(b"\0") if kind == b"iTXt" else (b"", b"", b"")
        if name == b"XML:com.adobe.xmp" and len(rest) > 2:
            text = rest[2:].split(b"\0", 2)[-1]  # behind the language and the translated name
            yield (_inflated(text) or b"") if rest[0] else text


def _inflated(data: bytes) -> bytes | None:
    """What zlib makes of `data`, or None where that is damaged or too large."""
    engine = zlib.decompressobj()
    try:
        text = engine.decompress(data, _MAX_METADATA)
    except zlib.error:
        return None
    return text if engine.eof else None


def lacks_data(data: bytes, pixels: np.ndarray) -> bool:
    """Whether a JPEG ends before its picture does, though it has an end marker: a scan that was cut.

    The decoder fills what is missing with grey and says so nowhere that Python could see it. But of a file that is
    whole it does not look at what stands between the last block and the end marker; of one that was cut, bytes put
    there change the picture.

    Args:
        data: the file.
        pixels: what Pillow makes of it, `[H, W]` or `[H, W, C]` uint8.
    """
    scans, end, restarts, all_bits = _jpeg_scans(data)
    if end is None:
        return False  # the decoders themselves find that
    if not all_bits:
        return True
    if scans == 1 and not _ends_grey(pixels):  # as it must where the only scan was cut
        return False
    more = _ANYTHING
    if restarts:
        more += b"".join(bytes([0xFF, 0xD0 + number]) + _ANYTHING for number in range(8))
    with Image.open(io.BytesIO(data[:end] + more + b"\xff\xd9"), formats=["JPEG"]) as header:
        try:
            return not np.array_equal(np.asarray(header), pixels)
        except OSError:  # nonsense that no decoder goes through: so it looked at it
            return True


def _ends_grey(pixels: np.ndarray) -> bool:
    """Whether the last block is as a decoder leaves it that found no data for it."""
    height, width = pixels.shape[:2]
    block = pixels[(height - 1) // 8 * 8 :, (width - 1) // 8 * 8 :].astype(float)
    if block.ndim == 3:
        # Chroma may be smoothed into it from a block beside it. Four inks say little: the data will tell.
        block = block @ [0.299, 0.587, 0.114] if block.shape[2] == 3 else np.full(1, 128.0)
    return bool(np.abs(block - 128).max() <= 2)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers of the first picture in a JPEG with where their data begin, the end marker last."""
    place = 2
    while match := _JPEG_MARKER.search(data, place):
        marker, place = match[1][0], match.end()
        yield marker, place
        if marker == _END:
            return
        place += int.from_bytes(data[place : place + 2], "big")


def _jpeg_scans(data: bytes) -> tuple[int, int | None, bool, bool]:
    """What the markers of a JPEG say of its data.

    Returns:
        The number of scans, the place of the end marker, whether there are restart markers, and whether the scans bring
        all bits of all coefficients: where not, later scans were cut that refine the earlier ones.
    """
    scans, end, restarts = 0, None, False
    left: dict[tuple[int, int], int] = {}  # by component and place of the coefficient: the bits still to come
    for marker, place in _jpeg_segments(data):
        if marker in _FRAMES:
            components = data[place + 8 : place + 8 + 3 * data[place + 7] : 3]
            left = dict.fromkeys(itertools.product(components, range(64)), -1)
        elif marker == _SCAN:
            scans += 1
            spectrum = place + 3 + 2 * data[place + 2]
            first, last, bits = data[spectrum : spectrum + 3]
            for component in data[place + 3 : spectrum : 2]:
                left |= {(component, coefficient): bits & 15 for coefficient in range(first, last + 1)}
        elif marker == _RESTARTS:
            restarts = data[place + 2 : place + 4] != b"\0\0"
        elif marker == _END:
            end = place - 2
    return scans, end, restarts, not any(left.values())
