"""Settings of a run: one frozen dataclass a model, and where each value came from."""

import dataclasses
import math
import platform
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

import keras
import numpy as np
import tensorflow as tf

import gan_zoo
from gan_zoo.errors import UserError


def option(default: Any, help_text: str, minimum: float | None = None, maximum: float | None = None) -> Any:
    """A dataclass field with its default, the help text that `--help` shows, and the range it may lie in."""
    return dataclasses.field(
        default=default, metadata={"help": help_text, "minimum": minimum, "maximum": maximum}, kw_only=True
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What every model needs to know; a model's own dataclass adds to it and changes the defaults.

    Raises:
        UserError: for a value of the wrong type or outside its range.
    """

    image_size: int = option(256, "side of the square training images, in pixels", 8)
    load_scale: float = option(
        286 / 256, "images are resized to load_scale * image_size before the random crop (1: no crop)", 1.0
    )
    preprocess: Literal["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"] = option(
        "resize_and_crop",
        "how images come to size: resize_and_crop as above; crop: of the image as it is; scale_width: to load_scale * "
        "image_size wide, in proportion; scale_width_and_crop; none. Images too small for a crop are enlarged; "
        "without a crop sizes differ, and batch_size must be 1",
    )
    flip: bool = option(True, "mirror half of the training examples")
    direction: Literal["a_to_b", "b_to_a"] = option(
        "a_to_b", "which side is the input; b_to_a exchanges the two in the data, so that a model's a is the data's b"
    )
    input_channels: int = option(
        3,
        "channels of the input image: 1 (grey), 2 (grey and alpha), 3 (RGB), 4 (RGBA), or as many as array files have",
        1,
        16,
    )
    target_channels: int = option(3, "channels of the target image, likewise", 1, 16)
    input_range: int | None = option(
        None,
        "white in input files of 16 bit: 4095 where they hold 12 bit; what is above is clipped (none: 65535)",
        1,
        65535,
    )
    target_range: int | None = option(
        None, "white in target files of 16 bit, likewise; where it is given, translations have 16 bit too", 1, 65535
    )
    colour_profiles: bool = option(
        True,
        "convert pictures with a colour profile (ICC) to sRGB as they are read; false: take their numbers as they are",
    )
    batch_size: int = option(1, "examples a step, over all devices", 1)
    epochs: int = option(200, "passes over the training data", 1)
    steps: int | None = option(None, "training steps; overrides epochs", 1)
    seed: int = option(0, "seed of everything random: weights, order, augmentation, noise", 0, 2**31 - 1)
    mixed_precision: bool = option(False, "compute in bfloat16, keep weights and losses in float32")
    learning_rate: float = option(2e-4, "of Adam, for all networks", 0.0)
    beta_1: float = option(0.5, "Adam's decay of the mean of gradients", 0.0, 1.0)
    beta_2: float = option(0.999, "Adam's decay of the mean of squared gradients", 0.0, 1.0)
    schedule: Literal["linear", "step", "cosine", "constant", "plateau"] = option(
        "linear",
        "learning-rate policy: linear decay to zero, x decay_factor every decay_every epochs, cosine, none, or x0.2 "
        "when the validation L1 has not fallen by 1 % for more than 5 epochs",
    )
    decay_fraction: float = option(0.5, "linear: the share of training, at its end, in which the rate decays", 0.0, 1.0)
    decay_every: int = option(50, "step: epochs between two decays", 1)
    decay_factor: float = option(0.1, "step: what the rate is multiplied by", 0.0, 1.0)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            # The dataclass is frozen: an int given for a float has to be normalised past its setter.
            object.__setattr__(self, field.name, _checked(type(self), field, getattr(self, field.name)))
        if self.preprocess in ("scale_width", "none") and self.batch_size > 1:
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, of which only one fits into a batch: "
                f"give batch_size=1 instead of {self.batch_size}, or a preprocess that crops"
            )

    @property
    def batch_parts(self) -> int:
        """Into how many parts with different roles a batch is cut; each replica gets its share of every part."""
        return 1

    @property
    def min_side(self) -> int:
        """No training image may be shorter than this, in pixels."""
        return 1

    @property
    def idle(self) -> dict[str, str]:
        """The settings that have no effect beside the others, and why."""
        idle = {}
        if self.preprocess in ("crop", "none"):
            idle["load_scale"] = f"preprocess={self.preprocess}"
        if self.schedule != "linear":
            idle["decay_fraction"] = f"schedule={self.schedule}"
        if self.schedule != "step":
            idle |= dict.fromkeys(("decay_every", "decay_factor"), f"schedule={self.schedule}")
        return idle

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Builds the dataclass from plain values; missing keys take their defaults, so old files stay readable.

        Raises:
            UserError: for an unknown key (the valid ones are listed) or a value that does not fit its key.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise UserError(f"unknown setting {', '.join(unknown)}; the valid ones are {', '.join(sorted(names))}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


ConfigT = TypeVar("ConfigT", bound=Config)


def _type_of(config_class: type, name: str) -> tuple[tuple[type, ...], tuple[Any, ...]]:
    """The plain types and, for a `Literal`, the choices that a field takes."""
    hint = typing.get_type_hints(config_class)[name]
    if typing.get_origin(hint) is Literal:
        return (str,), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        return typing.get_args(hint), ()
    return (hint,), ()


def describe_type(config_class: type, name: str) -> str:
    """A field's type in words, as error messages and `--help` show it."""
    plain_types, choices = _type_of(config_class, name)
    return " or ".join(choices or ["none" if plain is types.NoneType else plain.__name__ for plain in plain_types])


def _checked(config_class: type, field: dataclasses.Field, value: Any) -> Any:
    plain_types, choices = _type_of(config_class, field.name)
    if float in plain_types and type(value) is int:
        value = float(value)
    fits = type(value) in plain_types and (not choices or value in choices)
    if fits and isinstance(value, float):
        fits = math.isfinite(value)
    if not fits:
        raise UserError(f"{field.name}={value!r}: expected {describe_type(config_class, field.name)}")
    minimum, maximum = field.metadata.get("minimum"), field.metadata.get("maximum")
    if value is not None and minimum is not None and value < minimum:
        raise UserError(f"{field.name}={value!r}: expected at least {minimum}")
    if value is not None and maximum is not None and value > maximum:
        raise UserError(f"{field.name}={value!r}: expected at most {maximum}")
    return value


def parse_settings(config_class: type[Config], assignments: Sequence[str]) -> dict[str, Any]:
    """Reads `key=value` texts, as `--set` takes them, into values of the fields' types.

    Raises:
        UserError: for a text without `=`, an unknown key or a value of the wrong type.
    """
    names = {field.name for field in dataclasses.fields(config_class)}
    settings = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator:
            raise UserError(f"--set {assignment}: expected key=value")
        if key not in names:
            raise UserError(f"unknown setting {key}; the valid ones are {', '.join(sorted(names))}")
        settings[key] = _parsed(config_class, key, text)
    return settings


def _parsed(config_class: type[Config], key: str, text: str) -> Any:
    plain_types, _ = _type_of(config_class, key)
    if types.NoneType in plain_types and text.lower() == "none":
        return None
    if bool in plain_types:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if text.lower() not in words:
            raise UserError(f"{key}={text}: expected true or false")
        return words[text.lower()]
    for plain_type in (int, float):
        if plain_type in plain_types:
            try:
                return plain_type(text)
            except ValueError:
                raise UserError(f"{key}={text}: expected {describe_type(config_class, key)}") from None
    return text


def resolve(
    config_class: type[ConfigT], layers: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[ConfigT, dict[str, str]]:
    """Merges layers of settings, the later ones winning, and remembers where each value came from.

    Args:
        config_class: the model's dataclass; its own defaults lie below all layers.
        layers: pairs of an origin ("recommended", "--set", "flag") and the values it brings.

    Returns:
        The configuration, and `{key: origin}` for all of its keys.
    """
    values: dict[str, Any] = {}
    origins = {field.name: "default" for field in dataclasses.fields(config_class)}
    for origin, layer in layers:
        values |= layer
        origins |= dict.fromkeys(layer, origin)
    return config_class.from_dict(values), origins


def refuse_idle(config: Config, given: Collection[str]) -> None:
    """Refuses settings that were given though they have no effect beside the others.

    Args:
        config: the whole.
        given: the names of the settings that the user gave.

    Raises:
        UserError: for the first of them.
    """
    for name, reason in config.idle.items():
        if name in given:
            raise UserError(f"{name} has no effect with {reason}: leave it out")


def versions() -> dict[str, str]:
    """The versions that a run's numbers may depend on."""
    return {
        "gan_zoo": gan_zoo.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
