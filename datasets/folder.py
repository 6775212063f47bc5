"""The user's own images, in whichever of the usual layouts they lie.

    train/0001.jpg            A and B side by side in one picture
    trainA/scene/0001.jpg     A and B in two folders, under equal paths below them; the suffixes may differ
    trainB/scene/0001.png
    train/A/ and train/B/     the same, one level down

and `val`, `test` likewise; upper and lower case are alike. For a model that learns from unpaired images, the names and
counts in the folders of A and B do not matter, and side-by-side pairs serve too.

For a model that makes its input out of single images, a split is the folder of the target side, B (A with
`direction=b_to_a`), or where there are no sides all of `train/`; every picture is taken whole.
Where no folder is named after a split, all pictures below the given one are taken: a tenth of them, chosen by a hash of
their names, is for validation and testing, the others are for training. Of fewer than ten all are.

Folders in these folders count; what `gan_zoo.data.folders` passes over does not. A side without its counterpart is only
missed when its split is asked for.

Array files of other counts of channels serve too (`gan_zoo.data.array_files`). At the start only names and sizes of the
files are looked at (about a second for 50,000 pairs); what is wrong inside them comes out when they are read.
"""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets.definition import DatasetDefinition
from datasets.image_files import ImageFiles, has_images, say_once, subfolders
from datasets.picture_pairs import FolderSource
from gan_zoo.data.folders import Listing, list_pictures, where_they_are
from gan_zoo.data.reading import reading_of
from gan_zoo.data.single import SingleSource
from gan_zoo.data.unpaired import UnpairedSource, UnpairedView
from gan_zoo.errors import UserError
from gan_zoo.images import FORMAT_NAMES, BadExample

SPLITS = ("train", "val", "test")
LAYOUTS = "train/ with side-by-side pairs, or trainA/ and trainB/, or train/A/ and train/B/ (val and test likewise)"
PHOTO_LAYOUTS = "pictures in train/, or in trainB/ or train/B/, or in no folder of such a name"
HELD_OUT = 10  # one in so many


def load(split: str, config: Any, data_dir: str | None) -> FolderSource:
    """Lists the pairs of a split in `data_dir`; of `config` it reads `direction` and how files are read.

    Where there is only one of `val` and `test`, it serves as both.

    Raises:
        UserError: where the folder, the split or the images are missing, or the layout is not clear.
    """
    folders = _folders_of(split, data_dir)
    # A pair needs its names: a picture may be the partner of several, by links.
    listings = [list_pictures(folder, once=len(folders) == 1, arrays=True) for folder in folders]
    examples = _match(folders, listings) if len(folders) == 2 else [((path,), bad) for path, bad in listings[0].items()]
    if not examples:
        raise _no_images(*folders)
    if not any(len(paths) == len(folders) for paths, _ in examples):
        raise UserError(
            f"the images in {' and '.join(map(str, folders))} have no name in common: the two of a pair need equal "
            "names; only a model of unpaired images takes them as they are"
        )
    files = [paths for paths, bad in examples if bad is None]
    return FolderSource(files, config, [bad for _, bad in examples if bad is not None])


def load_unpaired(split: str, config: Any, data_dir: str | None) -> UnpairedSource:
    """Lists the images of A and those of B in a split of `data_dir`, whatever their names; otherwise as `load`."""
    folders = _folders_of(split, data_dir)
    if len(folders) == 1:
        return UnpairedView(load(split, config, data_dir))
    listings = [list_pictures(folder, arrays=True) for folder in folders]
    for folder, listing in zip(folders, listings, strict=True):
        if not listing:
            raise _no_images(folder)
    domains = (ImageFiles(listing, reading_of(config, "target_image")) for listing in listings)
    return UnpairedSource(*domains, config.direction)


def load_single(split: str, config: Any, data_dir: str | None) -> SingleSource:
    """Lists the pictures of a split by themselves, the target side where there are sides; otherwise as `load`."""
    root = _root(data_dir, PHOTO_LAYOUTS)
    photos = find_photos(root, config.direction)
    if photos:
        folder = photos[_there(split, photos, root, PHOTO_LAYOUTS)]
        listing = list_pictures(folder, arrays=True)
        if not listing:
            raise _no_images(folder)
    elif alone := [side for name in SPLITS for side in _sides(root, name)]:
        raise UserError(f"{alone[0]} has no counterpart, the target of direction={config.direction}")
    else:
        listing = _share(split, root)
    return SingleSource(ImageFiles(listing, reading_of(config, "target_image")))


def _no_images(*folders: Path) -> UserError:
    where = next(filter(None, map(where_they_are, folders)), "")
    return UserError(f"no {FORMAT_NAMES} images below {' and '.join(map(str, folders))}{where}")


def find_photos(root: Path, direction: str) -> dict[str, Path]:
    """The folder of each split that has one, for models of single images; see the top of this file."""
    folders = subfolders(root)
    side = "a" if direction == "b_to_a" else "b"
    photos = {}
    for split in SPLITS:
        found = [folders[name] for name in (split + side, split) if name in folders]
        if len(found) > 1:
            raise UserError(f"both {found[0]} and {found[1]} hold images of {split!r}: keep one of them")
        if found:
            inner = subfolders(found[0]) if split in folders else {}
            photos[split] = inner[side] if {"a", "b"} <= inner.keys() else found[0]
    return photos


