"""Folders of pictures as data sets see them, and one picture out of a file."""

import functools
import sys
from pathlib import Path

import numpy as np

from gan_zoo.data.folders import Listing, list_pictures
from gan_zoo.data.reading import Reading
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage


class ImageFiles:
    """The good files of a listing as images; a domain of an `UnpairedSource`, or of a `SingleSource`."""

    def __init__(self, listing: Listing, reading: Reading) -> None:
        self.reading = reading
        self.files = [path for path, bad in listing.items() if bad is None]
        self.rejected = [bad for bad in listing.values() if bad is not None]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        """Decodes an image, `[H, W, C]`.

        Raises:
            BadExample: for a file that cannot be read or decoded.
        """
        return read_image(self.files[index], self.reading)

    def path_of(self, index: int) -> str:
        return self.files[index]


def read_image(path: str, reading: Reading) -> np.ndarray:
    """Decodes a picture or an array file as `reading` says, `[H, W, C]`.

    Raises:
        BadExample: for one that cannot be read or decoded.
    """
    try:
        return reading.decode(path, Path(path).read_bytes())
    except OSError as error:
        raise BadExample(path, f"cannot be read: {error.strerror}") from None
    except BadImage as error:
        raise BadExample(path, error) from None


def has_images(folder: Path) -> bool:
    """Whether pictures or arrays lie in the folder itself."""
    return bool(list_pictures(folder, below=False, arrays=True))


def subfolders(folder: Path) -> dict[str, Path]:
    """The folders in a folder by their names in lower case.

    Raises:
        UserError: where two differ in case only.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and found.setdefault(path.name.casefold(), path) != path:
            raise UserError(f"{found[path.name.casefold()]} and {path} differ in case only: keep one of them")
    return found


@functools.cache
def say_once(message: str) -> None:
    """A note on stderr, the same one only once."""
    print(f"note: {message}", file=sys.stderr)
