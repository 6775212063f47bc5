"""The folder of a run: what may be trained in it."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import time
from collections.abc import Sequence
from typing import Any

from gan_zoo.config import Config
from gan_zoo.errors import UserError
from gan_zoo.runs.checkpoint_files import FOLDER as CHECKPOINTS
from gan_zoo.runs.checkpoint_files import last_paths, remove_leftovers, step_of
from gan_zoo.runs.checkpoints import latest_step
from gan_zoo.runs.lock import LOCK_FILE, RunLock
from gan_zoo.runs.record import CONFIG_FILE, Run

_DAY = 24 * 60 * 60  # seconds
MAY_CHANGE = ("epochs", "steps")  # when a run is resumed
RESUME_WITH = {  # what may change too where the user says so, and what of a run that is
    "data": ("data_dir", "num_examples", "domain_counts", "fingerprint"),
    "learning_rate": ("learning_rate",),
    "schedule": ("schedule", "decay_fraction", "decay_every", "decay_factor"),
}


def check_workdir(
    workdir: str | os.PathLike[str],
    run: Run,
    config_class: type[Config],
    *,
    resume_with: Sequence[str] = (),
    init_from: str | None = None,
) -> tuple[Run, dict[str, list[Any]]]:
    """Refuses a folder that is not a run's, or the folder of a run that `run` cannot continue. Changes nothing.

    Args:
        workdir: the folder.
        run: what is to be trained in it.
        config_class: of its model.
        resume_with: what may differ from the run that is there: names of `RESUME_WITH`.
        init_from: the run whose weights this one starts with; None for none.

    Returns:
        `run` with the history of the one that is there, and what has changed now, as `Run.changes` has it.

    Raises:
        UserError: with the differences, or what else is wrong.
    """
    folder = pathlib.Path(workdir)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--workdir={workdir} is a file: give a folder")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(existing, os.W_OK):
        raise UserError(f"--workdir={workdir} cannot be written ({existing} is not writable): give another folder")
    refuse_links(folder)
    if not (folder / CONFIG_FILE).exists():
        # A process that starts a run here has its lock before it has anything else.
        if folder.exists() and any(not path.name.startswith(LOCK_FILE) for path in folder.iterdir()):
            raise UserError(f"--workdir={workdir} is not empty and has no {CONFIG_FILE}: give a new or empty folder")
        return run, {}
    steps = [step_of(path) for path in last_paths(folder)]
    if not any(steps):
        if steps and init_from:
            raise UserError(f"--init_from={init_from}: {workdir} has weights already: give another --workdir")
        return run, {}  # nothing was learnt that other settings could spoil
    before = Run.read(folder)
    if before.model == run.model:
        # A file that is older than a setting means the default which that had when it came in.
        before = dataclasses.replace(before, settings=config_class.from_dict(before.settings).to_dict())
    begun_with = [entry["init_from"] for entry in before.history if "init_from" in entry]
    if init_from and begun_with != [os.path.abspath(init_from)]:
        how = f"has begun with the weights of {begun_with[0]}" if begun_with else "has begun without"
        raise UserError(f"--init_from={init_from}: the run in {workdir} {how}: leave it out, or give another --workdir")
    changes = before.changes(run)
    may_change = {*MAY_CHANGE, *(name for word in resume_with for name in RESUME_WITH[word])}
    if before.fingerprint is not None and run.fingerprint in (before.fingerprint, None):
        may_change.add("data_dir")  # the same examples elsewhere, as far as is known before they are listed
    if "plateau" in changes.get("schedule", []):
        may_change.discard("schedule")  # its optimizers hold other things
    if differences := before.differences(run, may_change):
        words = [word for word, names in RESUME_WITH.items() if {*names} & changes.keys() - may_change]
        could = {name for word in words for name in RESUME_WITH[word]} - {"schedule"}
        if "plateau" not in changes.get("schedule", []):
            could.add("schedule")
        own = f", or --resume_with={','.join([*resume_with, *words])} to go on with the new ones"
        raise UserError(
            f"{workdir} holds another run: {'; '.join(differences)}. Repeat its settings to go on with it"
            f"{own if changes.keys() - may_change <= could else ''}, or give another --workdir"
        )
    step = latest_step(folder)
    now = [{"step": step, "changes": changes}] if changes else []
    return dataclasses.replace(run, history=[*before.history, *now]), changes


def refuse_links(workdir: str | os.PathLike[str]) -> None:
    """Refuses to write into a folder in which a link leads out of it: a stranger may have put it there.

    The folder itself may be a link.

    Raises:
        UserError: with the link.
    """
    root = os.path.realpath(workdir)
    for folder, names, files in os.walk(root):
        for path in (os.path.join(folder, name) for name in (*names, *files)):
            leads_on = os.path.islink(path) or _is_junction(path)
            if leads_on and not pathlib.Path(os.path.realpath(path)).is_relative_to(root):
                raise UserError(
                    f"{path} leads out of the run's folder, so that what is written there would land elsewhere: remove "
                    "the link (--workdir itself may be one)"
                )


def _is_junction(path: str) -> bool:
    """Whether a path is what Windows has beside links; Python knows them from 3.12 on."""
    return getattr(os.path, "isjunction", lambda _: False)(path)


def clear_leftovers(workdir: str | os.PathLike[str]) -> None:
    """Removes what killed writers have left half-written; to be called by the process that has the lock.

    Other processes may be evaluating or exporting: of theirs only what is older than a day.
    """
    folder = pathlib.Path(workdir)
    remove_leftovers(folder / CHECKPOINTS)
    # config.tmp is what earlier versions called an unfinished config.json.
    names = ("config.tmp", f".{CONFIG_FILE}.partial", ".health.jsonl.partial")
    ours = [*(folder / name for name in names), *folder.glob(f"{LOCK_FILE}.*")]
    for path in [*ours, *(folder / "samples").glob(".*.partial")]:
        path.unlink(missing_ok=True)
    for path in [*(folder / "evaluation").glob(".*.partial"), *(folder / "export").glob(".*.partial")]:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _DAY:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def make_workdir(workdir: str | os.PathLike[str], run: Run, lock: RunLock) -> None:
    """Makes the folder of a run where it is missing, and writes what the run is into it.

    Raises:
        UserError: if it cannot be written, or another process has taken it meanwhile.
    """
    try:
        os.makedirs(workdir, exist_ok=True)
        if not lock.held:
            lock.take()
            if (pathlib.Path(workdir) / CONFIG_FILE).exists():
                raise UserError(f"another process has just started a run in {workdir}: give another --workdir")
        run.write(workdir)
    except OSError as error:
        raise UserError(f"--workdir={workdir} cannot be written ({error.strerror}): give another folder") from None
