"""Writes drawings that no training sees, as PNG files: python -m datasets.shapes FOLDER [IMAGE_SIZE [COUNT]]"""

import pathlib
import sys

import command_line
from datasets.shapes import ShapesSource
from gan_zoo.errors import UserError, one_line_errors
from gan_zoo.images import write_png


def main(*words: str) -> None:
    """Writes the drawings.

    Raises:
        UserError: for other words than those of the usage.
    """
    numbers = words[1:]
    if not 1 <= len(words) <= 3 or not all(word.isdecimal() and int(word) for word in numbers):
        raise UserError(f"usage: {__doc__.rpartition(': ')[2]}")
    folder, image_size, count = pathlib.Path(words[0]), *map(int, (*numbers, *(64, 12)[len(numbers) :]))
    source = ShapesSource("test", image_size)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        write_png(folder / f"drawing_{index + 1:02d}.png", source[index]["input_image"])


if __name__ == "__main__":
    command_line.show_all_names()
    with one_line_errors():
        main(*sys.argv[1:])
