"""Where something is done to a picture: boxes, or any mask."""

import dataclasses

import numpy as np

from gan_zoo.pairs.edges import scikit_image

Box = tuple[int, int, int, int]  # top, left, bottom, right, in pixels; the last two are the first ones outside


@dataclasses.dataclass(frozen=True)
class Regions:
    """Some of a picture's pixels.

    Attributes:
        mask: `[H, W]` bool.
        boxes: around them.
    """

    mask: np.ndarray
    boxes: tuple[Box, ...]


def whole(height: int, width: int) -> Regions:
    """All of a picture."""
    return of_boxes([(0, 0, height, width)], height, width)


def centre(height: int, width: int, share: float) -> Regions:
    """The box in the middle whose sides are `share` of the picture's: half of each in Pathak et al. 2016.

    ("Context encoders: feature learning by inpainting", arXiv 1604.07379.)
    """
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return of_boxes([(top, left, top + rows, left + columns)], height, width)


def random_boxes(height: int, width: int, share: float, count: int, random: np.random.Generator) -> Regions:
    """Boxes anywhere, which may overlap; each side is evenly distributed between a half and the whole of `share`."""
    boxes = []
    for _ in range(count):
        rows, columns = (max(1, round(random.uniform(share / 2, share) * side)) for side in (height, width))
        top, left = int(random.integers(height - rows + 1)), int(random.integers(width - columns + 1))
        boxes.append((top, left, top + rows, left + columns))
    return of_boxes(boxes, height, width)


def of_boxes(boxes: list[Box], height: int, width: int) -> Regions:
    """The pixels within boxes."""
    mask = np.zeros((height, width), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return Regions(mask, tuple(boxes))


def of_mask(mask: np.ndarray) -> Regions:
    """The pixels of a mask `[H, W]` bool that is not empty, as they are, and one box around all of them."""
    return Regions(mask, (_box(mask),))


def boxed(mask: np.ndarray) -> Regions:
    """The bounding box of each connected piece (by sides or corners) of a mask `[H, W]` bool.

    Raises:
        UserError: without scikit-image.
    """
    labels = scikit_image().measure.label(mask, connectivity=2)
    boxes = [_box(labels == label) for label in range(1, int(labels.max()) + 1)]
    return of_boxes(boxes, *mask.shape)


def _box(mask: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
