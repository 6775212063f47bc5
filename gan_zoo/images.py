"""Pictures as files, as arrays of bytes, and as the networks see them: the only place that knows [-1, 1].

Which decoder handles what (`decode_image`):

| file | decoder | why |
|---|---|---|
| PNG of 8 or 16 bit, with or without alpha | TensorFlow | Pillow cuts 16 bit colour down to 8 bit |
| PNG with a palette, of 1, 2 or 4 bit, or of 8 bit with a transparent colour | Pillow | it keeps the transparency |
| JPEG | Pillow | the same libjpeg as TensorFlow's, but it knows CMYK and keeps its warnings to itself |
| TIFF of 8 or 16 bit, WebP, BMP, GIF, AVIF where Pillow can | Pillow | TensorFlow does not know them, or not fully |

Pillow reads every header. The orientation that EXIF or XMP gives is applied here, to all alike. Of an animation the
first frame is taken. CMYK is light on paper where Adobe's marker says so, as its programs write it, else ink. Pictures
of 8 bit with a colour profile become sRGB (`colour_profiles`); those of 16 bit keep their numbers. What is written here
is sRGB without a profile. Other formats are refused.
"""

import contextlib
import io
import os
import re
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageChops, UnidentifiedImageError, features

from gan_zoo.colour_profiles import cmyk_to_srgb, to_srgb
from gan_zoo.headers import lacks_data, orientation, without_metadata
from gan_zoo.png_rows import write_png_rows
from gan_zoo.tiff import read_16_bit

MIN_SIDE = 8  # pixels; below it a picture is more likely a broken thumbnail than something to learn from
LARGE = 1 << 26  # bytes of a picture that is not to be in memory as a file too
_AVIF = features.check("avif")
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif") + (".avif",) * _AVIF
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF") + ("AVIF",) * _AVIF
FORMAT_NAMES = "PNG, JPEG, TIFF, WebP, BMP or GIF"
PICTURE_CHANNELS = (1, 3, 4)  # grey, RGB, RGBA: what a picture file has


class BadImage(ValueError):  # noqa: N818 (it is the image that is bad)
    """One file is not a usable picture; the message says why and leaves the file's name to the caller."""


class BadExample(ValueError):  # noqa: N818
    """An example of a data set cannot be used: `path` says which file, `reason` why."""

    def __init__(self, path: str | os.PathLike, reason: object) -> None:
        self.path, self.reason = os.fspath(path), " ".join(str(reason).split())
        super().__init__(f"{self.path}: {self.reason}")


class GreyExample(BadExample):
    """A picture without colour, where colours are to be learnt or judged: nothing is wrong with the file."""

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__(path, "is grey")


class Planes(np.ndarray):
    """An image `[H, W, C]` out of an array file, whose channels are no grey, RGB or alpha, whatever their count."""


