"""Where the checkpoints of a run lie, as files: `workdir/checkpoints/` holds the last few (`step-N.*`), `kept/` in it
those kept for good, `best/` the one that a check on validation examples liked best, with its `best.json`.
"""

import contextlib
import errno
import json
import os
import pathlib
import re
import shutil
import sys
from typing import Any

from gan_zoo.errors import UserError
from gan_zoo.runs.damage import damage_of

FOLDER = "checkpoints"
KEPT_FOLDER = "kept"
BEST_FOLDER = "best"
BEST_FILE = "best.json"
PREFIX = "step"
PARTIAL = "partial"  # what a checkpoint is called, behind its step, until it is whole
STATE_FILE = "checkpoint"  # for TensorFlow's own tools; written, never read
_STEP = rf"{PREFIX}-(0|[1-9][0-9]{{0,17}})"
_said: set[str] = set()


def step_of(path: str) -> int:
    """The step in a checkpoint's path prefix."""
    return int(re.fullmatch(_STEP, pathlib.Path(path).name)[1])


def paths_in(folder: pathlib.Path) -> list[str]:
    """The path prefixes of the checkpoints in a folder, by their steps, the newest at the end: what has an index."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    steps = sorted(int(found[1]) for name in names if (found := re.fullmatch(rf"{_STEP}\.index", name)))
    return [str(folder / f"{PREFIX}-{step}") for step in steps]


def last_paths(workdir: str | os.PathLike[str]) -> list[str]:
    """The path prefixes of the last few, the newest at the end."""
    return paths_in(pathlib.Path(workdir) / FOLDER)


def newest_whole(workdir: str | os.PathLike[str]) -> str | None:
    """The path prefix of the newest of the last few whose bytes are whole; None where there are none.

    Damaged ones are named, once, on stderr, and stay as they are.

    Raises:
        UserError: where there are some and all are damaged, or one may not be read.
    """
    paths = last_paths(workdir)
    damage = None
    for path in reversed(paths):
        if (damage := damage_of(path)) is None:
            return path
        if path not in _said:
            _said.add(path)
            print(f"warning: checkpoint {path} is damaged ({damage}): taking the one before it", file=sys.stderr)
    if paths:
        raise UserError(
            f"no checkpoint in {pathlib.Path(workdir) / FOLDER} is whole ({damage}): bring one back from a copy, or "
            "give a new --workdir"
        )
    return None


def publish(folder: pathlib.Path, step: int, others: int) -> str:
    """Gives the checkpoint that was written as `step-N.partial` its name, and removes all but some of those before it.

    All of it is on the disk before anything says that it is there, and before an older one goes: what a machine that
    loses its power leaves is whole, or has no index.

    Args:
        folder: the checkpoints of a run.
        step: of the one that was written.
        others: how many stay beside it; damaged ones do not count, and are not touched while they are among the last.

    Returns:
        Its path prefix.
    """
    start = f"{PREFIX}-{step}.{PARTIAL}."
    files = [path for path in folder.iterdir() if path.name.startswith(start)]
    for file in files:
        sync(file)
    # The index last: a checkpoint without it does not exist.
    for file in sorted(files):
        if file.suffix == ".index":
            sync(folder)
        os.replace(file, folder / f"{PREFIX}-{step}.{file.name.removeprefix(start)}")
    sync(folder)
    _said.discard(str(folder / f"{PREFIX}-{step}"))  # whole again, if it was damaged
    before = [path for path in paths_in(folder) if step_of(path) < step]
    stay = [path for path in before if path not in _said][-others:] if others else []
    names = [pathlib.Path(path).name for path in [*stay, f"{PREFIX}-{step}"]]
    replace_text(
        folder / STATE_FILE,
        f'model_checkpoint_path: "{names[-1]}"\n'
        + "".join(f'all_model_checkpoint_paths: "{name}"\n' for name in names),
    )
    if len(stay) == others:
        oldest = step_of(stay[0]) if stay else step
        for path in folder.iterdir():
            found = re.fullmatch(rf"{_STEP}\..*", path.name)
            if found and int(found[1]) < oldest:
                path.unlink(missing_ok=True)
    return str(folder / f"{PREFIX}-{step}")


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes what a writer has left half-written; what has the name of a checkpoint stays."""
    partial = rf"{_STEP}(\.{PARTIAL}(\..*|_temp)|_temp)|\.{_STEP}\..*\.{PARTIAL}|\.{BEST_FILE}\.{PARTIAL}"
    for place in (folder, folder / KEPT_FOLDER, folder / BEST_FOLDER):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for path in list(place.iterdir()):
                if path.name.startswith(f"{STATE_FILE}.tmp") or re.fullmatch(partial, path.name):
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)


