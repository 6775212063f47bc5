"""Photographs out of any image set of tensorflow-datasets, by its name there: `tfds:oxford_flowers102`.

All that TFDS knows of a set but its images, mostly the feature `image`, and for models of labelled images its labels,
is left aside. What it calls `validation` is `val` here. Where it has neither that nor a test split, the last tenth of
its training examples serves as both: TFDS has mixed them.
"""

import dataclasses
import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.archive_records import prepare
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from datasets.labels import KnownLabels, label_settings
from datasets.tfds_builders import find_builder, one_line
from datasets.tfds_labels import known_labels, with_labels
from gan_zoo.data.memory import decode_if_room
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage, decode_image, to_channels

IMAGE_KEY = "image"
NAME_KEYS = ("filename", "file_name", "image/filename", "image/file_name")
STAND_INS = {"train": ("train",), "val": ("validation", "val", "valid", "test"), "test": ("test", "validation", "val")}


@dataclasses.dataclass(frozen=True)
class TFDSImages:
    """One split as targets; an `ExampleSource`.

    Attributes:
        records: random access to `tf.train.Example`s as TFDS has written them.
        name: of the data set and the split, for messages.
        name_key: which feature is the name of an image's file, if one is.
        mask_key: which feature is a picture of the image's size whose colours are labels, if one is wanted.
        image_key: which feature is the image.
        colour_profiles: whether pictures with a colour profile are converted to sRGB.
        centre: the side of the square in its middle that is taken of it, in pixels; None for all of it.
    """

    records: Sequence[Any]
    name: str
    name_key: str | None = None
    mask_key: str | None = None
    image_key: str = IMAGE_KEY
    colour_profiles: bool = True
    centre: int | None = None
    kind: str = dataclasses.field(default="single", init=False)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Returns `target_image` `[H, W, C]` and, with a `mask_key`, `mask` `[H, W, 1]`, int32 labels.

        Raises:
            BadExample: for an image that cannot be decoded, or a mask of another size.
        """
        record = self.records[index]
        try:
            image = self._cut(decode_if_room(_bytes(record, self.image_key), use_profile=self.colour_profiles))
            if self.mask_key is None:
                return {"target_image": image}
            mask = labels(self._cut(decode_image(_bytes(record, self.mask_key), use_profile=False)))
        except BadImage as error:
            raise BadExample(self.path_of(index), error) from None
        if mask.shape[:2] != image.shape[:2]:
            raise BadExample(self.path_of(index), "its mask has another size")
        return {"target_image": image, "mask": mask}

    def _cut(self, image: np.ndarray) -> np.ndarray:
        if self.centre is None:
            return image
        top, left = (max(side - self.centre, 0) // 2 for side in image.shape[:2])
        return image[top : top + self.centre, left : left + self.centre]

    def path_of(self, index: int) -> str:
        file = _bytes(self.records[index], self.name_key).decode() if self.name_key else index
        return f"{self.name}/{file}"


def _bytes(record: Any, key: str) -> bytes:
    values = record.features.feature[key].bytes_list.value
    return values[0] if values else b""


def labels(picture: np.ndarray) -> np.ndarray:
    """From colours, `[H, W, C]` uint8, to a number for each, red + 256 green + 65536 blue: `[H, W, 1]` int32."""
    return to_channels(picture, 3).astype(np.int32) @ np.array([[1], [1 << 8], [1 << 16]], np.int32)


def tfds_definition(
    name: str,
    *,
    mask_key: str | None = None,
    image_key: str = IMAGE_KEY,
    centre: int | None = None,
    gigabytes: int | None = None,
    shipped: bool = False,
    labelled: bool = False,
    attributes: Sequence[str] = (),
    **changes: Any,
) -> DatasetDefinition:
    """The definition of the set that TFDS knows by `name`, which may have a configuration: `lsun/bedroom`.

    Args:
        name: as `tfds.builder` takes it; nothing is looked up before the first split is loaded.
        mask_key, image_key, centre: see `TFDSImages`.
        gigabytes: of the download, where they are known; TFDS itself knows those of all configurations together.
        shipped: only code of TFDS itself is run, never what the folder of the records names.
        labelled: whether the set has labels, or is looked at for them when they are asked for.
        attributes: those that are taken where a user chooses none; none: all.
        **changes: of the definition's fields.
    """
    fields = {"mask_key": mask_key, "image_key": image_key, "centre": centre}
    load = functools.partial(_load, name=name, fields=fields, gigabytes=gigabytes, shipped=shipped)
    if labelled:

        def known(data_dir: str | None) -> KnownLabels:
            return known_labels(name, find_builder(name, data_dir, shipped), attributes)

        changes["label_settings"] = lambda config, data_dir: label_settings(known(data_dir), config)
        changes["load_labelled"] = lambda split, config, data_dir: with_labels(
            load(split, config, data_dir), known(data_dir), config, for_training=split == "train"
        )
    return DatasetDefinition(kind="single", load=load, **{"description": f"{name} of tensorflow-datasets"} | changes)


def _load(
    split: str,
    config: Any,
    data_dir: str | None,
    *,
    name: str,
    fields: Mapping[str, Any],
    gigabytes: int | None,
    shipped: bool,
) -> TFDSImages:
    """Prepares the set where that has not happened yet, and opens a split of it.

    Raises:
        UserError: for a set that TFDS does not know, that has no images or cannot be had, and for an unknown split.
    """
    import tensorflow_datasets as tfds  # late, since it takes its time

    if split not in STAND_INS:
        raise UserError(f"{name} has no split {split!r}; it has {', '.join(STAND_INS)}")
    builder = find_builder(name, data_dir, shipped)
    features = builder.info.features
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image_key = fields["image_key"]
    image = features.get(image_key)
    if not isinstance(image, tfds.features.Image) or image.np_dtype not in (np.uint8, np.uint16):
        has = ", ".join(features) or "no named ones"
        raise UserError(f"{name} of tensorflow-datasets has no images: a feature `{image_key}` is needed, it has {has}")
    if not builder.data_path.exists():
        _announce(builder, gigabytes)
    try:
        prepare(builder)
    except UserError:
        raise
    except Exception as error:  # each set has code of its own, which fails in its own way
        raise UserError(f"{name} cannot be prepared: {one_line(error)}") from error
    try:
        records = builder.as_data_source(
            _split_there(builder, split), deserialize_method=tfds.decode.DeserializeMethod.DESERIALIZE_NO_DECODE
        )
    except NotImplementedError:
        raise UserError(
            f"{builder.data_dir} was prepared in a format without random access: give another --data_dir, or delete "
            "it and repeat"
        ) from None
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{builder.data_dir} has no records of {split} that can be read ({one_line(error)}): give another "
            "--data_dir, or delete it and repeat"
        ) from error
    name_key = next((key for key in NAME_KEYS if isinstance(features.get(key), tfds.features.Text)), None)
    profiles = reading_of(config, "target_image").colour_profiles
    return TFDSImages(records, f"{name}/{split}", name_key, **fields, colour_profiles=profiles)


def _announce(builder: Any, gigabytes: int | None) -> None:
    """Says how large a download is.

    Raises:
        UserError: where it is known to be too large for the disk.
    """
    folder = builder.data_dir
    there = next(path for path in Path(folder).absolute().parents if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    if gigabytes is not None:
        size = f"a download of {gigabytes} GB, and twice as much again while it is unpacked and written as records"
        if 3 * gigabytes > free:
            raise UserError(
                f"{builder.info.full_name} needs about {3 * gigabytes} GB below {there} and {free:.1f} GB are free: "
                "free some or give another --data_dir"
            )
    else:
        known = sum(info.size for info in (builder.url_infos or {}).values())
        much = f"{known / 1e9:.1f} GB" if known >= 1e9 else f"{known / 1e6:.0f} MB"
        size = f"a download of up to {much}" if known else "a download of unknown size"
    print(f"note: {builder.info.full_name} is not in {folder} yet: {size}; Ctrl-C leaves", file=sys.stderr, flush=True)


def _split_there(builder: Any, split: str) -> str:
    """A split as TFDS calls it, or what stands in for it."""
    there = list(builder.info.splits)
    found = next((name for name in STAND_INS[split] if name in there), None)
    if "train" in there and not {*STAND_INS["val"], *STAND_INS["test"]} & {*there}:
        say_once(f"{builder.name} has no split but train: its last tenth is held out")
        return "train[:90%]" if split == "train" else "train[90%:]"
    if found is None:
        raise UserError(f"{builder.name} has no split {split!r}; it has {', '.join(there)}")
    if STAND_INS[split].index(found) and (split, found) != ("val", "val"):
        say_once(f"{builder.name} has no split {split!r}: using {found!r}")
    return found
