"""The pix2pix archives as sources of examples: prepared once by their TFDS builders, then read in any order."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from datasets.archive_records import Records, decode_record, open_records, prepare, record_path
from datasets.definition import DatasetDefinition
from datasets.image_files import say_once
from datasets.picture_pairs import halves
from gan_zoo.data.reading import reading_of
from gan_zoo.errors import UserError


class ArchiveSource:
    """Side-by-side JPEGs out of TFDS' records; an `ExampleSource`.

    Args:
        records: random access to `{"image_pair": bytes, "filename": bytes}`.
        direction: "a_to_b" or "b_to_a".
        colour_profiles: whether pictures with a colour profile are converted to sRGB.
        name: of the data set, for messages.
    """

    kind = "paired"

    def __init__(self, records: Records, direction: str, name: str, colour_profiles: bool = True) -> None:
        self._records, self.direction, self.name, self._profiles = records, direction, name, colour_profiles

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Decodes a pair.

        Raises:
            BadExample: for a JPEG that cannot be decoded or halved.
        """
        image_a, image_b = halves(*decode_record(self._records[index], "image_pair", self.name, self._profiles))
        if self.direction == "b_to_a":
            image_a, image_b = image_b, image_a
        return {"input_image": image_a, "target_image": image_b}

    def path_of(self, index: int) -> str:
        return record_path(self._records[index], self.name)


def archive_definition(
    builder_class: Callable[[], type], description: str, recommended: Mapping[str, Mapping[str, Any]]
) -> DatasetDefinition:
    """The definition of a data set whose TFDS builder `builder_class` imports (late, since TFDS takes its time)."""
    return DatasetDefinition(
        kind="paired",
        load=functools.partial(_load, builder_class),
        description=description,
        recommended=recommended,
    )


def _load(builder_class: Callable[[], type], split: str, config: Any, data_dir: str | None) -> ArchiveSource:
    """Prepares the data set where that has not happened yet, and opens a split of it.

    Raises:
        UserError: where the archive cannot be had or is damaged, and for a split that it does not have.
    """
    builder = prepare(builder_class()(data_dir=data_dir))
    name = split
    if split not in builder.info.splits:
        name = {"val": "test", "test": "val"}.get(split, split)
        if name not in builder.info.splits:
            raise UserError(f"{builder.name} has no split {split!r}; it has {', '.join(builder.info.splits)}")
        say_once(f"{builder.name} has no split {split!r}: using {name!r}")
    profiles = reading_of(config, "target_image").colour_profiles
    return ArchiveSource(open_records(builder, name), config.direction, builder.name, profiles)
