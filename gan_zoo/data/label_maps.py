"""Label maps: pictures whose numbers are names of classes, as files, as arrays, and in colours for the eye."""

import colorsys
import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from gan_zoo.images import BadImage

_GREY_STEPS = {1: 1, 2: 85, 4: 17, 8: 1}  # by which Pillow spreads grey of so many bits over a byte
_KINDS = {"RGB": "3 channels (RGB)", "RGBA": "4 channels (RGB and alpha)", "LA": "2 channels (grey and alpha)"}


def decode_label_map(data: bytes) -> np.ndarray:
    """Decodes the bytes of a PNG file of one channel: its numbers as they are, of a palette the indices.

    Returns:
        `[H, W]` uint8.

    Raises:
        BadImage: for anything else, and for labels above 255.
    """
    if not data:
        raise BadImage("an empty file")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG":
                raise BadImage(f"a {image.format} file: a label map is a PNG, which keeps its numbers as they are")
            if image.mode in _KINDS:
                raise BadImage(f"has {_KINDS[image.mode]}: a label map has one, or a palette")
            bits = data[24]  # of the IHDR chunk, always the first
            labels = np.asarray(image).astype(np.int64)
            if image.mode == "L":
                labels //= _GREY_STEPS[bits]
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("not a PNG image") from None
    except Image.DecompressionBombError:
        raise BadImage("more pixels than can be decoded safely") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError):
        raise BadImage("a truncated or damaged file") from None
    if labels.max() > 255:
        raise BadImage(f"has the label {labels.max()}: labels are 0 to 254, and 255 where there is none")
    return labels.astype(np.uint8)


def label_picture(labels: np.ndarray) -> np.ndarray:
    """Integers from 0 to 255 of any shape `[...]` -> `[..., 3]` uint8: each label in a colour of its own, 255 white."""
    return _COLOURS[labels]


def _colour(label: int) -> tuple[float, float, float]:
    # Steps of the golden ratio around the circle: the hues of few labels are far apart, those of many still differ.
    hue, saturation, value = (label * step % 1.0 for step in (0.618034, 0.7548777, 0.5698403))
    return colorsys.hsv_to_rgb(hue, 1 - 0.5 * saturation, 0.9 - 0.5 * value)


_COLOURS = np.array([*(_colour(label) for label in range(255)), (1, 1, 1)])
_COLOURS = np.round(_COLOURS * 255).astype(np.uint8)
