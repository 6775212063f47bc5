"""`cityscapes`: label maps of street scenes -> photos (b_to_a), from the user's own official download.

The licence forbids passing the pictures on, the authors' prepared 256x256 pairs too. So the two packages are read as
they come, the photo as A and the coloured label map as B:

    leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png
    gtFine/train/aachen/aachen_000000_000019_gtFine_color.png

With `input_classes=34` the maps of numbers beside the coloured ones (`*_gtFine_labelIds.png`) are read in their place.
The pictures of 2048x1024 pixels are squeezed straight to the size of training; the authors' way led over 256x256 JPEGs.
"""

from pathlib import Path
from typing import Any

from datasets.authors_settings import AUTHORS, CUTS_B_TO_A
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from datasets.picture_pairs import FolderSource
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample

# Package, the folder in it, the end of its pictures' names.
PHOTOS = ("leftImg8bit_trainvaltest.zip", "leftImg8bit", "_leftImg8bit.png")
LABELS = ("gtFine_trainvaltest.zip", "gtFine", "_gtFine_color.png")
NUMBERS = "_gtFine_labelIds.png"  # the same maps, as numbers of 34 classes
HOW_TO_GET_IT = (
    "register at https://www.cityscapes-dataset.com (the licence allows no other way), download "
    f"{LABELS[0]} (241 MB) and {PHOTOS[0]} (11 GB), and unpack both into the folder that you give as --data_dir"
)


def load(split: str, config: Any, data_dir: str | None) -> FolderSource:
    """Lists a split of the download in `data_dir`; of `config` it reads `direction` and how files are read.

    With `input_classes` (34), which needs b_to_a, the maps are those of numbers, `*_gtFine_labelIds.png`.
    The test pictures have no labels: `val` serves in their place.

    Raises:
        UserError: where the download, or a part of it, is missing.
    """
    if not data_dir:
        raise UserError(f"the data set `cityscapes` needs --data_dir with your own download: {HOW_TO_GET_IT}")
    if split not in ("train", "val", "test"):
        raise UserError(f"cityscapes has no split {split!r}; it has train, val")
    name = "val" if split == "test" else split
    of_classes = reading_of(config, "input_image").classes is not None
    packages = PHOTOS, (*LABELS[:2], NUMBERS) if of_classes else LABELS
    photos, labels = (_pictures(Path(data_dir).expanduser(), name, *package) for package in packages)
    if name != split:
        say_once(f"cityscapes has no labels for the split {split!r}: using {name!r}")
    both = sorted(photos.keys() & labels.keys())
    files = [(str(photos[scene]), str(labels[scene])) for scene in both]
    alone = {**photos, **labels}
    rejected = [
        BadExample(alone[scene], f"no {(LABELS if scene in photos else PHOTOS)[1]} picture of the same scene")
        for scene in sorted(photos.keys() ^ labels.keys())
    ]
    return FolderSource(files, config, rejected)


def _pictures(root: Path, split: str, package: str, folder: str, ending: str) -> dict[str, Path]:
    """The pictures of one package by `city/scene`.

    Raises:
        UserError: where there are none.
    """
    # Many programs unpack an archive into a folder of its name.
    places = [root / folder / split, root / package.removesuffix(".zip") / folder / split]
    for place in places:
        paths = [path for path in place.glob(f"*/*{ending}") if not path.name.startswith(".")]
        found = {str(path.relative_to(place)).removesuffix(ending): path for path in paths}
        if found:
            return found
    raise UserError(f"{places[0]} holds no CITY/*{ending}, which are in {package}: {HOW_TO_GET_IT}")


DEFINITION = DatasetDefinition(
    kind="paired",
    load=load,
    description="label maps of street scenes -> photos (b_to_a); your own download below --data_dir",
    recommended={"pix2pix": AUTHORS | {"direction": "b_to_a"}, "cyclegan": AUTHORS, **CUTS_B_TO_A},
)