def replace_text(path: pathlib.Path, text: str) -> None:
    """Writes a file anew; stopped anywhere, and without power too, it is the old or the new one."""
    partial = path.with_name(f"{STATE_FILE}.tmp" if path.name == STATE_FILE else f".{path.name}.{PARTIAL}")
    try:
        partial.write_text(text, encoding="utf-8")
        sync(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: pathlib.Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # cannot be asked for there
    file = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(file)
    except OSError as error:
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network folders cannot
            raise
    finally:
        os.close(file)


def link(folder: pathlib.Path, step: int, other: pathlib.Path) -> None:
    """Puts the checkpoint of a step into another folder too, by hard links where there are such; again is no matter."""
    # The index last: a checkpoint without it does not exist.
    for file in sorted(path for path in folder.glob(f"{PREFIX}-{step}.*") if f".{PARTIAL}" not in path.name):
        partial = other / f".{file.name}.{PARTIAL}"
        partial.unlink(missing_ok=True)
        try:
            os.link(file, partial)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, partial)
            sync(partial)
        os.replace(partial, other / file.name)
        partial.unlink(missing_ok=True)  # stays where both are already links to the same file
    sync(other)


def point_to_best(folder: pathlib.Path, step: int, metric: str, value: float) -> None:
    """Puts the checkpoint of a step into `best/`, alone; stopped anywhere, `best.json` names one that is whole."""
    best = folder / BEST_FOLDER
    best.mkdir(exist_ok=True)
    link(folder, step, best)
    replace_text(best / BEST_FILE, json.dumps({"step": step, "metric": metric, "value": value}) + "\n")
    for path in best.iterdir():
        found = re.fullmatch(rf"{_STEP}\..*", path.name)
        if found and int(found[1]) != step:
            path.unlink()


def best_record(workdir: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The step, metric and value of the checkpoint in `best/`; None where there is none that is whole."""
    best = pathlib.Path(workdir) / FOLDER / BEST_FOLDER
    try:
        record = json.loads((best / BEST_FILE).read_text(encoding="utf-8"))
        step, _, _ = record["step"], record["metric"], record["value"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if type(step) is int and str(best / f"{PREFIX}-{step}") in paths_in(best) else None


def best_path(workdir: str | os.PathLike[str]) -> str | None:
    """The path prefix of the checkpoint in `best/`, None where there is none."""
    record = best_record(workdir)
    return str(pathlib.Path(workdir) / FOLDER / BEST_FOLDER / f"{PREFIX}-{record['step']}") if record else None


def paths_by_step(workdir: str | os.PathLike[str]) -> dict[int, str]:
    """The path prefixes of all checkpoints that are there, by their steps, the oldest first."""
    folder, best = pathlib.Path(workdir) / FOLDER, best_path(workdir)
    # The last ones at the end: they are meant where a step is there more than once.
    paths = [*([best] if best else []), *paths_in(folder / KEPT_FOLDER), *last_paths(workdir)]
    by_step = {step_of(path): path for path in paths}
    return {step: by_step[step] for step in sorted(by_step)}
