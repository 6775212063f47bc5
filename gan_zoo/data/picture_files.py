"""The picture files that a user names: what to translate, the hints that go with it, and what the answers are called.

A hint file is a picture of the photo's size with transparency, such as a PNG of a paint program: where it is opaque, by
half at least, its colour counts.
"""

import collections
import errno
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gan_zoo.data.folders import list_pictures, where_they_are
from gan_zoo.data.reading import AS_COLOURS, Reading
from gan_zoo.errors import UserError
from gan_zoo.images import SUFFIXES, BadImage, to_float, to_uint8

SHEET_FILE = "contact_sheet.png"  # in the folder of the translations
ANSWER = "translation"  # ends the name of what a picture has become, where there is one answer
# What is wrong with the disk or the output folder, and so with all files alike.
EVERYBODYS_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def find_images(
    path: str | os.PathLike[str], flag: str = "--input", without: str | os.PathLike[str] | None = None
) -> tuple[list[Path], dict[Path, str]]:
    """The file at `path`, or the pictures and arrays of the folder and of those in it, as `list_pictures` has them.

    Args:
        path: of a file or a folder.
        flag: that gave it, for messages.
        without: a folder that is left out where it lies in `path`.

    Returns:
        The files, and those that cannot be read with the reason.

    Raises:
        UserError: if there is no such thing, or nothing in it.
    """
    path = Path(path)
    if path.is_file():
        return [path], {}
    if not path.is_dir():
        raise UserError(f"{flag}: there is no file or folder {path}")
    found = {Path(file): bad for file, bad in list_pictures(path, arrays=True).items()}
    inside = None if without is None else Path(without).resolve()
    if inside is not None and inside != path.resolve() and inside.is_relative_to(path.resolve()):
        found = {file: bad for file, bad in found.items() if inside not in file.parent.resolve().joinpath("x").parents}
    if not found:
        raise UserError(f"{flag}: no file in {path} ends in {', '.join(SUFFIXES)}{where_they_are(path)}")
    return [file for file, bad in found.items() if bad is None], {
        file: bad.reason for file, bad in found.items() if bad is not None
    }


def read_file(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BadImage: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadImage(error.strerror or str(error)) from None


def read_image(path: Path, reading: Reading = AS_COLOURS) -> np.ndarray:
    """Reads a picture or an array as `reading` says.

    Raises:
        BadImage: if it cannot be read or decoded.
    """
    return reading.decode(path, read_file(path))


def output_names(paths: Sequence[Path]) -> list[str]:
    """The paths of pictures without suffix, but with it where two would be the same."""
    stems = [path.with_name(path.stem) for path in paths]
    several = collections.Counter(stems)
    return [str(path if several[stem] > 1 else stem) for path, stem in zip(paths, stems, strict=True)]


def find_hints(
    path: str | os.PathLike[str], files: Sequence[Path], root: Path | None = None
) -> tuple[dict[Path, Path], list[Path]]:
    """Which of `files` have hints, and in which file; and the files of hints that are for none of them.

    Args:
        path: the file with the hints of the only picture, or a folder whose files bear the pictures' names but for the
            suffix.
        files: the pictures.
        root: the folder below which pictures and hints have the same place; None for names alone.

    Raises:
        UserError: if there is no such thing, or it does not say which picture it is for.
    """
    if Path(path).is_file():
        if len(files) > 1:
            raise UserError(f"--hints={path} is for one picture: give a folder of files named as the {len(files)} are")
        found, unused = {files[0]: Path(path)}, []
    else:
        found, unused = _hints_by_name(path, files, root)
    same = [file for file, its in found.items() if file.resolve() == its.resolve()]
    if same:
        raise UserError(f"--hints: {same[0]} is the picture itself: keep hints in another folder than --input")
    return found, unused


def _hints_by_name(
    path: str | os.PathLike[str], files: Sequence[Path], root: Path | None
) -> tuple[dict[Path, Path], list[Path]]:
    """`find_hints` of a folder."""
    good, bad = find_images(path, "--hints")
    by_stem: dict[Path, Path] = {}
    for file in (*good, *bad):  # what is wrong with a bad one is said when its picture's turn comes
        stem = file.relative_to(path).with_suffix("")
        if stem in by_stem:
            raise UserError(f"--hints: {by_stem[stem].name} and {file.name} are for the same picture")
        by_stem[stem] = file
    by_hints: dict[Path, Path] = {}
    for file in files:
        its = by_stem.get(file.relative_to(root).with_suffix("") if root else Path(file.stem))
        if its in by_hints:
            raise UserError(f"--hints: {its.name} could be for {by_hints[its].name} or {file.name}: rename one of them")
        if its is not None:
            by_hints[its] = file
    if not by_hints:
        raise UserError(f"--hints: no file in {path} has the name of a picture, such as {files[0].stem}.png")
    found = {file: its for its, file in by_hints.items()}
    return found, [its for its in by_stem.values() if its not in by_hints]


def read_hints(path: Path, shape: Sequence[int]) -> np.ndarray:
    """The hints `[H, W, 4]` uint8 in a file, for a picture `[H, W, C]` of `shape`.

    Raises:
        BadImage: if it cannot be read or decoded, has another size, or no transparency; the message names the file.
    """
    try:
        hints = read_image(path)
        if hints.shape[-1] != 4:
            raise BadImage("no transparency, so that all of it would be a hint: give a PNG that is opaque at the hints")
        if hints.shape[:2] != tuple(shape[:2]):
            sizes = [f"{width}x{height}" for height, width in (hints.shape[:2], shape[:2])]
            raise BadImage(f"{sizes[0]} pixels, and the picture has {sizes[1]}")
    except BadImage as error:
        raise BadImage(f"its hints, {path}: {error}") from None
    return hints if hints.dtype == np.uint8 else to_uint8(to_float(hints)).numpy()
