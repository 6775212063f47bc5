"""What people hold pictures in: arrays, PIL images, paths. What comes back is of the kind that went in."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from gan_zoo.data.picture_files import read_image
from gan_zoo.data.reading import AS_COLOURS, Reading
from gan_zoo.errors import UserError
from gan_zoo.images import BadImage, Planes, from_pil, to_8_bit

Held = np.ndarray | Image.Image | str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class Opened:
    """Pictures of one size, and the way back to what they were held in.

    Attributes:
        images: `[B, H, W, C]` uint8 or uint16.
        alone: whether it was one picture; B is 1 then.
        as_pil: whether answers go back as PIL images.
    """

    images: np.ndarray
    alone: bool
    as_pil: bool

    def back(self, answers: np.ndarray, samples: bool) -> Any:
        """Answers `[B, N, H', W', C']` as what the pictures were held in; without an axis of samples N is 1."""
        if self.as_pil:
            pictures = [as_pil(picture) for picture in answers[0]]
            return pictures if samples else pictures[0]
        if not samples:
            answers = answers[:, 0]
        return answers[0] if self.alone else answers


def opened(held: Held, reading: Reading = AS_COLOURS) -> Opened:
    """Opens an array `[H, W, C]` or `[B, H, W, C]` uint8 or uint16, a PIL image, or the file at a path.

    A PIL image is read as its file is: palettes, CMYK, colour profiles and the rotation of a camera are undone, or of
    numbers of classes nothing is.

    Raises:
        UserError: for anything else, a file that is no picture, and what is no label map where `reading` asks for one.
    """
    try:
        if isinstance(held, np.ndarray):
            array = _of_array(held)
            return dataclasses.replace(array, images=reading.checked(array.images))
        if isinstance(held, Image.Image):
            return Opened(_of_pil(held, reading)[np.newaxis], alone=True, as_pil=True)
    except BadImage as error:
        raise UserError(str(error)) from None
    if isinstance(held, str | os.PathLike):
        try:
            image = read_image(Path(held), reading)
            return Opened(image[np.newaxis], alone=True, as_pil=not isinstance(image, Planes))
        except BadImage as error:
            raise UserError(f"{os.fspath(held)}: {error}") from None
    raise UserError(
        f"a picture is an array, a PIL image or a path, or a list of them. Received: a {type(held).__name__}"
    )


def _of_array(array: np.ndarray) -> Opened:
    what = f"{array.dtype} {list(array.shape)}"
    if array.dtype not in (np.uint8, np.uint16):
        raise UserError(f"an image is uint8 or uint16 (0 is black, the highest white). Received: {what}")
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise UserError(f"an image is [H, W, C], or several of a size [B, H, W, C]. Received: {what}")
    return Opened(array if array.ndim == 4 else array[np.newaxis], alone=array.ndim == 3, as_pil=False)


def _of_pil(picture: Image.Image, reading: Reading) -> np.ndarray:
    picture = ImageOps.exif_transpose(picture)
    if reading.classes is not None:
        return reading.checked(np.atleast_3d(np.asarray(picture)))
    if picture.mode.startswith("I;16"):
        return np.asarray(picture, np.uint16)[..., np.newaxis]
    return from_pil(picture, use_profile=reading.colour_profiles)


def as_pil(image: np.ndarray) -> Image.Image:
    """`[H, W, C]` uint8, or uint16 with C = 1, as a PIL image; other uint16 with 8 bits, since PIL has no more.

    Raises:
        UserError: for channels that are no picture's.
    """
    channels = image.shape[-1]
    if channels not in (1, 3, 4):
        raise UserError(f"PIL images have 1, 3 or 4 channels, the answer has {channels}: give an array instead")
    if image.dtype == np.uint16 and channels > 1:
        image = to_8_bit(image)
    return Image.fromarray(image[..., 0] if channels == 1 else image)
