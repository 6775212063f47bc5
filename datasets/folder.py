"""The user's own images, in whichever of the usual layouts they lie.

    train/0001.jpg            A and B side by side in one picture
    trainA/0001.jpg           A and B in two folders, under equal names; the suffixes may differ
    trainB/0001.png
    train/A/ and train/B/     the same, one level down

and `val`, `test` likewise; upper and lower case are alike. For a model that learns from unpaired images, the names and
counts in the folders of A and B do not matter, and side-by-side pairs serve too.

At the start only names and sizes of the files are looked at (about a second for 50,000 pairs); what is wrong inside
them comes out when they are read.
"""

import functools
import mimetypes
import os
import stat
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.definition import DatasetDefinition
from datasets.unpaired import UnpairedSource, UnpairedView
from gan_zoo.errors import UserError
from gan_zoo.images import MIN_SIDE, SUFFIXES, BadExample, BadImage, decode_image

SPLITS = ("train", "val", "test")
Listing = dict[str, BadExample | None]  # path: what is wrong with the file as far as it shows from outside
LAYOUTS = "train/ with side-by-side pairs, or trainA/ and trainB/, or train/A/ and train/B/ (val and test likewise)"


class FolderSource:
    """Pairs of images in files; an `ExampleSource`.

    Args:
        files: the paths of each example: `(side_by_side,)` or `(a, b)`.
        direction: "a_to_b" or "b_to_a".
        rejected: what the listing of the folder left out.
    """

    kind = "paired"

    def __init__(self, files: Sequence[tuple[str, ...]], direction: str, rejected: Sequence[BadExample] = ()) -> None:
        self.files, self.direction, self.rejected = files, direction, rejected

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Decodes a pair.

        Raises:
            BadExample: for a file that cannot be read or decoded, an odd width, or a pair of different proportions.
        """
        paths = self.files[index]
        images = [_read(path) for path in paths]
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


class FolderDomain:
    """The images of one folder, each by itself; a domain of an `UnpairedSource`."""

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
        return _read(self.files[index])


def _read(path: str) -> np.ndarray:
    try:
        return decode_image(Path(path).read_bytes())
    except OSError as error:
        raise BadExample(path, f"cannot be read: {error.strerror}") from None
    except BadImage as error:
        raise BadExample(path, error) from None


def halves(image: np.ndarray, path: str) -> tuple[np.ndarray, np.ndarray]:
    """The left and the right half of `image` `[H, W, C]`.

    Raises:
        BadExample: for an odd width, or halves that are too small; `path` names the picture in it.
    """
    height, width = image.shape[:2]
    if width % 2:
        raise BadExample(path, f"the width of {width} pixels is odd: two halves of equal width are needed")
    if width < 2 * MIN_SIDE:
        raise BadExample(path, f"halves of {width // 2}x{height} pixels: at least {MIN_SIDE}x{MIN_SIDE} are needed")
    return image[:, : width // 2], image[:, width // 2 :]


def load(split: str, config: Any, data_dir: str | None) -> FolderSource:
    """Lists the pairs of a split in `data_dir`; of `config` it reads `direction`.

    Where there is only one of `val` and `test`, it serves as both.

    Raises:
        UserError: where the folder, the split or the images are missing, or the layout is not clear.
    """
    folders = _folders_of(split, data_dir)
    listings = [_list_images(folder) for folder in folders]
    examples = _match(folders, listings) if len(folders) == 2 else [((path,), bad) for path, bad in listings[0].items()]
    if not examples:
        raise UserError(f"no PNG, JPEG, WebP or BMP images in {' and '.join(map(str, folders))}")
    if not any(len(paths) == len(folders) for paths, _ in examples):
        raise UserError(
            f"the images in {' and '.join(map(str, folders))} have no name in common: the two of a pair need equal "
            "names; only a model of unpaired images takes them as they are"
        )
    files = [paths for paths, bad in examples if bad is None]
    return FolderSource(files, config.direction, [bad for _, bad in examples if bad is not None])


def load_unpaired(split: str, config: Any, data_dir: str | None) -> UnpairedSource:
    """Lists the images of A and those of B in a split of `data_dir`, whatever their names; otherwise as `load`."""
    folders = _folders_of(split, data_dir)
    if len(folders) == 1:
        return UnpairedView(load(split, config, data_dir))
    listings = [_list_images(folder) for folder in folders]
    for folder, listing in zip(folders, listings, strict=True):
        if not listing:
            raise UserError(f"no PNG, JPEG, WebP or BMP images in {folder}")
    return UnpairedSource(*map(FolderDomain, listings), config.direction)


def _folders_of(split: str, data_dir: str | None) -> tuple[Path, ...]:
    """The folder or the two folders that hold a split, or what stands in for it."""
    if not data_dir:
        raise UserError(f"the data set `folder` needs --data_dir, a folder with {LAYOUTS}")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        raise UserError(f"--data_dir: {root} is not a folder; give one with {LAYOUTS}")
    splits = find_splits(root)
    name = split
    if split not in splits:
        name = {"val": "test", "test": "val"}.get(split, split)
        if name not in splits:
            there = ", ".join(splits) or ", ".join(sorted(os.listdir(root))[:5]) or "nothing"
            raise UserError(f"{root} has no split {split!r}; it has {there}; expected is {LAYOUTS}")
        say_once(f"{root} has no split {split!r}: using {name!r}")
    return splits[name]


@functools.cache
def say_once(message: str) -> None:
    """A note on stderr, the same one only once."""
    print(f"note: {message}", file=sys.stderr)


def find_splits(root: Path) -> dict[str, tuple[Path, ...]]:
    """Recognises the layout of each split: one folder of side-by-side pairs, or the folders of A and of B."""
    folders = _subfolders(root)
    splits: dict[str, tuple[Path, ...]] = {}
    for split in SPLITS:
        layouts = []
        inner = _subfolders(folders[split]) if split in folders else {}
        for siblings, a, b in ((folders, f"{split}a", f"{split}b"), (inner, "a", "b")):
            if (a in siblings) != (b in siblings):
                raise UserError(
                    f"{siblings.get(a) or siblings.get(b)} has no counterpart: folders for A and for B are needed"
                )
            if a in siblings:
                layouts.append((siblings[a], siblings[b]))
        if split in folders and (not layouts or _list_images(folders[split])):
            layouts.append((folders[split],))
        if len(layouts) > 1:
            names = " and ".join(str(layout[0]) for layout in layouts)
            raise UserError(f"both {names} hold images of {split!r}: keep one of them")
        if layouts:
            splits[split] = layouts[0]
    return splits


def _subfolders(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and found.setdefault(path.name.casefold(), path) != path:
            raise UserError(f"{found[path.name.casefold()]} and {path} differ in case only: keep one of them")
    return found


def _list_images(folder: Path) -> Listing:
    """The image files of a folder in order of name."""
    found: Listing = {}
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.is_dir():
                continue
            if entry.name.lower().endswith(SUFFIXES):
                found[entry.path] = _outward_fault(entry)
            elif (mimetypes.guess_type(entry.name)[0] or "").startswith("image/"):
                found[entry.path] = BadExample(entry.path, "not a PNG, JPEG, WebP or BMP image")
    return found


def _outward_fault(entry: os.DirEntry) -> BadExample | None:
    try:
        status = entry.stat()
    except OSError as error:
        return BadExample(entry.path, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return BadExample(entry.path, "not a regular file")
    return None if status.st_size else BadExample(entry.path, "an empty file")


def _full_name(path: str) -> str:
    # Systems differ in how they write accented letters: as one sign or as two.
    return unicodedata.normalize("NFC", os.path.basename(path))


def _stem(path: str) -> str:
    return os.path.splitext(_full_name(path))[0]


def _match(folders: Sequence[Path], listings: Sequence[Listing]) -> list[tuple[tuple[str, ...], BadExample | None]]:
    """Pairs files of equal name, then those of equal name but for the suffix; says what is wrong with the others."""
    partners: dict[str, str] = {}
    for key in (_full_name, _stem):
        alone: list[dict[str, list[str]]] = [{}, {}]
        for names, listing in zip(alone, listings, strict=True):
            for path in listing:
                if path not in partners:
                    names.setdefault(key(path), []).append(path)
        for name in alone[0].keys() & alone[1].keys():
            paths_a, paths_b = alone[0][name], alone[1][name]
            if len(paths_a) == len(paths_b) == 1:
                partners |= {paths_a[0]: paths_b[0], paths_b[0]: paths_a[0]}
    examples: list[tuple[tuple[str, ...], BadExample | None]] = []
    for listing, other in zip(listings, reversed(folders), strict=True):
        for path in listing:
            if path not in partners:
                examples.append(((path,), BadExample(path, f"no partner of that name in {other}")))
            elif listing is listings[0]:
                examples.append(((path, partners[path]), listing[path] or listings[1][partners[path]]))
    return examples


DEFINITION = DatasetDefinition(
    kind="paired",
    load=load,
    load_unpaired=load_unpaired,
    description="your own images below --data_dir: pairs side by side or under equal names in two folders, or any two "
    "folders for a model that needs no pairs",
)
