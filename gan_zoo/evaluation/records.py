"""Evaluations as files that stay readable, and as a table.

A record is JSON: `{"format": 1, "about": {...}, "figures": [{...}], "missing": {...}, "warnings": [...], "skipped":
{...}, "values": {figure: {image: value}}}`. JSON knows no infinite numbers: such a value, as the PSNR of equal images,
is null, and the figure's note says what it was.
"""

import dataclasses
import itertools
import json
import math
import os
import pathlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gan_zoo.config import versions
from gan_zoo.errors import UserError
from gan_zoo.evaluation.measuring import Evaluation
from gan_zoo.images import write_whole
from gan_zoo.metrics.base import Figure

FORMAT = 1
_PARTS = {"about": dict, "figures": list, "missing": dict, "warnings": list, "skipped": dict, "values": dict}
FOLDER = "evaluation"
SAME_SETTINGS = (
    *("model", "dataset", "data_dir", "split", "generated", "reference"),
    *("seed", "num_images", "num_samples", "inference_mode"),
)


def record(evaluation: Evaluation, about: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation as plain values that JSON can hold.

    Args:
        evaluation: all but its pictures is kept.
        about: what was evaluated: workdir, model, dataset, split, step, seed ..., or generated and reference. The time
            and the versions are added.
    """
    return {
        "format": FORMAT,
        "about": {**about, "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "versions": versions()},
        "figures": [_plain(figure, evaluation.seconds.get(name)) for name, figure in evaluation.figures.items()],
        "missing": dict(evaluation.missing),
        "warnings": list(evaluation.warnings),
        "skipped": dict(evaluation.skipped),
        "values": {
            name: {image: _finite(value) for image, value in of_images.items()}
            for name, of_images in evaluation.values.items()
        },
    }


def _plain(figure: Figure, seconds: float | None) -> dict[str, Any]:
    plain = dataclasses.asdict(figure)
    if _finite(figure.value) is None:
        said = f"the value is {float(figure.value)}, which JSON cannot hold"
        plain["note"] = f"{figure.note}; {said}" if figure.note else said
    for key in ("value", "error"):
        plain[key] = _finite(plain[key])
    return plain | {"seconds": None if seconds is None else round(seconds, 3)}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def write_record(folder: str | os.PathLike[str], record: Mapping[str, Any]) -> pathlib.Path:
    """Writes a record as `step_N.json`, or as `folders.json` where it is about no step, whole whenever it is there.

    Nothing that was measured before is lost: figures of the same images, noise and mode stay in the file beside the new
    ones, and a record of others stays where it is, the new one becoming `step_N_2.json` and so on.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    step = record["about"].get("step")
    stem = "folders" if step is None else f"step_{step}"
    for number in itertools.count(1):
        path = folder / (f"{stem}.json" if number == 1 else f"{stem}_{number}.json")
        if not path.exists():
            break
        before = _read(path)
        if comparable([before], record):
            record = _joined(before, record)
            break
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # What a file's name has that is no Unicode becomes `\udcff`, which is JSON's own way to write it.
    write_whole(path, text.encode(errors="backslashreplace"))
    return path


def _joined(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """`now` with the figures that only `before` has."""
    measured = {figure["name"] for figure in now["figures"]}
    kept = [figure for figure in before["figures"] if figure["name"] not in measured]
    names = measured | {figure["name"] for figure in kept}
    missing = {**before["missing"], **now["missing"]}
    return {
        **now,
        "figures": [*kept, *now["figures"]],
        "missing": {name: reason for name, reason in missing.items() if name not in names},
        "values": {**before["values"], **now["values"]},
    }


def read_records(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The records in a folder, by their steps.

    Raises:
        UserError: for a file that is no record of this format.
    """
    found = []
    for path in pathlib.Path(folder).glob("*.json"):
        match = re.fullmatch(r"(?:step_(\d+)|folders)(?:_(\d+))?\.json", path.name)
        if match is not None:
            found.append((int(match[1] or 0), int(match[2] or 1), _read(path)))
    return [content for *_, content in sorted(found, key=lambda entry: entry[:2])]


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}): remove it") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is no record of format {FORMAT}: remove it")
    for name, kind in _PARTS.items():
        if not isinstance(content.get(name), kind):
            raise UserError(f"{path} is damaged ({name} is missing, or of another kind): remove it")
    tables = all(isinstance(of_images, dict) for of_images in content["values"].values())
    if not tables or not all(map(_is_figure, content["figures"])):
        raise UserError(f"{path} is damaged (not all figures have a name and a value): remove it")
    return content


def _is_figure(figure: Any) -> bool:
    return (
        isinstance(figure, dict)
        and isinstance(figure.get("name"), str)
        and (figure.get("value", "") is None or type(figure.get("value")) in (int, float))
    )


def comparable(records: Sequence[Mapping[str, Any]], newest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records whose figures may be set beside those of `newest`: of the same images, noise and mode."""

    def settings(of: Mapping[str, Any]) -> list[Any]:
        return [of["about"].get(key) for key in SAME_SETTINGS]

    return [each for each in records if settings(each) == settings(newest)]


def table(evaluation: Evaluation) -> list[str]:
    """The figures as lines of aligned columns, those that are missing among them."""
    rows = [("metric", "value", "better", "images", "note")]
    for name, figure in evaluation.figures.items():
        value = f"{figure.value:.5g}" + (f" +- {figure.error:.2g}" if figure.error is not None else "")
        value = f"{value} {figure.unit}" if figure.unit else value
        better = "" if figure.better == "none" else figure.better
        rows.append((name, value, better, str(figure.num_images), figure.note or ""))
    rows += [(name, reason.partition(":")[0], "", "", "") for name, reason in evaluation.missing.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def remarks(evaluation: Evaluation) -> list[str]:
    """What there is to say below the table, a line each: warnings, what is missing and why, what was skipped."""
    lines = [f"warning: {warning}" for warning in evaluation.warnings]
    names_by_reason: dict[str, list[str]] = {}
    for name, reason in evaluation.missing.items():
        names_by_reason.setdefault(reason, []).append(name)
    lines += [f"{', '.join(names)}: {reason}" for reason, names in names_by_reason.items()]
    return [printable(line) for line in lines] + skipped_lines(evaluation.skipped)


def skipped_lines(skipped: Mapping[str, str]) -> list[str]:
    """What was skipped, each thing in a line of its own."""
    return [printable(f"skipped: {file}: {reason}") for file, reason in skipped.items()]


def printable(text: str) -> str:
    """One line that any terminal takes: names of files may hold line breaks, control codes, and what is no Unicode."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
