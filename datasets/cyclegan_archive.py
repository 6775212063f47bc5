"""The CycleGAN archives as sources of examples: prepared once by their TFDS builders, then read in any order."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from datasets.archive_records import Records, decode_record, open_records, prepare, record_path
from datasets.authors_settings import AUTHORS, CUTS, unit_settings
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from gan_zoo.data.reading import reading_of
from gan_zoo.data.unpaired import UnpairedSource
from gan_zoo.errors import UserError


class ArchiveDomain:
    """The JPEGs of one domain out of TFDS' records.

    Args:
        records: random access to `{"image": bytes, "filename": bytes}`.
        name: of the data set, for messages.
        colour_profiles: whether pictures with a colour profile are converted to sRGB.
    """

    def __init__(self, records: Records, name: str, colour_profiles: bool = True) -> None:
        self._records, self.name, self._profiles = records, name, colour_profiles

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> np.ndarray:
        """Decodes a picture, `[H, W, C]` uint8.

        Raises:
            BadExample: for a JPEG that cannot be decoded.
        """
        return decode_record(self._records[index], "image", self.name, self._profiles)[0]

    def path_of(self, index: int) -> str:
        return record_path(self._records[index], self.name)


def archive_definition(builder_class: Callable[[], type], description: str, images: int) -> DatasetDefinition:
    """The definition of a data set whose TFDS builder `builder_class` imports (late, since TFDS takes its time).

    CycleGAN's authors trained all of them with the same settings, UNIT's and U-GAT-IT's for a million steps.

    Args:
        images: for training, of the larger domain.
    """
    return DatasetDefinition(
        kind="unpaired",
        load=functools.partial(_load, builder_class),
        description=description,
        recommended={
            "cyclegan": AUTHORS,
            **CUTS,
            "ugatit": AUTHORS | {"epochs": round(1_000_000 / images)},
            "unit": unit_settings(images),
        },
    )


def _load(builder_class: Callable[[], type], split: str, config: Any, data_dir: str | None) -> UnpairedSource:
    """Prepares the data set where that has not happened yet, and opens a split of it; of `config` it reads `direction`.

    Raises:
        UserError: where the archive cannot be had or is damaged, and for a split that it does not have.
    """
    builder_class = builder_class()
    name = {"val": "test"}.get(split, split)
    if name not in ("train", "test"):
        raise UserError(f"{builder_class.name} has no split {split!r}; it has train, test")
    builder = prepare(builder_class(data_dir=data_dir))
    if name != split:
        say_once(f"{builder.name} has no split {split!r}: using {name!r}")
    profiles = reading_of(config, "target_image").colour_profiles
    domain_a, domain_b = (ArchiveDomain(open_records(builder, name + side), builder.name, profiles) for side in "AB")
    return UnpairedSource(domain_a, domain_b, config.direction)
