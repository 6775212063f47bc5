"""Folders of pictures: what lies in them, as far as it shows from outside, and one picture out of a file."""

import functools
import mimetypes
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.images import SUFFIXES, BadExample, BadImage, decode_image

FORMATS = "PNG, JPEG, WebP or BMP"
Listing = dict[str, BadExample | None]  # path: what is wrong with the file as far as it shows from outside


class ImageFiles:
    """The good files of a listing as images; a domain of an `UnpairedSource`, or of a `SingleSource`."""

    def __init__(self, listing: Listing) -> None:
        self.files = [path for path, bad in listing.items() if bad is None]
        self.rejected = [bad for bad in listing.values() if bad is not None]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        """Decodes an image, `[H, W, C]`.

        Raises:
            BadExample: for a file that cannot be read or decoded.
        """
        return read_image(self.files[index])

    def path_of(self, index: int) -> str:
        return self.files[index]


def read_image(path: str) -> np.ndarray:
    """Decodes a file, `[H, W, C]`.

    Raises:
        BadExample: for one that cannot be read or decoded.
    """
    try:
        return decode_image(Path(path).read_bytes())
    except OSError as error:
        raise BadExample(path, f"cannot be read: {error.strerror}") from None
    except BadImage as error:
        raise BadExample(path, error) from None


def list_images(folder: Path) -> Listing:
    """The image files of a folder in order of name."""
    return _listed(folder)[0]


def list_images_below(folder: Path) -> Listing:
    """The image files of a folder and of all folders in it, hidden ones aside; each folder once, whatever links say."""
    found, waiting, seen = Listing(), [str(folder)], set()
    while waiting:
        path = waiting.pop()
        if (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            images, inner = _listed(Path(path))
            found |= images
            waiting += reversed(inner)
    return found


def _listed(folder: Path) -> tuple[Listing, Sequence[str]]:
    found, inner = Listing(), []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                inner.append(entry.path)
            elif entry.name.lower().endswith(SUFFIXES):
                found[entry.path] = _outward_fault(entry)
            elif (mimetypes.guess_type(entry.name)[0] or "").startswith("image/"):
                found[entry.path] = BadExample(entry.path, f"not a {FORMATS} image")
    return found, inner


def _outward_fault(entry: os.DirEntry) -> BadExample | None:
    try:
        status = entry.stat()
    except OSError as error:
        return BadExample(entry.path, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return BadExample(entry.path, "not a regular file")
    return None if status.st_size else BadExample(entry.path, "an empty file")


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
