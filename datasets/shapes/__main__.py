"""Writes drawings that no training sees, as PNG files: python -m datasets.shapes FOLDER [IMAGE_SIZE [COUNT]]"""

import pathlib
import sys

from datasets.shapes import ShapesSource
from gan_zoo.images import write_png


def main(folder: str, image_size: str = "64", count: str = "12") -> None:
    source = ShapesSource("test", int(image_size))
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for index in range(int(count)):
        write_png(pathlib.Path(folder) / f"drawing_{index + 1:02d}.png", source[index]["input_image"])


if __name__ == "__main__":
    main(*sys.argv[1:])
