"""How the files of a run are read, as its settings say: in training, in translation and in evaluation alike."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from gan_zoo.data.array_files import decode_array
from gan_zoo.data.label_maps import class_problem, decode_label_map
from gan_zoo.data.memory import decode_if_room
from gan_zoo.images import BadImage


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the files of one side of a run become images.

    Attributes:
        colour_profiles: whether pictures with a colour profile are converted to sRGB; else their numbers stay.
        classes: where the numbers of pixels are those of classes, how many there are; None for colours.
    """

    colour_profiles: bool = True
    classes: int | None = None

    def decode(self, path: str | Path, data: bytes) -> np.ndarray:
        """Decodes the bytes of the picture or array at `path`.

        Returns:
            `[H, W, C]` uint8 or uint16; C is 1, 3 or 4 for a picture, 1 to 16 for an array, which is `Planes`; of
            classes their numbers, `[H, W, 1]` uint8, of a palette the indices.

        Raises:
            BadImage: for what cannot be used: of classes also colours, and numbers that are none of theirs.
        """
        array = decode_array(path, data)
        if self.classes is None:
            return decode_if_room(data, use_profile=self.colour_profiles) if array is None else array
        return self.checked(decode_label_map(data)[..., np.newaxis] if array is None else array)

    def checked(self, image: np.ndarray) -> np.ndarray:
        """Numbers of classes `[..., 1]`, uint8 or uint16, as uint8; images of colours as they are.

        Raises:
            BadImage: for colours, and numbers that are none of a class.
        """
        if self.classes is None:
            return image
        if problem := class_problem(image, self.classes):
            raise BadImage(problem)
        return np.asarray(image).astype(np.uint8)


AS_COLOURS = Reading()


def reading_of(config: Any, key: str) -> Reading:
    """How a run with the settings `config` reads its files for `key`, "input_image" or "target_image"."""
    classes = getattr(config, "input_classes", None) if key == "input_image" else None
    return Reading(getattr(config, "colour_profiles", True), classes)


def readings_of(config: Any, input_key: str) -> tuple[Reading, Reading]:
    """The same of what a translator takes, which is called `input_key` in training, and of what it gives."""
    others = {"input_image": "target_image", "target_image": "input_image"}
    return reading_of(config, input_key), reading_of(config, others[input_key])