def _share(split: str, root: Path) -> Listing:
    """The part of all pictures below `root` that a split has."""
    listing = list_pictures(root, arrays=True)
    if not listing:
        raise UserError(f"{_no_images(root)}; expected are {PHOTO_LAYOUTS}")
    if split not in SPLITS:
        raise UserError(f"{root} has no split {split!r}; it has {', '.join(SPLITS)}")

    def held_out(path: str) -> bool:
        name = os.path.splitext(unicodedata.normalize("NFC", os.path.relpath(path, root)))[0].replace(os.sep, "/")
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return len(listing) >= HELD_OUT and int.from_bytes(digest[:4], "big") % HELD_OUT == 0

    share = {path: bad for path, bad in listing.items() if held_out(path) == (split != "train")}
    if not share:
        raise UserError(f"{root} has no split {split!r}: its {len(listing)} images are all for training")
    if split == "train":
        say_once(f"{root}: {len(share)} of {len(listing)} images are for training, the others are held out")
    return share


def _folders_of(split: str, data_dir: str | None) -> tuple[Path, ...]:
    """The folder or the two folders that hold a split, or what stands in for it."""
    root = _root(data_dir, LAYOUTS)
    splits = find_splits(root)
    return splits[_there(split, splits, root, LAYOUTS)]


def _root(data_dir: str | None, layouts: str) -> Path:
    if not data_dir:
        raise UserError(f"the data set `folder` needs --data_dir, a folder with {layouts}")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        raise UserError(f"--data_dir: {root} is not a folder; give one with {layouts}")
    return root


def _there(split: str, splits: Iterable[str], root: Path, layouts: str) -> str:
    """The split itself, or the one that stands in for it."""
    if split in splits:
        return split
    other = {"val": "test", "test": "val"}.get(split, split)
    if other not in splits:
        if alone := [side for name in (split, other) for side in _sides(root, name)]:
            raise UserError(f"{alone[0]} has no counterpart: folders for A and for B are needed")
        there = ", ".join(splits) or ", ".join(sorted(os.listdir(root))[:5]) or "nothing"
        raise UserError(f"{root} has no split {split!r}; it has {there}; expected is {layouts}")
    say_once(f"{root} has no split {split!r}: using {other!r}")
    return other


def _sides(root: Path, split: str) -> list[Path]:
    """The folders of a split's sides, of which there may be one."""
    folders = subfolders(root)
    inner = subfolders(folders[split]) if split in folders else {}
    places = [(folders, f"{split}a"), (folders, f"{split}b"), (inner, "a"), (inner, "b")]
    return [siblings[name] for siblings, name in places if name in siblings]


def find_splits(root: Path) -> dict[str, tuple[Path, ...]]:
    """Recognises the layout of each split: one folder of side-by-side pairs, or the folders of A and of B.

    A split of which there is one side alone is left out.
    """
    folders = subfolders(root)
    splits: dict[str, tuple[Path, ...]] = {}
    for split in SPLITS:
        layouts = []
        inner = subfolders(folders[split]) if split in folders else {}
        for siblings, a, b in ((folders, f"{split}a", f"{split}b"), (inner, "a", "b")):
            if a in siblings and b in siblings:
                layouts.append((siblings[a], siblings[b]))
        one_sided = not layouts and bool({"a", "b"} & inner.keys())
        if split in folders and not one_sided and (not layouts or has_images(folders[split])):
            layouts.append((folders[split],))
        if len(layouts) > 1:
            names = " and ".join(str(layout[0]) for layout in layouts)
            raise UserError(f"both {names} hold images of {split!r}: keep one of them")
        if layouts:
            splits[split] = layouts[0]
    return splits


def _full_name(path: str, folder: Path) -> str:
    # Systems differ in how they write accented letters, as one sign or as two, and in what parts a path.
    return unicodedata.normalize("NFC", os.path.relpath(path, folder)).replace(os.sep, "/")


def _stem(path: str, folder: Path) -> str:
    return os.path.splitext(_full_name(path, folder))[0]


def _match(folders: Sequence[Path], listings: Sequence[Listing]) -> list[tuple[tuple[str, ...], BadExample | None]]:
    """Pairs files of equal name, then those of equal name but for the suffix; says what is wrong with the others.

    A name is the path below the folder of the side.
    """
    partners: dict[str, str] = {}
    for key in (_full_name, _stem):
        alone: list[dict[str, list[str]]] = [{}, {}]
        for names, listing, folder in zip(alone, listings, folders, strict=True):
            for path in listing:
                if path not in partners:
                    names.setdefault(key(path, folder), []).append(path)
        for name in alone[0].keys() & alone[1].keys():
            paths_a, paths_b = alone[0][name], alone[1][name]
            if len(paths_a) == len(paths_b) == 1:
                partners |= {paths_a[0]: paths_b[0], paths_b[0]: paths_a[0]}
    examples: list[tuple[tuple[str, ...], BadExample | None]] = []
    for listing, other in zip(listings, reversed(folders), strict=True):
        for path, bad in listing.items():
            if path not in partners:
                examples.append(((path,), bad or BadExample(path, f"no partner of that name in {other}")))
            elif listing is listings[0]:
                examples.append(((path, partners[path]), bad or listings[1][partners[path]]))
    return examples


DEFINITION = DatasetDefinition(
    kind="paired",
    load=load,
    load_unpaired=load_unpaired,
    load_single=load_single,
    description="your own images below --data_dir: pairs side by side or under equal names in two folders, or any two "
    "folders for a model that needs no pairs, or any one for a model of single images",
)
