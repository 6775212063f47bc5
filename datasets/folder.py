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

What the folders of labelled images are: `datasets/labelled_folder.py`.

Folders in these folders count; what `gan_zoo.data.folders` passes over does not. A side without its counterpart is only
missed when its split is asked for.

Array files of other counts of channels serve too (`gan_zoo.data.array_files`). At the start only names and sizes of the
files are looked at (about a second for 50,000 pairs); what is wrong inside them comes out when they are read.
"""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import labelled_folder
from datasets.definition import DatasetDefinition
from datasets.folder_layouts import PHOTO_LAYOUTS, SPLITS, find_root, no_images, share_of, sides_of, split_there
from datasets.image_files import ImageFiles, has_images, subfolders
from datasets.picture_pairs import FolderSource
from gan_zoo.data.folders import Listing, list_pictures
from gan_zoo.data.reading import reading_of
from gan_zoo.data.single import SingleSource
from gan_zoo.data.unpaired import UnpairedSource, UnpairedView
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample

LAYOUTS = "train/ with side-by-side pairs, or trainA/ and trainB/, or train/A/ and train/B/ (val and test likewise)"


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
        raise no_images(*folders)
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
            raise no_images(folder)
    domains = (ImageFiles(listing, reading_of(config, "target_image")) for listing in listings)
    return UnpairedSource(*domains, config.direction)


def load_single(split: str, config: Any, data_dir: str | None) -> SingleSource:
    """Lists the pictures of a split by themselves, the target side where there are sides; otherwise as `load`."""
    root = find_root(data_dir, PHOTO_LAYOUTS)
    photos = find_photos(root, config.direction)
    if photos:
        folder = photos[split_there(split, photos, root, PHOTO_LAYOUTS)]
        listing = list_pictures(folder, arrays=True)
        if not listing:
            raise no_images(folder)
    elif alone := [side for name in SPLITS for side in sides_of(root, name)]:
        raise UserError(f"{alone[0]} has no counterpart, the target of direction={config.direction}")
    else:
        listing = share_of(split, root)
    return SingleSource(ImageFiles(listing, reading_of(config, "target_image")))


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


def _folders_of(split: str, data_dir: str | None) -> tuple[Path, ...]:
    """The folder or the two folders that hold a split, or what stands in for it."""
    root = find_root(data_dir, LAYOUTS)
    splits = find_splits(root)
    return splits[split_there(split, splits, root, LAYOUTS)]


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
    load_labelled=labelled_folder.load,
    label_settings=labelled_folder.settings,
    description="your own images below --data_dir: pairs side by side or under equal names in two folders, or any two "
    "folders for a model that needs no pairs, any one for a model of single images, one a class for labelled ones",
)
