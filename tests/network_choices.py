"""Every choice that the settings of a model offer for its networks, for each kind of generator."""

import dataclasses
import typing
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from tiny_runs import TINY

from gan_zoo.models import MODELS
from gan_zoo.networks.resnet_encoder import BLOCKS

# Of the settings that are a choice, those that change no network.
_OF_OTHERS = {
    "preprocess",
    "flip",
    "direction",
    "mixed_precision",
    "colour_profiles",
    "schedule",
    "init_type",
    "gan_mode",
    "loss",
    "content",
    "optimizer",
    "reconstruction",
}
_SMALL = {"num_blocks": 1, "encoder_type": "plain"}


def network_choices(
    name: str, fixed: dict[str, Any] | None = None, skipped: Collection[str] = ()
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yields what differs from the smallest settings of a model, one choice at a time, and the configuration.

    A setting that a kind of generator has no use for keeps its default there. Encoders whose widths no setting makes
    small are left out.

    Args:
        name: of the model.
        fixed: settings besides the smallest.
        skipped: settings whose choice does not matter.
    """
    for kind, base, choices in _choices(name, fixed or {}, skipped):
        default = MODELS[name].config_class.from_dict(base)
        yield kind, default
        for key, values in choices.items():
            for value in values:
                if value != getattr(default, key):
                    changes = kind | {key: value}
                    yield changes, MODELS[name].config_class.from_dict(base | changes)


def mixed_choices(
    name: str, skipped: Collection[str] = (), most: int | None = None
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yields so few settings, `most` for a kind of generator, that every value of every choice occurs, the last first.

    Args:
        name: of the model.
        skipped: settings whose choice does not matter.
        most: how many for a kind; none: as many as it takes.
    """
    for kind, base, choices in _choices(name, {}, skipped):
        rows = max((len(values) for values in choices.values()), default=1)
        for row in range(min(rows, most or rows)):
            changes = dict(kind)
            for place, (key, values) in enumerate(choices.items()):
                # Of four rows every other setting keeps its value for two: so pairs of two values mix.
                turn = row // 2 if rows >= 4 and len(values) == 2 and place % 2 else row
                changes[key] = values[-1 - turn % len(values)]
            yield changes, MODELS[name].config_class.from_dict(base | changes)


def _choices(
    name: str, fixed: dict[str, Any], skipped: Collection[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Sequence]]]:
    """Yields for each kind of generator its name as a setting, the smallest settings, and the values by setting."""
    config_class = MODELS[name].config_class
    hints = typing.get_type_hints(config_class)
    base = TINY[name] | {key: value for key, value in _SMALL.items() if key in hints} | fixed
    choices = {key: typing.get_args(hint) for key, hint in hints.items() if typing.get_origin(hint) is typing.Literal}
    choices |= {field.name: (False, True) for field in dataclasses.fields(config_class) if hints[field.name] is bool}
    choices = {key: values for key, values in choices.items() if key not in _OF_OTHERS.union(skipped)}
    if "encoder" in choices:
        choices["encoder"] = tuple(value for value in choices["encoder"] if value in BLOCKS)
    for kind in choices.pop("generator_type", [None]):
        of_kind = {} if kind is None else {"generator_type": kind}
        idle = config_class.from_dict(base | of_kind).idle
        yield of_kind, base | of_kind, {key: values for key, values in choices.items() if key not in idle}
