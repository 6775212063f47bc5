"""The folder of a run: what may be trained in it."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import time

from gan_zoo.config import Config
from gan_zoo.errors import UserError
from gan_zoo.runs.checkpoint_files import FOLDER as CHECKPOINTS
from gan_zoo.runs.checkpoint_files import last_paths, remove_leftovers, step_of
from gan_zoo.runs.lock import LOCK_FILE, RunLock
from gan_zoo.runs.record import CONFIG_FILE, TEMPORARY_FILE, Run

_DAY = 24 * 60 * 60  # seconds
MAY_CHANGE = ("epochs", "steps")  # when a run is resumed


def check_workdir(workdir: str | os.PathLike[str], run: Run, config_class: type[Config]) -> None:
    """Refuses a folder that is not a run's, or the folder of a run that `run` cannot continue. Changes nothing.

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
        return
    if not any(map(step_of, last_paths(folder))):
        return  # nothing was learnt that other settings could spoil
    before = Run.read(folder)
    if before.model == run.model:
        # A file that is older than a setting means the default which that had when it came in.
        before = dataclasses.replace(before, settings=config_class.from_dict(before.settings).to_dict())
    differences = before.differences(run, MAY_CHANGE)
    if differences:
        raise UserError(
            f"{workdir} holds another run: {'; '.join(differences)}. Repeat its settings to go on with it, or give "
            "another --workdir"
        )


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
    ours = [folder / TEMPORARY_FILE, *folder.glob(".health.jsonl.partial"), *folder.glob(f"{LOCK_FILE}.*")]
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
