"""What lies in a folder of pictures and in the folders below it, as far as it shows from outside.

All that lists folders goes through here, so that training, translation and evaluation see the same files:

* Each file once, by where it really is: links are followed, but a folder that links to itself ends, and of several ways
  to one file the first is taken.
* Hidden folders, and those in which disk stations and systems keep thumbnails and leftovers (`@eaDir`, `__MACOSX`), are
  passed over; so are hidden files.
* What is a picture but cannot be read, a folder that may not be looked into, and a link that leads nowhere, is named
  with the reason. What is no picture at all is passed over.
"""

import contextlib
import mimetypes
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from gan_zoo.images import FORMAT_NAMES, SUFFIXES, BadExample

Listing = dict[str, BadExample | None]  # path: what is wrong with the file as far as it shows from outside
PASSED_OVER = (".", "@", "__MACOSX")  # begin the names of folders that hold no pictures of the user's
_CONVERT = "which cannot be read here: save it as PNG, TIFF or JPEG"
_UNREADABLE = {
    **dict.fromkeys((".heic", ".heif", ".hif"), f"a HEIC photo, {_CONVERT}"),
    ".avif": f"an AVIF picture, {_CONVERT}",  # where Pillow has no decoder; else it is among `SUFFIXES`
    ".jxl": f"a JPEG XL picture, {_CONVERT}",
    **dict.fromkeys(
        (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2", ".srw"),
        "a camera's raw data, which cannot be read here: develop it to TIFF or JPEG",
    ),
}


def list_pictures(
    folder: str | os.PathLike[str], *, below: bool = True, once: bool = True, arrays: bool = False
) -> Listing:
    """The pictures of a folder, those of each folder in order of name, then those of its folders.

    Args:
        folder: where to look.
        below: in the folders in it too.
        once: each file once. Without it a file counts under each name that a link gives it, as the partners of pairs
            need it; folders count once even so.
        arrays: `.npy` files too, see `gan_zoo.data.array_files`.
    """
    found = Listing()
    suffixes = (*SUFFIXES, ".npy") if arrays else SUFFIXES
    waiting, seen = [os.fspath(folder)], set()
    while waiting:
        path = waiting.pop()
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        inner = []
        try:
            entries = _entries(path)
        except OSError as error:
            if path == os.fspath(folder):
                raise
            found[path] = BadExample(path, f"a folder that cannot be read: {error.strerror or error}")
            continue
        for entry in entries:
            kind = _kind(entry)
            if kind == "folder":
                if not entry.name.startswith(PASSED_OVER):
                    inner.append(entry.path)
            elif not entry.name.startswith(".") and (fault := _fault(entry, kind, suffixes)) is not _NO_PICTURE:
                place = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(real, entry.name)
                if fault is not None or not once or place not in seen:
                    found[entry.path] = fault
                    seen.add(place)
        if below:
            waiting += reversed(inner)
    return found


def has_pictures_passed_over(folder: str | os.PathLike[str]) -> str | None:
    """The first folder in `folder` that was passed over though there are pictures in it, or None."""
    for parent, folders, _ in os.walk(folder):
        for name in sorted(folders):
            with contextlib.suppress(OSError):  # one that may not be looked into
                if name.startswith(PASSED_OVER) and list_pictures(os.path.join(parent, name)):
                    return os.path.join(parent, name)
    return None


def where_they_are(folder: str | os.PathLike[str]) -> str:
    """The end of a message about a folder without pictures: which folder was passed over, if one was."""
    hidden = has_pictures_passed_over(folder)
    if hidden is None:
        return ""
    return f"; {hidden} was passed over, as are all folders that begin with {', '.join(PASSED_OVER)}"


def _entries(path: str) -> list[os.DirEntry]:
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry) -> str:
    """folder, file, other (a pipe, a device), a broken link, or what else keeps it from being looked at."""
    try:
        mode = entry.stat().st_mode
    except FileNotFoundError:
        return "a link that leads nowhere"
    except OSError as error:  # such as a link to itself
        return "a link that leads nowhere" if entry.is_symlink() else f"cannot be read: {error.strerror}"
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


_NO_PICTURE = BadExample("", "no picture")


def _fault(entry: os.DirEntry, kind: str, suffixes: Sequence[str]) -> BadExample | None:
    """What is wrong with a file, None if nothing is, or `_NO_PICTURE`."""
    suffix = Path(entry.name).suffix.lower()
    if suffix not in suffixes and kind in ("file", "other"):
        if suffix in _UNREADABLE:
            return BadExample(entry.path, _UNREADABLE[suffix])
        if (mimetypes.guess_type(entry.name)[0] or "").startswith("image/"):
            return BadExample(entry.path, f"not a {FORMAT_NAMES} image")
        return _NO_PICTURE
    if kind == "other":
        return BadExample(entry.path, "not a regular file")
    if kind != "file":
        # One that bears no suffix may stand for a folder of pictures.
        return BadExample(entry.path, kind) if suffix in suffixes or not suffix else _NO_PICTURE
    return None if entry.stat().st_size else BadExample(entry.path, "an empty file")
