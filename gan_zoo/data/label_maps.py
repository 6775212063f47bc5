"""Label maps: pictures whose numbers are names of classes, as files, as arrays, and in colours for the eye.

Where a run's inputs are such maps (`input_classes`), nothing comes between two numbers: they are resized by the nearest
one, and what is no class is refused.
"""

import colorsys
import io
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from gan_zoo.images import BadExample, BadImage

NO_CLASS = 255  # where a map has no label
LOOKED_AT = 5  # examples
FEW_NUMBERS, HIGHEST = 48, 199  # of a map that is recognised as one; larger sets of classes have at most 182 or so
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


def class_problem(image: np.ndarray, classes: int) -> str | None:
    """Why an image `[..., C]` cannot be a map of the classes 0 to `classes` - 1; None if it can."""
    if image.shape[-1] != 1:
        return f"has {image.shape[-1]} channels: with input_classes={classes} it is a label map, of one channel"
    highest = int(image.max(initial=0))
    if highest < classes:
        return None
    return f"has the number {highest}: the classes of input_classes={classes} are 0 to {classes - 1}"


def recognised(source: Any, config: Any) -> list[str]:
    """A sentence where the inputs of a paired source are label maps by the look of a few, and nobody has said so.

    Args:
        source: a `gan_zoo.data.examples.ExampleSource`; `source.input_numbers(i)`, where it is there, gives the numbers
            in an input file, `[H, W]`, or None for a picture in colour.
        config: whose `input_classes` is None; without that setting there is nothing to say.
    """
    if getattr(config, "input_classes", 0) is not None or getattr(source, "kind", "paired") != "paired":
        return []
    highest = 0
    for index in np.unique(np.linspace(0, len(source) - 1, LOOKED_AT).astype(int)):
        try:
            numbers = _numbers_of(source, int(index))
        except BadExample:
            continue
        if numbers is None or not _look_like_classes(numbers):
            return []
        highest = max(highest, int(numbers[numbers < NO_CLASS].max(initial=0)))
    if highest < 2:
        return []
    return [
        f"input_image: label maps, by the look of {LOOKED_AT} examples, of the classes 0 to {highest}: "
        f"--set input_classes={highest + 1} gives the networks a channel for each of them"
    ]


def _numbers_of(source: Any, index: int) -> np.ndarray | None:
    if hasattr(source, "input_numbers"):
        return source.input_numbers(index)
    image = np.asarray(source[index]["input_image"])
    return image[..., 0] if image.dtype == np.uint8 and image.shape[-1] == 1 else None


def _look_like_classes(numbers: np.ndarray) -> bool:
    """Few numbers, low ones, in large areas: no drawing, whose paper is white, and no photo."""
    found = np.unique(numbers)
    alike = (numbers[:, 1:] == numbers[:, :-1]).mean()
    return len(found) <= FEW_NUMBERS and found[found < NO_CLASS].max(initial=0) <= HIGHEST and bool(alike > 0.8)


def label_picture(labels: np.ndarray) -> np.ndarray:
    """Integers from 0 to 255 of any shape `[...]` -> `[..., 3]` uint8: each label in a colour of its own, 255 white."""
    return _COLOURS[labels]


def _colour(label: int) -> tuple[float, float, float]:
    # Steps of the golden ratio around the circle: the hues of few labels are far apart, those of many still differ.
    hue, saturation, value = (label * step % 1.0 for step in (0.618034, 0.7548777, 0.5698403))
    return colorsys.hsv_to_rgb(hue, 1 - 0.5 * saturation, 0.9 - 0.5 * value)


_COLOURS = np.array([*(_colour(label) for label in range(255)), (1, 1, 1)])
_COLOURS = np.round(_COLOURS * 255).astype(np.uint8)
