"""`folder` for models of labelled images: the user's own pictures, with labels by their folders or in a file.

    train/happy/0001.jpg      a folder for each class, with folders in it if need be; `val`, `test` likewise
    train/sad/0002.jpg

    list_attr_celeba.txt      attributes, in a file whose name begins with `list_attr`, in CelebA's form:
    img/000001.jpg            a line with the count, one with the names, then for each picture its name and 1 or -1 for
                              each attribute

RaFD comes as one's own download: sort its pictures into a folder for each of the eight expressions. Where no folder is
named after a split, a tenth of all pictures, chosen by a hash of its name, is for validation and testing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datasets.folder_layouts import SPLITS, find_root, share_of, split_there
from datasets.image_files import ImageFiles, subfolders
from datasets.labels import HAIR_COLOURS, KnownLabels, chosen_attributes, chosen_classes, label_settings, name_rare
from gan_zoo.data.folders import PASSED_OVER, Listing, list_pictures
from gan_zoo.data.labelled import LabelledSource
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample

LAYOUTS = "train/CLASS/ (val and test likewise), or CLASS/ alone, or pictures beside a list_attr*.txt"
ATTRIBUTE_FILES = "list_attr*.txt"


def settings(config: Any, data_dir: str | None) -> dict[str, str]:
    """What the folder knows of its labels, see `datasets.labels.label_settings`."""
    return label_settings(_known(find_root(data_dir, LAYOUTS)), config)


def load(split: str, config: Any, data_dir: str | None) -> LabelledSource:
    """Lists the pictures of a split with their labels; those of no class that is asked for are left out.

    Raises:
        UserError: where the folder, the split or pictures are missing, or labels that are asked for.
    """
    root = find_root(data_dir, LAYOUTS)
    known = _known(root)
    listing, base = _pictures(split, root)
    found: Listing = {}
    labels = []
    if known.attributes:
        names = chosen_attributes(known, config)
        label_of_path = _attribute_labels(_attribute_file(root), names, root)
    else:
        names = chosen_classes(known, config)
        every = known.classes["classes"]
        label_of_path = _class_labels(names, every, base)
    for path, bad in listing.items():
        label = label_of_path(path) if bad is None else bad
        if isinstance(label, BadExample):
            found[path] = label
        elif label is not None:
            found[path] = None
            labels.append(label)
    if not labels:
        raise UserError(f"{base} has no pictures of {', '.join(names)}; expected is {LAYOUTS}")
    if split == "train":
        name_rare(known, names, np.stack(labels))
    return LabelledSource(ImageFiles(found, reading_of(config, "target_image")), names, labels.__getitem__)


def _known(root: Path) -> KnownLabels:
    if (file := _attribute_file(root)) is not None:
        return KnownLabels(str(file), attributes=_read_attributes(file)[0], groups=[HAIR_COLOURS])
    folders = subfolders(root)
    base = folders.get("train", root)
    if base == root and any(split in folders for split in SPLITS):
        raise UserError(f"{root} has no split 'train', whose folders say which classes there are")
    classes = [path.name for path in sorted(base.iterdir()) if path.is_dir() and not path.name.startswith(PASSED_OVER)]
    if not classes:
        raise UserError(f"{base} has no folder of a class; expected is {LAYOUTS}")
    return KnownLabels(str(base), classes={"classes": classes})


def _pictures(split: str, root: Path) -> tuple[Listing, Path]:
    """The pictures of a split, and the folder in which those of the classes lie."""
    folders = subfolders(root)
    there = [name for name in SPLITS if name in folders]
    if not there:
        return share_of(split, root, LAYOUTS), root
    base = folders[split_there(split, there, root, LAYOUTS)]
    return list_pictures(base, arrays=True), base


def _class_labels(names: Any, every: Any, base: Path) -> Any:
    vectors = dict(zip(names, np.eye(len(names), dtype=np.float32), strict=True))

    def label_of(path: str) -> np.ndarray | BadExample | None:
        parts = Path(path).relative_to(base).parts
        if len(parts) < 2 or parts[0] not in every:
            return BadExample(path, f"lies in no folder of a class: {', '.join(every)}")
        return vectors.get(parts[0])

    return label_of


def _attribute_labels(file: Path, names: Any, root: Path) -> Any:
    known, lines = _read_attributes(file)
    columns = [known.index(name) for name in names]

    def label_of(path: str) -> np.ndarray | BadExample:
        number, values = lines.get(Path(path).relative_to(root).as_posix()) or lines.get(Path(path).name) or (0, "")
        if not number:
            return BadExample(path, f"has no line in {file.name}")
        words = values.split()
        if len(words) != len(known) or not {*words} <= {"1", "-1", "0"}:
            return BadExample(path, f"line {number} of {file.name} has not 1 or -1 for each of {len(known)} attributes")
        return np.array([words[column] == "1" for column in columns], np.float32)

    return label_of


def _attribute_file(root: Path) -> Path | None:
    found = sorted(root.glob(ATTRIBUTE_FILES))
    if len(found) > 1:
        raise UserError(f"both {found[0]} and {found[1]} say attributes: keep one of them")
    return found[0] if found else None


def _read_attributes(file: Path) -> tuple[list[str], Mapping[str, tuple[int, str]]]:
    """The names of the attributes, and for each picture the number of its line and the rest of it."""
    try:
        count, names, *lines = file.read_text(encoding="utf-8").splitlines()
        int(count)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: expected a line with the count of pictures, one with the names of attributes, then a line for "
            f"each picture ({' '.join(str(error).split())})"
        ) from None
    parts = (line.partition(" ") for line in lines)
    return names.split(), {name: (number, rest) for number, (name, _, rest) in enumerate(parts, start=3) if name}
