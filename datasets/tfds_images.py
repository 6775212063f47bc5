"""Photographs out of any image set of tensorflow-datasets, by its name there: `tfds:oxford_flowers102`.

All that TFDS knows of a set but its feature `image` is left aside. What it calls `validation` is `val` here. Where it
has neither that nor a test split, the last tenth of its training examples serves as both: TFDS has mixed them.
"""

import dataclasses
import difflib
import functools
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.archive_records import prepare
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage, decode_image, to_channels

PREFIX = "tfds:"
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
    """

    records: Sequence[Any]
    name: str
    name_key: str | None = None
    mask_key: str | None = None
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
            image = decode_image(_bytes(record, IMAGE_KEY))
            if self.mask_key is None:
                return {"target_image": image}
            mask = labels(decode_image(_bytes(record, self.mask_key), use_profile=False))
        except BadImage as error:
            raise BadExample(self.path_of(index), error) from None
        if mask.shape[:2] != image.shape[:2]:
            raise BadExample(self.path_of(index), "its mask has another size")
        return {"target_image": image, "mask": mask}

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
    name: str, *, mask_key: str | None = None, gigabytes: int | None = None, **changes: Any
) -> DatasetDefinition:
    """The definition of the set that TFDS knows by `name`, which may have a configuration: `lsun/bedroom`.

    Args:
        name: as `tfds.builder` takes it; nothing is looked up before the first split is loaded.
        mask_key: see `TFDSImages`.
        gigabytes: of the download, where they are known; TFDS itself knows those of all configurations together.
        **changes: of the definition's fields.
    """
    load = functools.partial(_load, name=name, mask_key=mask_key, gigabytes=gigabytes)
    return DatasetDefinition(kind="single", load=load, **{"description": f"{name} of tensorflow-datasets"} | changes)


def _load(
    split: str, config: Any, data_dir: str | None, *, name: str, mask_key: str | None, gigabytes: int | None
) -> TFDSImages:
    """Prepares the set where that has not happened yet, and opens a split of it.

    Raises:
        UserError: for a set that TFDS does not know, that has no images or cannot be had, and for an unknown split.
    """
    import tensorflow_datasets as tfds  # late, since it takes its time

    if split not in STAND_INS:
        raise UserError(f"{name} has no split {split!r}; it has {', '.join(STAND_INS)}")
    builder = _find(name, data_dir)
    features = builder.info.features
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image = features.get(IMAGE_KEY)
    if not isinstance(image, tfds.features.Image) or image.np_dtype not in (np.uint8, np.uint16):
        has = ", ".join(features) or "no named ones"
        raise UserError(f"{name} of tensorflow-datasets has no images: a feature `image` is needed, it has {has}")
    if not builder.data_path.exists():
        _announce(builder, gigabytes)
    try:
        prepare(builder)
    except UserError:
        raise
    except Exception as error:  # each set has code of its own, which fails in its own way
        raise UserError(f"{name} cannot be prepared: {_one_line(error)}") from error
    try:
        records = builder.as_data_source(
            _split_there(builder, split), deserialize_method=tfds.decode.DeserializeMethod.DESERIALIZE_NO_DECODE
        )
    except NotImplementedError:
        raise UserError(
            f"{builder.data_dir} was prepared in a format without random access: give another --data_dir, or delete "
            "it and repeat"
        ) from None
    name_key = next((key for key in NAME_KEYS if isinstance(features.get(key), tfds.features.Text)), None)
    return TFDSImages(records, f"{name}/{split}", name_key, mask_key)


def _find(name: str, data_dir: str | None) -> Any:
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name.partition("/")[0], known)
        hint = f"did you mean {' or '.join(near)}?" if near else "see https://www.tensorflow.org/datasets/catalog"
        raise UserError(f"tensorflow-datasets knows no {name!r}; {hint}") from None
    except Exception as error:
        raise UserError(f"{PREFIX}{name}: {_one_line(error)}") from error


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
        size = f"a download of up to {known / 1e9:.1f} GB" if known else "a download of unknown size"
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


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
