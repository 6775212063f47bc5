"""`workdir/health.jsonl`: a line for each check of a run, which is all that the checks remember.

A line is `{"step", "figures": {name: {"value", "better"}}, "measures", "warnings": {key: sentence}}`; `health.py` says
what the last two hold. Figures are those of `gan_zoo/metrics/`, of validation examples.
"""

import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gan_zoo.runs.checkpoint_files import replace_text, sync

FILE = "health.jsonl"


class HealthLog:
    """The lines of a run up to the step from which it goes on.

    Args:
        workdir: the run's folder; what its file has of later steps is removed from it: those are done anew.
        start_step: steps done before.
        confirm: raises where the folder is not ours any more; asked before anything is written.
    """

    def __init__(
        self, workdir: str | os.PathLike[str], start_step: int, confirm: Callable[[], None] = lambda: None
    ) -> None:
        self.path = pathlib.Path(workdir) / FILE
        self.lines = lines_until(workdir, start_step)
        self._confirm = confirm
        if self.path.exists():  # whole, also where a line was cut short
            confirm()
            replace_text(self.path, "".join(map(_as_text, self.lines)))

    def append(self, line: dict[str, Any]) -> None:
        """Adds a line, on the disk before it returns: a checkpoint of its step may be saved after it."""
        self._confirm()
        self.lines.append(line)
        new = not self.path.exists()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_as_text(line))
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync(self.path.parent)


def read_lines(workdir: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The lines of a run's file, up to one that was cut short or is none of ours; none without a file."""
    lines = []
    try:
        for text in (pathlib.Path(workdir) / FILE).read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if not _is_line(line):
                break
            lines.append(line)
    except (FileNotFoundError, ValueError, RecursionError):
        pass
    return lines


def _is_line(line: Any) -> bool:
    """Whether all that is read again is there, of its type."""
    if not (isinstance(line, dict) and type(line.get("step")) is int and isinstance(line.get("measures"), dict)):
        return False
    figures = line.get("figures")
    return isinstance(figures, dict) and all(
        isinstance(figure, dict)
        and (figure.get("value") is None or type(figure["value"]) in (int, float))
        and figure.get("better") in ("higher", "lower", "none")
        for figure in figures.values()
    )


def lines_until(workdir: str | os.PathLike[str], step: int) -> list[dict[str, Any]]:
    """The lines of a run's file up to those of `step`."""
    return [line for line in read_lines(workdir) if line["step"] <= step]


def best_of(lines: Sequence[Mapping[str, Any]], metric: str) -> tuple[int, float] | None:
    """The step and the value of a figure where it was best, the first of equals; None where no line has it."""
    best = None
    for line in lines:
        figure = line["figures"].get(metric, {"value": None})
        value = figure["value"]
        if value is not None and (best is None or is_better(value, best[1], figure["better"])):
            best = line["step"], value
    return best


def is_better(value: float, other: float, better: str) -> bool:
    """Whether a value is better than another one, where `better` is "higher" or "lower"."""
    return value > other if better == "higher" else value < other


def _as_text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, allow_nan=False) + "\n"
