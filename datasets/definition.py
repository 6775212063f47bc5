"""What a data set says about itself; `datasets.DATASETS` lists them all."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from gan_zoo.data.single import as_single
from gan_zoo.data.unpaired import UnpairedView
from gan_zoo.errors import UserError


@dataclasses.dataclass(frozen=True)
class DatasetDefinition:
    """A data set as the scripts see it.

    `load(split, config, data_dir)` returns a `gan_zoo.data.examples.ExampleSource` for a split: "train", "val", "test";
    of `config` it reads `direction` and, where it draws its images itself, `image_size`, `load_scale`, `seed`,
    `input_channels` and `target_channels`. It raises `gan_zoo.errors.UserError` where the split or files are missing.
    `load_unpaired`, with the same arguments, is for a paired data set that has more to give where pairs do not matter,
    `load_single` for one that has more to give where only targets do. `load_labelled` is for one that knows labels, of
    which it reads `classes` and `attributes` of `config`; `label_settings`, from `config` and `data_dir`, says what of
    these, and of `exclusive`, is left open or written in short: see `datasets/labels.py`.
    """

    kind: str  # "paired", "unpaired" or "single", of all that `load` gives
    load: Callable[[str, Any, str | None], Any]
    description: str  # one line, for --help
    recommended: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    # {model name: {config key: value}}: the settings of the paper's authors for this data set
    load_unpaired: Callable[[str, Any, str | None], Any] | None = None
    load_single: Callable[[str, Any, str | None], Any] | None = None
    load_labelled: Callable[[str, Any, str | None], Any] | None = None
    label_settings: Callable[[Any, str | None], dict[str, str]] | None = None

    def serves(self, data_kind: str) -> bool:
        """Whether a model that learns from `data_kind` images can learn from these."""
        if data_kind == "labelled":
            return self.load_labelled is not None
        return data_kind in (self.kind, "single") or (data_kind, self.kind) == ("unpaired", "paired")


def load_for(definition: DatasetDefinition, data_kind: str, split: str, config: Any, data_dir: str | None) -> Any:
    """A split of a data set as a model of `data_kind` needs it: pairs serve as two domains, too, any targets alone.

    Raises:
        UserError: where that cannot be, or the split or files are missing.
    """
    if not definition.serves(data_kind):
        raise UserError(f"{definition.kind} images were given where {data_kind} ones are needed")
    if data_kind == "labelled":
        return definition.load_labelled(split, config, data_dir)
    if data_kind == definition.kind:
        return definition.load(split, config, data_dir)
    if data_kind == "single":
        if definition.load_single is not None:
            return definition.load_single(split, config, data_dir)
        return as_single(definition.load(split, config, data_dir))
    if definition.load_unpaired is not None:
        return definition.load_unpaired(split, config, data_dir)
    return UnpairedView(definition.load(split, config, data_dir))
