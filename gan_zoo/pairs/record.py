"""`pairs.json`: how the pairs of a folder were made, a line for each picture; and what of it is there before the end.

While pairs are made, each picture's line goes to `pairs.unfinished` as soon as its pair is there. A run that was killed
so goes on where it was: what stands in one of the two files, and is there, is not made again.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gan_zoo.errors import UserError
from gan_zoo.images import write_whole

RECORD_FILE = "pairs.json"
UNFINISHED_FILE = "pairs.unfinished"
SPLITS = ("train", "val", "test")
Line = dict[str, Any]  # of a picture: "picture", and "pair" with what is known of it, or "left_out" with the reason


class PairRecord:
    """The record of an output folder.

    Args:
        output: the folder, made if it is missing.
        settings: what all pairs of the folder have in common; JSON.

    Attributes:
        lines: of the pictures that are done, by "picture".

    Raises:
        UserError: if the folder holds pairs of other settings, or none that are recorded, or its record is damaged.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        self._record, self._unfinished = output / RECORD_FILE, output / UNFINISHED_FILE
        self._settings = dict(settings)
        self.lines: dict[str, Line] = {}
        for path, read in ((self._record, _read_record), (self._unfinished, _read_unfinished)):
            if path.exists():
                try:
                    their_settings, lines = read(path.read_text(encoding="utf-8"))
                    self.lines |= {line["picture"]: line for line in lines}
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise UserError(f"--output: {path} is damaged: give another folder, or remove this one") from None
                self._compare(output, their_settings)
        if not self._record.exists() and not self._unfinished.exists():
            for split in SPLITS:
                if (output / split).exists():
                    raise UserError(
                        f"--output: {output} has a folder {split!r}, and no {RECORD_FILE} that says what is in it: "
                        "give another folder"
                    )
        output.mkdir(parents=True, exist_ok=True)
        head = "\n".join(map(json.dumps, ({"settings": self._settings}, *self.lines.values())))
        write_whole(self._unfinished, f"{head}\n".encode())  # without a line that was cut off
        self._file = self._unfinished.open("a", encoding="utf-8")  # until `close` or `finish`

    def _compare(self, output: Path, theirs: Mapping[str, Any]) -> None:
        if theirs == self._settings:
            return
        changed = [
            f"{name} was {theirs.get(name)!r}, now {self._settings.get(name)!r}"
            for name in {**theirs, **self._settings}
            if theirs.get(name) != self._settings.get(name)
        ]
        raise UserError(f"--output: {output} holds other pairs: {', '.join(changed)}; give another folder")

    def add(self, line: Line) -> None:
        """Takes the line of a picture whose pair is there, or that was left out."""
        self.lines[line["picture"]] = line
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """For the time being."""
        self._file.close()

    def finish(self, about: Mapping[str, Any]) -> None:
        """Writes `pairs.json`, with `about` before its lines."""
        self._file.close()
        head = json.dumps({"settings": self._settings, **about}, indent=1)
        lines = ",\n".join("  " + json.dumps(self.lines[name]) for name in sorted(self.lines))
        text = f'{head.removesuffix("}").rstrip()},\n "pictures": [\n{lines}\n ]\n}}\n'
        write_whole(self._record, text.encode())
        self._unfinished.unlink()


def _read_record(text: str) -> tuple[Any, Iterable[Line]]:
    record = json.loads(text)
    return record["settings"], record["pictures"]


def _read_unfinished(text: str) -> tuple[Any, Iterable[Line]]:
    head, *lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return json.loads(head)["settings"], map(json.loads, lines)