def allow_pixels(most: int) -> None:
    """Sets the most pixels of a picture that are decoded in this process, for Pillow too; its own limit is 178,956,970.

    A small file may claim a size that fills any memory.
    """
    Image.MAX_IMAGE_PIXELS = -(-most // 2)  # Pillow warns from there on, and refuses at twice as many


def size_of(data: bytes) -> tuple[int, int]:
    """Height and width of a picture as `decode_image` would give it, without decoding it.

    Raises:
        BadImage: for what is no picture, or has fewer pixels than are needed or more than are allowed.
    """
    with _opened(data) as header:
        width, height = header.size
        # Pillow turns TIFF files itself.
        turned = header.format != "TIFF" and orientation(data, header) >= 5
    return (width, height) if turned else (height, width)


def decode_image(data: bytes, *, use_profile: bool = True) -> np.ndarray:
    """Decodes the bytes of a PNG, JPEG, TIFF, WebP, BMP or GIF file, or an AVIF file where Pillow can.

    Args:
        data: of the file.
        use_profile: convert from the colour profile in the file, if there is one, to sRGB. False for pictures whose
            numbers are no colours, such as labels.

    Returns:
        `[H, W, C]` uint8 or, for 16 bit PNG and TIFF, uint16; C is 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).

    Raises:
        BadImage: for anything else, truncated or damaged data, a JPEG of which a part is missing, fewer than 8 pixels
            on a side or more of them than `allow_pixels` allows.
    """
    with _opened(data) as header:
        image = _decode_with_tensorflow(data, header)
        if image is None:
            image = _decode_with_pillow(data, header, use_profile)
        elif image.dtype == np.uint8 and use_profile:
            image = to_srgb(image, header.info.get("icc_profile"))
        # Pillow turns TIFF files itself.
        upright = 1 if header.format == "TIFF" else orientation(data, header)
    return np.ascontiguousarray(_upright(image, upright))


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The picture with its header read; whatever goes wrong with it inside becomes a `BadImage`."""
    if not data:
        raise BadImage("an empty file")
    kind = "image"
    try:
        with Image.open(io.BytesIO(without_metadata(data)), formats=FORMATS) as header:
            kind, (width, height) = header.format, header.size
            if min(width, height) < MIN_SIDE:
                raise BadImage(f"{width}x{height} pixels: at least {MIN_SIDE}x{MIN_SIDE} are needed")
            yield header
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage(f"not a {FORMAT_NAMES} image") from None
    except Image.DecompressionBombError as error:
        count, most = re.findall("[0-9]+", str(error))[:2]
        raise BadImage(f"{count} pixels are more than {most}: --max_pixels={count} allows them") from None
    except MemoryError:
        raise BadImage(f"not enough memory to decode {width}x{height} pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error, tf.errors.OpError):
        raise BadImage(f"a truncated or damaged {kind} file") from None


def _decode_with_tensorflow(data: bytes, header: Image.Image) -> np.ndarray | None:
    if header.format != "PNG":
        return None
    bits, colour_type = data[24], data[25]  # of the IHDR chunk, always the first
    transparent = header.info.get("transparency")
    if colour_type == 3 or bits < 8 or (bits == 8 and transparent is not None):
        return None
    with tf.device("CPU:0"):
        # Its texts would make libpng print warnings, or refuse them.
        image = tf.io.decode_png(without_metadata(data), dtype=tf.uint16 if bits == 16 else tf.uint8).numpy()
    if transparent is not None and colour_type in (0, 2):
        opaque = (image != np.asarray(transparent)).any(-1, keepdims=True)
        colour = to_channels(image, 3)
        return np.concatenate([colour, np.where(opaque, 65535, 0).astype(np.uint16)], -1)
    if image.shape[-1] == 2:
        return np.concatenate([np.repeat(image[..., :1], 3, -1), image[..., 1:]], -1)
    return image


def _decode_with_pillow(data: bytes, header: Image.Image, use_profile: bool) -> np.ndarray:
    if header.format == "TIFF":
        try:
            image = read_16_bit(data, header)
        except ValueError as error:
            raise BadImage(error) from None
        if image is not None:
            return image
    header.load()
    if header.format in ("JPEG", "MPO") and lacks_data(data, np.asarray(header)):
        raise BadImage("damaged, partly: data are missing, and with them a part of the picture")
    return from_pil(header, use_profile=use_profile)


def from_pil(picture: Image.Image, *, use_profile: bool = True) -> np.ndarray:
    """A PIL image of 8 bit or less as `decode_image` gives it: `[H, W, C]` uint8, but as its camera held it."""
    picture.load()
    profile = picture.info.get("icc_profile") if use_profile else None
    if picture.mode == "CMYK":
        if picture.format in ("JPEG", "MPO") and "adobe" not in picture.info:
            picture = ImageChops.invert(picture)  # Pillow takes them all for Adobe's
        image = cmyk_to_srgb(picture, profile)
        return np.asarray(picture.convert("RGB")) if image is None else image
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        mode = "RGBA"
    else:
        mode = "L" if picture.mode in ("1", "L") else "RGB"
    return to_srgb(np.atleast_3d(np.asarray(picture.convert(mode))), profile)


def _upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes the camera's rotation and mirroring: values 1 to 8 of the EXIF tag."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Turns `[H, W, C]` uint8 or uint16 into `channels` of the same, where it is known how.

    1, 3 and 4 channels of a picture become each other: grey is the luma of ITU-R BT.601 with Pillow's rounding; alpha
    is dropped by laying the picture over white, and added as opaque. 2 channels are grey and alpha for a picture of 4
    that has no colour, as a PNG file of grey and alpha comes; of no other picture, since its alpha would be made up or
    its colour lost unasked. All other counts, and those of `Planes`, stay as they are.

    Raises:
        BadImage: for counts that do not become each other.
    """
    have = image.shape[-1]
    if have == channels:
        return image
    if isinstance(image, Planes):
        raise BadImage(f"an array of {have} channel{'s' if have > 1 else ''}, and {channels} are needed")
    if channels == 2 and have == 4 and (image[..., :2] == image[..., 1:3]).all():
        return image[..., [0, 3]]
    if have not in PICTURE_CHANNELS or channels not in PICTURE_CHANNELS:
        how = "a picture that is grey with alpha" if channels == 2 else "pictures have 1, 3 or 4"
        raise BadImage(f"{have} channels, of which no {channels} can be made: give {how}, or an array file")
    highest = np.uint32(np.iinfo(image.dtype).max)
    if have == 4:
        alpha = image[..., 3:].astype(np.uint32)
        image = ((image[..., :3] * alpha + highest * (highest - alpha) + highest // 2) // highest).astype(image.dtype)
        return to_channels(image, channels)
    if channels == 1:
        luma = image.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
        return ((luma + 32768) >> 16).astype(image.dtype)[..., None]
    colour = np.repeat(image, 3, -1) if have == 1 else image
    return colour if channels == 3 else np.concatenate([colour, np.full_like(colour[..., :1], highest)], -1)


def is_grey(image: np.ndarray) -> bool:
    """Whether `[H, W, C]` uint8 or uint16 shows no colour: at most what JPEG leaves of it in a grey photograph.

    Of a large picture only every so many pixels are looked at, about 256 a side.
    """
    if image.shape[-1] == 1:
        return True
    rows, columns = (max(side // 256, 1) for side in image.shape[:2])
    image = to_channels(image[::rows, ::columns], 3)
    lowest = np.minimum(np.minimum(image[..., 0], image[..., 1]), image[..., 2])
    highest = np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])
    return int((highest - lowest).max()) <= 8 * (np.iinfo(image.dtype).max // 255)


def to_float(image: Any) -> tf.Tensor:
    """Maps uint8, uint16 or floats in [0, 255], of any shape, to float32 in [-1, 1]."""
    image = tf.convert_to_tensor(image)
    half = 32767.5 if image.dtype == tf.uint16 else 127.5
    return tf.cast(image, tf.float32) / half - 1.0


def to_uint8(image: Any) -> tf.Tensor:
    """Maps floats in [-1, 1], of any shape, to uint8, rounded; what lies outside is clipped."""
    levels = (tf.cast(image, tf.float32) + 1.0) * 127.5
    return tf.cast(tf.round(tf.clip_by_value(levels, 0.0, 255.0)), tf.uint8)


def to_8_bit(image: np.ndarray) -> np.ndarray:
    """`[..., C]` uint8 of uint16 that fills its type, rounded; uint8 as it is."""
    return image if image.dtype == np.uint8 else ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_uint16(image: Any) -> tf.Tensor:
    """Maps floats in [-1, 1], of any shape, to uint16, rounded; what lies outside is clipped."""
    levels = (tf.cast(image, tf.float32) + 1.0) * 32767.5
    # By way of int32: rounded to float32, 65535.5 would be one too many.
    return tf.cast(tf.cast(tf.round(tf.clip_by_value(levels, 0.0, 65535.0)), tf.int32), tf.uint16)


def encode_png(image: np.ndarray) -> bytes:
    """Encodes `[H, W, C]` uint8 or uint16 with C from 1 to 4, without loss."""
    with tf.device("CPU:0"):
        return tf.io.encode_png(image).numpy()


def write_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes `[H, W, C]` uint8 or uint16 as a PNG file that is whole whenever it is there."""
    if image.nbytes < LARGE:
        write_whole(Path(path), encode_png(image))
    else:  # row by row: the file may be as large as the picture
        write_whole(Path(path), lambda file: write_png_rows(file, image))


def write_whole(path: Path, data: bytes | Callable[[Path], object]) -> None:
    """Writes a file that is whole whenever it is there: its bytes, or what a function writes to a path."""
    # Its own name is not part of it: that may be as long as a name can be. Processes of two machines may have a number.
    partial = path.with_name(f".{os.getpid()}-{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_bytes(data) if isinstance(data, bytes) else data(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
