"""How an image of any size becomes one to train on: the five modes of CycleGAN's authors, resampling included.

A sixth, for measuring alone, resamples nothing.
"""

import dataclasses

import numpy as np
from PIL import Image

from gan_zoo.images import PICTURE_CHANNELS, Planes

Size = tuple[int, int]  # height, width
WHOLE = "whole"


@dataclasses.dataclass(frozen=True)
class Resizing:
    """What is resized to which size, and how much of it is cut out.

    | mode | resized to | cut out |
    |---|---|---|
    | resize_and_crop | `load_size` squared | `size` squared |
    | crop | not at all | `size` squared |
    | scale_width | `load_size` wide, in proportion | everything |
    | scale_width_and_crop | `load_size` wide, in proportion | `size` squared |
    | none | not at all | everything |
    | whole | not at all | everything but a few rows and columns, below and to the right |

    An image that is too small for the square is enlarged, in proportion, until the square fits. (The authors' code
    fails with it, or stretches its height.) Where everything stays, each side goes to the nearest multiple of
    `multiple`, which is what the network needs, but not below `min_side`; with `whole`, what is more than a multiple is
    cut off, as super-resolution measures.
    """

    mode: str
    size: int
    load_size: int
    multiple: int = 1
    min_side: int = 1

    @property
    def shape(self) -> tuple[int | None, int | None]:
        """Height and width of all results; None where they differ from image to image."""
        return (None, None) if self.mode in ("scale_width", "none", WHOLE) else (self.size, self.size)

    def plan(self, height: int, width: int) -> tuple[Size, Size]:
        """The sizes to which an image of `height` and `width` is resized, and of what is cut out of that."""
        square = (self.size, self.size)
        if self.mode == WHOLE:
            return (height, width), (height - height % self.multiple, width - width % self.multiple)
        if self.mode == "resize_and_crop":
            return (self.load_size, self.load_size), square
        scale = self.load_size / width if self.mode.startswith("scale_width") else 1.0
        if self.mode.endswith("crop"):
            scale = max(scale, self.size / height, self.size / width)
            return (max(round(height * scale), self.size), max(round(width * scale), self.size)), square
        whole = self._to_multiple(height * scale), self._to_multiple(width * scale)
        return whole, whole

    def too_small(self, height: int, width: int) -> str | None:
        """Why an image of that size cannot be used as it is, without being enlarged; None if it can."""
        (rows, columns), (cut_rows, cut_columns) = self.plan(height, width)
        if self.mode == WHOLE and min(cut_rows, cut_columns) < self.min_side:
            return f"{width}x{height} pixels: at least {self.min_side}x{self.min_side} are needed"
        if self.mode == "none" or (rows <= height and columns <= width):
            return None
        return f"{width}x{height} pixels: too few for {cut_columns}x{cut_rows} without being enlarged"

    def _to_multiple(self, length: float) -> int:
        fewest = -(-self.min_side // self.multiple)
        return max(round(length / self.multiple), fewest) * self.multiple


def resize_and_crop(
    image: np.ndarray, loaded: Size, cut: Size, *, top: int = 0, left: int = 0, flip: bool = False
) -> np.ndarray:
    """Resizes to `loaded` (bicubic, antialiased), takes what `cut` holds at (`top`, `left`), mirrors it if `flip`.

    Args:
        image: `[H, W, C]` uint8 or uint16. uint8 of 4 channels that is no `Planes` is RGBA: the colour of a pixel
            counts as much as it is opaque.

    Returns:
        `[*cut, C]` float32 in [0, 255]: whole numbers for uint8, finer steps for uint16.
    """
    channels = image.shape[2]

    def resized(plane: np.ndarray) -> np.ndarray:
        return _resized(plane, Image.Resampling.BICUBIC, loaded, cut, top=top, left=left, flip=flip)

    if image.dtype == np.uint8 and channels in PICTURE_CHANNELS and not isinstance(image, Planes):
        return resized(image[..., 0] if channels == 1 else image).reshape(*cut, channels).astype(np.float32)
    if image.dtype == np.uint8:
        planes = [np.ascontiguousarray(image[..., channel]) for channel in range(channels)]
        return np.stack([resized(plane) for plane in planes], -1).astype(np.float32)
    # Pillow has no 16 bit colour; one plane of floats after the other it does resize.
    planes = (image[..., channel].astype(np.float32) / 257.0 for channel in range(channels))
    return np.stack([resized(plane) for plane in planes], -1).clip(0.0, 255.0)


def resize_and_crop_labels(
    labels: np.ndarray, loaded: Size, cut: Size, *, top: int = 0, left: int = 0, flip: bool = False
) -> np.ndarray:
    """As `resize_and_crop`, for `[H, W, 1]` int32 labels: the nearest one, `[*cut, 1]` int32."""
    plane = np.ascontiguousarray(labels[..., 0], np.int32)
    return _resized(plane, Image.Resampling.NEAREST, loaded, cut, top=top, left=left, flip=flip)[..., np.newaxis]


def _resized(
    plane: np.ndarray, kernel: Image.Resampling, loaded: Size, cut: Size, *, top: int, left: int, flip: bool
) -> np.ndarray:
    height, width = plane.shape[:2]
    edges = np.array([left, top, left + cut[1], top + cut[0]])
    box = tuple(edges / [loaded[1], loaded[0], loaded[1], loaded[0]] * [width, height, width, height])
    picture = Image.fromarray(plane).resize(cut[::-1], kernel, box)
    return np.asarray(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture)
