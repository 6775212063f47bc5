"""Where the checkpoints of a run lie, as files: `workdir/checkpoints/` holds the last few (`step-N.*`), `kept/` in it
those kept for good, `best/` the one that a check on validation examples liked best, with its `best.json`.
"""

import json
import os
import pathlib
import re
import shutil
from typing import Any

import tensorflow as tf

FOLDER = "checkpoints"
KEPT_FOLDER = "kept"
BEST_FOLDER = "best"
BEST_FILE = "best.json"
PREFIX = "step"


def step_of(path: str) -> int:
    """The step in a checkpoint's path prefix."""
    return int(re.fullmatch(rf"{PREFIX}-(\d+)", pathlib.Path(path).name)[1])


def last_paths(workdir: str | os.PathLike[str]) -> list[str]:
    """The path prefixes of the last few, the newest at the end: what TensorFlow's file names and what is there."""
    state = tf.train.get_checkpoint_state(str(pathlib.Path(workdir) / FOLDER))
    paths = state.all_model_checkpoint_paths if state else []
    return [path for path in paths if pathlib.Path(f"{path}.index").exists()]


def whole_ones(folder: pathlib.Path) -> list[str]:
    """The path prefixes of the checkpoints in a folder that `link` fills."""
    return [str(file.with_suffix("")) for file in folder.glob(f"{PREFIX}-*.index")]


def link(folder: pathlib.Path, step: int, other: pathlib.Path) -> None:
    """Puts the checkpoint of a step into another folder too, by hard links where there are such; again is no matter."""
    # The index last: a checkpoint without it does not exist.
    for file in sorted(folder.glob(f"{PREFIX}-{step}.*")):
        partial = other / f".{file.name}.partial"
        partial.unlink(missing_ok=True)
        try:
            os.link(file, partial)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, partial)
        os.replace(partial, other / file.name)
        partial.unlink(missing_ok=True)  # stays where both are already links to the same file


def point_to_best(folder: pathlib.Path, step: int, metric: str, value: float) -> None:
    """Puts the checkpoint of a step into `best/`, alone; stopped anywhere, `best.json` names one that is whole."""
    best = folder / BEST_FOLDER
    best.mkdir(exist_ok=True)
    link(folder, step, best)
    partial = best / f".{BEST_FILE}.partial"
    partial.write_text(json.dumps({"step": step, "metric": metric, "value": value}) + "\n", encoding="utf-8")
    os.replace(partial, best / BEST_FILE)
    for path in best.iterdir():
        if path.name != BEST_FILE and not path.name.startswith(f"{PREFIX}-{step}."):
            path.unlink()


def best_record(workdir: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The step, metric and value of the checkpoint in `best/`; None where there is none that is whole."""
    best = pathlib.Path(workdir) / FOLDER / BEST_FOLDER
    try:
        record = json.loads((best / BEST_FILE).read_text(encoding="utf-8"))
        return record if (best / f"{PREFIX}-{record['step']}.index").exists() else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def best_path(workdir: str | os.PathLike[str]) -> str | None:
    """The path prefix of the checkpoint in `best/`, None where there is none."""
    record = best_record(workdir)
    return str(pathlib.Path(workdir) / FOLDER / BEST_FOLDER / f"{PREFIX}-{record['step']}") if record else None


def paths_by_step(workdir: str | os.PathLike[str]) -> dict[int, str]:
    """The path prefixes of all checkpoints that are there, by their steps, the oldest first."""
    folder, best = pathlib.Path(workdir) / FOLDER, best_path(workdir)
    # The last ones at the end: they are meant where a step is there more than once.
    paths = [*([best] if best else []), *whole_ones(folder / KEPT_FOLDER), *last_paths(workdir)]
    by_step = {step_of(path): path for path in paths}
    return {step: by_step[step] for step in sorted(by_step)}
