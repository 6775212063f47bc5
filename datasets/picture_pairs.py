"""Pairs of pictures in files: side by side in one, or in a file each."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.image_files import read_image, say_once
from gan_zoo.data.label_maps import decode_label_map
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError
from gan_zoo.images import MIN_SIDE, BadExample, BadImage

SUSPICIOUS_WIDTH = 50  # pixels of a pair side by side, below which a column more or less is no matter of rounding


class FolderSource:
    """Pairs of images in files; an `ExampleSource`.

    Args:
        files: the paths of each example: `(side_by_side,)` or `(a, b)`.
        config: `direction`, and how files are read, see `gan_zoo.data.reading.reading_of`.
        rejected: what the listing of the folder left out.

    Raises:
        UserError: for label maps that are halves of pictures.
    """

    kind = "paired"

    def __init__(self, files: Sequence[tuple[str, ...]], config: Any, rejected: Sequence[BadExample] = ()) -> None:
        self.files, self.direction, self.rejected = files, config.direction, rejected
        self.readings = {key: reading_of(config, key) for key in ("input_image", "target_image")}
        classes = self.readings["input_image"].classes
        if classes is not None and any(len(paths) == 1 for paths in files):
            raise UserError(
                f"input_classes={classes} needs label maps in files of their own, as in trainA/ and trainB/: a picture "
                f"of a pair side by side, such as {next(paths[0] for paths in files if len(paths) == 1)}, is none"
            )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Decodes a pair.

        Raises:
            BadExample: for a file that cannot be read or decoded, or a pair of different proportions.
        """
        paths = self.files[index]
        readings = list(self.readings.values())[-len(paths) :]
        if self.direction == "b_to_a":
            readings.reverse()
        images = [read_image(path, reading) for path, reading in zip(paths, readings, strict=True)]
        image_a, image_b = images if len(paths) == 2 else halves(images[0], paths[0])
        (height_a, width_a), (height_b, width_b) = image_a.shape[:2], image_b.shape[:2]
        # Both are resized to one square: pictures of different proportions would no longer lie over each other. The
        # tolerance lets sizes pass that were rounded when one of the two was made smaller.
        if abs(np.log(height_a * width_b / (width_a * height_b))) > 0.02:
            sizes = f"{width_a}x{height_a} and {width_b}x{height_b} pixels"
            raise BadExample(paths[-1], f"the two images of the pair have different proportions: {sizes}")
        if self.direction == "b_to_a":
            image_a, image_b = image_b, image_a
        return {"input_image": image_a, "target_image": image_b}

    def input_numbers(self, index: int) -> np.ndarray | None:
        """The numbers in the file of the input, `[H, W]` uint8; None if that is no label map."""
        paths = self.files[index]
        path = paths[-1 if self.direction == "b_to_a" else 0]
        try:
            return decode_label_map(Path(path).read_bytes()) if len(paths) == 2 else None
        except (OSError, BadImage):
            return None

    def path_of(self, index: int) -> str:
        """The file of the target."""
        return self.files[index][0 if self.direction == "b_to_a" else -1]


def halves(image: np.ndarray, path: str) -> tuple[np.ndarray, np.ndarray]:
    """The left and the right half of `image` `[H, W, C]`; of an odd width without the column in the middle.

    Raises:
        BadExample: for halves that are too small; `path` names the picture in it.
    """
    height, width = image.shape[:2]
    half = width // 2
    if half < MIN_SIDE:
        raise BadExample(path, f"halves of {half}x{height} pixels: at least {MIN_SIDE}x{MIN_SIDE} are needed")
    if width % 2:
        doubt = "; of so few columns that is much: are these pairs side by side?" if width < SUSPICIOUS_WIDTH else ""
        say_once(f"{os.path.dirname(path)}: of pictures of odd width the middle column is left out{doubt}")
    return image[:, :half], image[:, width - half :]
