"""The data sets by name. Adding one: write its folder (or file) with a `DEFINITION`, and list it here.

| file | what |
| --- | --- |
| `definition`, `authors_settings` | what a data set is; what is recommended for most |
| `labels` | the labels that a data set knows, and those that a user chooses |
| `image_files` | the pictures of a folder as data sets see them |
| `picture_pairs` | pairs of them |
| `pix2pix_archive`, `pix2pix_builder` | the pix2pix archives as sources of examples, and how TFDS prepares them |
| `cyclegan_archive`, `cyclegan_builder` | the CycleGAN archives likewise |
| `archive_builder`, `archive_records` | what both kinds share |
| `tfds_images`, `tfds_labels` | any image set that TFDS itself knows, such as `coco`; its classes or attributes |
| `tfds_builders` | what TFDS knows by a name |
| `folder_layouts`, `labelled_folder` | where pictures lie in `folder`; `folder` for models of labelled images |
"""

import sys

if sys.argv[:1] == ["-m"]:  # `python -m datasets.shapes`, as quiet as the scripts: before anything imports TensorFlow
    import command_line  # noqa: F401

from datasets import (
    apple2orange,
    celeb_a,
    cezanne2photo,
    cityscapes,
    coco,
    div2k,
    edges2handbags,
    edges2shoes,
    facades,
    folder,
    horse2zebra,
    iphone2dslr,
    maps,
    mnist,
    monet2photo,
    night2day,
    shapes,
    summer2winter,
    svhn_cropped,
    ukiyoe2photo,
    vangogh2photo,
)
from datasets.definition import DatasetDefinition
from datasets.tfds_builders import PREFIX
from datasets.tfds_images import tfds_definition
from gan_zoo.errors import UserError

DATASETS: dict[str, DatasetDefinition] = {
    "shapes": shapes.DEFINITION,
    "folder": folder.DEFINITION,
    "edges2shoes": edges2shoes.DEFINITION,
    "edges2handbags": edges2handbags.DEFINITION,
    "facades": facades.DEFINITION,
    "maps": maps.DEFINITION,
    "night2day": night2day.DEFINITION,
    "cityscapes": cityscapes.DEFINITION,
    "horse2zebra": horse2zebra.DEFINITION,
    "apple2orange": apple2orange.DEFINITION,
    "summer2winter": summer2winter.DEFINITION,
    "monet2photo": monet2photo.DEFINITION,
    "cezanne2photo": cezanne2photo.DEFINITION,
    "ukiyoe2photo": ukiyoe2photo.DEFINITION,
    "vangogh2photo": vangogh2photo.DEFINITION,
    "iphone2dslr": iphone2dslr.DEFINITION,
    "div2k": div2k.DEFINITION,
    "coco": coco.DEFINITION,
    "coco_panoptic": coco.PANOPTIC,
    "celeb_a": celeb_a.DEFINITION,
    "mnist": mnist.DEFINITION,
    "svhn_cropped": svhn_cropped.DEFINITION,
}
OTHERS = f"{PREFIX}NAME for a set of tensorflow-datasets"  # what `find_dataset` knows besides


def find_dataset(name: str) -> DatasetDefinition:
    """The data set of that name; `tfds:NAME` is any image set of tensorflow-datasets.

    Raises:
        UserError: for another name.
    """
    if name.startswith(PREFIX):
        return tfds_definition(name.removeprefix(PREFIX), labelled=True)
    if name not in DATASETS:
        raise UserError(f"--dataset={name} is unknown; there are {', '.join(DATASETS)}, and {OTHERS}")
    return DATASETS[name]


def dataset_of_run(name: str) -> DatasetDefinition:
    """The data set that a run's `config.json` names: one of those here, or of those that tensorflow-datasets ships.

    A run may come from anybody. What a folder calls a builder or a feature is code, and only the user may say, by
    `--dataset`, that it is to be run; this refuses it when the examples are loaded.

    Raises:
        UserError: for another name.
    """
    if name.startswith(PREFIX):
        return tfds_definition(name.removeprefix(PREFIX), shipped=True, labelled=True)
    if name not in DATASETS:
        raise UserError(
            f"the run's config.json names the data set {name[:80]!r}, which is unknown: give --dataset, and --data_dir "
            f"where it needs one; there are {', '.join(DATASETS)}, and {OTHERS}"
        )
    return DATASETS[name]
