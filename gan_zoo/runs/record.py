"""What a run is, and the file that remembers it: `workdir/config.json`."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any, Self

from gan_zoo.config import versions
from gan_zoo.errors import UserError

CONFIG_FILE = "config.json"
TEMPORARY_FILE = "config.tmp"
_MAX_COUNT = 2**53


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What `workdir/config.json` holds: all that resuming, translating, evaluating and exporting need to know."""

    model: str
    dataset: str
    data_dir: str | None
    num_examples: int | None = None  # to train on; None where it is not known (yet)
    domain_counts: list[int] | None = None  # of unpaired images; None for pairs, or where it is not known (yet)
    settings: dict[str, Any]
    origins: dict[str, str] = dataclasses.field(default_factory=dict)
    versions: dict[str, str] = dataclasses.field(default_factory=versions)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; what has been edited since is looked at before it is believed.

        Raises:
            UserError: for a text that is no JSON, or has something missing, of another name or of another type.
        """
        try:
            values = json.loads(text)
        except RecursionError:
            raise UserError("it is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise UserError(str(error)) from None
        except ValueError:
            raise UserError("it has a number of thousands of digits") from None
        if damage := _damage_of(values, cls):
            raise UserError(damage)
        return cls(**values)

    def write(self, workdir: str | os.PathLike[str]) -> None:
        path = pathlib.Path(workdir) / CONFIG_FILE
        temporary = path.with_name(TEMPORARY_FILE)
        try:
            temporary.write_text(self.to_json(), encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def read(cls, workdir: str | os.PathLike[str]) -> Self:
        """Reads `workdir/config.json`.

        Raises:
            UserError: if it is missing or damaged.
        """
        path = pathlib.Path(workdir) / CONFIG_FILE
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{path} does not exist: give the --workdir of a run that train.py has started") from None
        except (UserError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is damaged ({error}): restore it, or train in a new --workdir") from None

    def differences(self, other: "Run", may_change: Sequence[str] = ()) -> list[str]:
        """What keeps `other` from continuing this run, one text a difference, but for the settings in `may_change`."""
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in ("model", "dataset", "data_dir")]
        for what, old, new in (
            ("the number of training examples", self.num_examples, other.num_examples),
            ("the number of images of each domain", self.domain_counts, other.domain_counts),
        ):
            if old is not None and new is not None:
                pairs.append((what, old, new))
        for key in sorted(self.settings.keys() | other.settings.keys()):
            if key not in may_change:
                pairs.append((key, self.settings.get(key), other.settings.get(key)))
        return [f"{name} was {old!r}, now {new!r}" for name, old, new in pairs if old != new]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_COUNT


def _is_plain(value: Any) -> bool:
    """Whether a value can be a setting's."""
    if type(value) is int:
        return abs(value) < _MAX_COUNT
    return value is None or isinstance(value, bool | float) or _is_text(value)


def _is_table(value: Any, of: Any) -> bool:
    return isinstance(value, dict) and all(map(of, value.values()))


_KINDS = {  # of each field: what it must be, and in words
    "model": (_is_text, "a text"),
    "dataset": (_is_text, "a text"),
    "data_dir": (lambda value: value is None or _is_text(value), "a path or null"),
    "num_examples": (lambda value: value is None or _is_count(value), "a number of examples or null"),
    "domain_counts": (
        lambda value: value is None or (isinstance(value, list) and all(map(_is_count, value))),
        "numbers of images or null",
    ),
    "settings": (lambda value: _is_table(value, _is_plain), "settings by name, each a number, a text, true or false"),
    "origins": (lambda value: _is_table(value, _is_text), "texts by name"),
    "versions": (lambda value: _is_table(value, _is_text), "texts by name"),
}


def _damage_of(values: Any, record: type) -> str | None:
    """What is wrong with the values of a record; None for nothing."""
    if not isinstance(values, dict):
        return "it holds no names with values"
    fields = {field.name: field for field in dataclasses.fields(record)}
    unknown = [name for name in values if name not in fields]
    if unknown:
        return f"{unknown[0][:60]!r} is unknown; there are {', '.join(fields)}"
    required = [name for name, field in fields.items() if field.default is field.default_factory]
    missing = [name for name in required if name not in values]
    if missing:
        return f"{missing[0]} is missing"
    wrong = [name for name, value in values.items() if not _KINDS[name][0](value)]
    return f"{wrong[0]} is not {_KINDS[wrong[0]][1]}" if wrong else None
