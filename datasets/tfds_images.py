"""Photographs out of any image set of tensorflow-datasets, by its name there: `tfds:oxford_flowers102`.

All that TFDS knows of a set but its images, mostly the feature `image`, is left aside. What it calls `validation` is
`val` here. Where it has neither that nor a test split, the last tenth of its training examples serves as both: TFDS has
mixed them.

TFDS imports and runs what a folder of its records names: a builder, the classes of features in `features.json`. Where
the name of the set comes from a file and not from the user, only code that TFDS itself ships may be taken.
"""

import contextlib
import dataclasses
import difflib
import functools
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.archive_records import prepare
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from gan_zoo.data.memory import decode_if_room
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage, decode_image, to_channels

PREFIX = "tfds:"
IMAGE_KEY = "image"
NAME_KEYS = ("filename", "file_name", "image/filename", "image/file_name")
SHIPPED_NAME = r"([a-z][a-z0-9_]*)(?:/([A-Za-z0-9][A-Za-z0-9_.+-]*))?"  # no community, no version, no arguments
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
    """

    records: Sequence[Any]
    name: str
    name_key: str | None = None
    mask_key: str | None = None
    image_key: str = IMAGE_KEY
    colour_profiles: bool = True
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
            image = decode_if_room(_bytes(record, self.image_key), use_profile=self.colour_profiles)
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
    name: str,
    *,
    mask_key: str | None = None,
    image_key: str = IMAGE_KEY,
    gigabytes: int | None = None,
    shipped: bool = False,
    **changes: Any,
) -> DatasetDefinition:
    """The definition of the set that TFDS knows by `name`, which may have a configuration: `lsun/bedroom`.

    Args:
        name: as `tfds.builder` takes it; nothing is looked up before the first split is loaded.
        mask_key, image_key: see `TFDSImages`.
        gigabytes: of the download, where they are known; TFDS itself knows those of all configurations together.
        shipped: only code of TFDS itself is run, never what the folder of the records names.
        **changes: of the definition's fields.
    """
    load = functools.partial(
        _load, name=name, mask_key=mask_key, image_key=image_key, gigabytes=gigabytes, shipped=shipped
    )
    return DatasetDefinition(kind="single", load=load, **{"description": f"{name} of tensorflow-datasets"} | changes)


def _load(
    split: str,
    config: Any,
    data_dir: str | None,
    *,
    name: str,
    mask_key: str | None,
    image_key: str,
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
    builder = _find_shipped(name, data_dir) if shipped else _find(name, data_dir)
    features = builder.info.features
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
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
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{builder.data_dir} has no records of {split} that can be read ({_one_line(error)}): give another "
            "--data_dir, or delete it and repeat"
        ) from error
    name_key = next((key for key in NAME_KEYS if isinstance(features.get(key), tfds.features.Text)), None)
    profiles = reading_of(config, "target_image").colour_profiles
    return TFDSImages(records, f"{name}/{split}", name_key, mask_key, image_key, profiles)


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


def _find_shipped(name: str, data_dir: str | None) -> Any:
    """The builder of a set by the code that TFDS brings along.

    Raises:
        UserError: where it has none of that name, or the folder asks for other code.
    """
    import tensorflow_datasets as tfds

    own = f"if you trust it, give it yourself: --dataset={PREFIX}{name}, and --data_dir where it lies"
    why = f"{PREFIX}{name} stands in the run's config.json and is none of the sets that tensorflow-datasets ships"
    found = re.fullmatch(SHIPPED_NAME, name)
    try:
        builder_class = tfds.builder_cls(found[1]) if found else None
    except tfds.core.DatasetNotFoundError:
        builder_class = None
    if builder_class is None or not _of_tfds(builder_class.__module__):
        raise UserError(f"{why[:200]}: opening it would run code of whoever made the run; {own[:200]}")
    if found[2] and found[2] not in builder_class.builder_configs:
        raise UserError(f"{PREFIX}{name}: {found[1]} of tensorflow-datasets has no configuration {found[2]}")
    try:
        with _features_of_tfds(f"{own[:200]}"):
            return builder_class(data_dir=data_dir, **({"config": found[2]} if found[2] else {}))
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{PREFIX}{name}: {_one_line(error)}") from error


@contextlib.contextmanager
def _features_of_tfds(advice: str) -> Iterator[None]:
    """While it lasts, `features.json` gets no class imported but those of TFDS."""
    import tensorflow_datasets as tfds

    connector = tfds.features.FeatureConnector
    find = vars(connector)["cls_from_name"]

    def find_shipped(cls: type, name: str) -> type:
        if not _of_tfds(name):
            raise UserError(f"a features.json names the class {name[:80]}, which would be imported; {advice}")
        return find.__func__(cls, name)

    connector.cls_from_name = classmethod(find_shipped)
    try:
        yield
    finally:
        connector.cls_from_name = find


def _of_tfds(module: str) -> bool:
    return module.startswith("tensorflow_datasets.")


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
