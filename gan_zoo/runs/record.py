"""What a run is, and the file that remembers it: `workdir/config.json`."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Collection
from typing import Any, Self

from gan_zoo.config import versions
from gan_zoo.errors import UserError
from gan_zoo.runs.checkpoint_files import replace_text

CONFIG_FILE = "config.json"
_MAX_COUNT = 2**53


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What `workdir/config.json` holds: all that resuming, translating, evaluating and exporting need to know."""

    model: str
    dataset: str
    data_dir: str | None
    num_examples: int | None = None  # to train on; None where it is not known (yet)
    domain_counts: list[int] | None = None  # of unpaired images; None for pairs, or where it is not known (yet)
    fingerprint: str | None = None  # of the names and sizes of the training files; None where there are none
    settings: dict[str, Any]
    origins: dict[str, str] = dataclasses.field(default_factory=dict)
    versions: dict[str, str] = dataclasses.field(default_factory=versions)
    # What it began with and what has changed since, in order: {"step", "init_from", "of_step"} or {"step", "changes":
    # {name: [before, after]}}.
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def to_json(self) -> str:
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"
        # What a folder's name has that is no Unicode becomes `\udcff`, which is JSON's own way to write it.
        return text.encode(errors="backslashreplace").decode()

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
        """Writes `workdir/config.json`, which is the old or the new one wherever this is stopped."""
        replace_text(pathlib.Path(workdir) / CONFIG_FILE, self.to_json())

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

    def changes(self, other: "Run") -> dict[str, list[Any]]:
        """What `other` has otherwise, as [before, after] by name, but for versions; what is not known is no change."""
        pairs = {name: [getattr(self, name), getattr(other, name)] for name in ("model", "dataset", "data_dir")}
        for name in ("num_examples", "domain_counts", "fingerprint"):
            pair = [getattr(self, name), getattr(other, name)]
            if None not in pair:
                pairs[name] = pair
        for key in sorted(self.settings.keys() | other.settings.keys()):
            pairs[key] = [self.settings.get(key), other.settings.get(key)]
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def differences(self, other: "Run", may_change: Collection[str] = ()) -> list[str]:
        """What keeps `other` from continuing this run, one text a difference, but for what is in `may_change`."""
        return [in_words(name, *pair) for name, pair in self.changes(other).items() if name not in may_change]


def in_words(name: str, before: Any, after: Any) -> str:
    """A change as a sentence has it."""
    if name == "fingerprint":
        return "the names or sizes of the training files are others"
    words = {
        "num_examples": "the number of training examples",
        "domain_counts": "the number of images of each domain",
    }
    return f"{words.get(name, name)} was {before!r}, now {after!r}"


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


def _is_history(value: Any) -> bool:
    def is_entry(entry: Any) -> bool:
        if not isinstance(entry, dict) or not _is_count(entry.get("step")):
            return False
        begun = _is_text(entry.get("init_from", "")) and _is_count(entry.get("of_step", 0))
        return begun and _is_table(entry.get("changes", {}), lambda pair: isinstance(pair, list) and len(pair) == 2)

    return isinstance(value, list) and all(map(is_entry, value))


_KINDS = {  # of each field: what it must be, and in words
    "model": (_is_text, "a text"),
    "dataset": (_is_text, "a text"),
    "data_dir": (lambda value: value is None or _is_text(value), "a path or null"),
    "num_examples": (lambda value: value is None or _is_count(value), "a number of examples or null"),
    "domain_counts": (
        lambda value: value is None or (isinstance(value, list) and all(map(_is_count, value))),
        "numbers of images or null",
    ),
    "fingerprint": (lambda value: value is None or _is_text(value), "a text or null"),
    "history": (_is_history, "a list of what has changed, each with its step"),
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
