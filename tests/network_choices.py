"""Every choice that the settings of a model offer for its networks, one at a time for each kind of generator."""

import dataclasses
import typing
from collections.abc import Collection, Iterator
from typing import Any

from tiny_runs import TINY

from gan_zoo.models import MODELS
from gan_zoo.networks.resnet_encoder import BLOCKS

# Of the settings that are a choice, those that change no network.
_OF_OTHERS = {"preprocess", "flip", "direction", "mixed_precision", "schedule", "init_type", "gan_mode"}
_SMALL = {"num_blocks": 1, "encoder_type": "plain"}


def network_choices(
    name: str, fixed: dict[str, Any] | None = None, skipped: Collection[str] = ()
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yields what differs from the smallest settings of a model, and the configuration.

    A setting that a kind of generator has no use for keeps its default there. Encoders whose widths no setting makes
    small are left out.

    Args:
        name: of the model.
        fixed: settings besides the smallest.
        skipped: settings whose choice does not matter.
    """
    config_class = MODELS[name].config_class
    hints = typing.get_type_hints(config_class)
    base = TINY[name] | {key: value for key, value in _SMALL.items() if key in hints} | (fixed or {})
    choices = {key: typing.get_args(hint) for key, hint in hints.items() if typing.get_origin(hint) is typing.Literal}
    choices |= {field.name: (False, True) for field in dataclasses.fields(config_class) if hints[field.name] is bool}
    choices = {key: values for key, values in choices.items() if key not in _OF_OTHERS.union(skipped)}
    for kind in choices.pop("generator_type", [None]):
        of_kind = {} if kind is None else {"generator_type": kind}
        default = config_class.from_dict(base | of_kind)
        yield of_kind, default
        for key, values in choices.items():
            for value in values:
                wide = key == "encoder" and value not in BLOCKS
                if key not in default.idle and value != getattr(default, key) and not wide:
                    changes = of_kind | {key: value}
                    yield changes, config_class.from_dict(base | changes)
