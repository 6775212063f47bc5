"""What a data set says about itself; `datasets.DATASETS` lists them all."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class DatasetDefinition:
    """A data set as the scripts see it.

    `load(split, config, data_dir)` returns a `gan_zoo.pipeline.ExampleSource` for a split of "train", "val" or "test";
    of `config` it reads `direction` and, where it draws its images itself, `image_size`, `load_scale`, `seed`,
    `input_channels` and `target_channels`. It raises `gan_zoo.errors.UserError` where the split or files are missing.
    """

    kind: str  # "paired", "unpaired", "single" or "labelled"
    load: Callable[[str, Any, str | None], Any]
    description: str  # one line, for --help
    recommended: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    # {model name: {config key: value}}: the settings of the paper's authors for this data set
