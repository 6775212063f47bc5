"""The records that a TFDS builder has made of an archive, by random access; made first where they are not there yet."""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gan_zoo.data.memory import decode_if_room
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage

Records = Sequence[Mapping[str, bytes]]


def prepare(builder: Any) -> Any:
    """Makes the records where that has not happened yet.

    Returns:
        The builder.

    Raises:
        UserError: where the archive cannot be had or is damaged.
    """
    import tensorflow_datasets as tfds  # late, since it takes its time

    if importlib.util.find_spec("array_record") is None:
        raise UserError(
            f"{builder.name} needs the package array_record, which is not installed: install it, or where your "
            "system has none unpack the archive by hand and use --dataset=folder --data_dir=UNPACKED_FOLDER"
        )
    builder.download_and_prepare(
        file_format="array_record", download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )
    return builder


def open_records(builder: Any, split: str) -> Records:
    """A split of what `prepare` has made: `{builder.IMAGE_KEY: bytes of the JPEG, "filename": bytes}` by index.

    Raises:
        UserError: for records that somebody has made in another format.
    """
    import tensorflow_datasets as tfds

    try:
        return builder.as_data_source(split, decoders={builder.IMAGE_KEY: tfds.decode.SkipDecoding()})
    except NotImplementedError:
        raise UserError(
            f"{builder.data_dir} was prepared in a format without random access: delete it and repeat"
        ) from None


def decode_record(record: Mapping[str, bytes], key: str, dataset: str, colour_profiles: bool) -> tuple[np.ndarray, str]:
    """The picture `[H, W, C]` of a record, with or without its colour profile, and its name for messages.

    Raises:
        BadExample: for a JPEG that cannot be decoded.
    """
    path = record_path(record, dataset)
    try:
        return decode_if_room(record[key], use_profile=colour_profiles), path
    except BadImage as error:
        raise BadExample(path, error) from None


def record_path(record: Mapping[str, bytes], dataset: str) -> str:
    """What a record is called in messages."""
    return f"{dataset}/{record['filename'].decode()}"
