"""Where the pictures of a split lie in the user's own folder, and what stands in for it."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from datasets.image_files import say_once, subfolders
from gan_zoo.data.folders import Listing, list_pictures, where_they_are
from gan_zoo.errors import UserError
from gan_zoo.images import FORMAT_NAMES

SPLITS = ("train", "val", "test")
PHOTO_LAYOUTS = "pictures in train/, or in trainB/ or train/B/, or in no folder of such a name"
HELD_OUT = 10  # one in so many


def find_root(data_dir: str | None, layouts: str) -> Path:
    """The folder that was given, of one of the `layouts`."""
    if not data_dir:
        raise UserError(f"the data set `folder` needs --data_dir, a folder with {layouts}")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        raise UserError(f"--data_dir: {root} is not a folder; give one with {layouts}")
    return root


def split_there(split: str, splits: Iterable[str], root: Path, layouts: str) -> str:
    """The split itself, or the one that stands in for it."""
    if split in splits:
        return split
    other = {"val": "test", "test": "val"}.get(split, split)
    if other not in splits:
        if alone := [side for name in (split, other) for side in sides_of(root, name)]:
            raise UserError(f"{alone[0]} has no counterpart: folders for A and for B are needed")
        there = ", ".join(splits) or ", ".join(sorted(os.listdir(root))[:5]) or "nothing"
        raise UserError(f"{root} has no split {split!r}; it has {there}; expected is {layouts}")
    say_once(f"{root} has no split {split!r}: using {other!r}")
    return other


def sides_of(root: Path, split: str) -> list[Path]:
    """The folders of a split's sides, of which there may be one."""
    folders = subfolders(root)
    inner = subfolders(folders[split]) if split in folders else {}
    places = [(folders, f"{split}a"), (folders, f"{split}b"), (inner, "a"), (inner, "b")]
    return [siblings[name] for siblings, name in places if name in siblings]


def share_of(split: str, root: Path, layouts: str = PHOTO_LAYOUTS) -> Listing:
    """The part of all pictures below `root` that a split has."""
    listing = list_pictures(root, arrays=True)
    if not listing:
        raise UserError(f"{no_images(root)}; expected are {layouts}")
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


def no_images(*folders: Path) -> UserError:
    where = next(filter(None, map(where_they_are, folders)), "")
    return UserError(f"no {FORMAT_NAMES} images below {' and '.join(map(str, folders))}{where}")
