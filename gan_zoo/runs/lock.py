"""One process at a time trains in a folder: `workdir/run.lock` says which one.

It works on network folders and every system: a file that only one process can make, with the host, the process and its
start in it. What a dead owner leaves is taken over. On the same machine the process list says who is dead; of an owner
elsewhere only the file's time does, which a living one moves every few seconds. No clocks are compared.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from gan_zoo.errors import UserError

LOCK_FILE = "run.lock"
BEAT_SECONDS = 10.0  # between two signs of life
GUARD_FILE, GUARD_SECONDS = f"{LOCK_FILE}.removal", 5.0
PATIENCE_SECONDS = 60.0  # without one, after which an owner that cannot be looked for is dead


class RunLock:
    """The right to write into a run's folder, as a context; `take` may come before it and where the folder is there.

    Args:
        workdir: the run's folder.
        say: takes a line where it has to be waited for a sign of life.
    """

    def __init__(self, workdir: str | os.PathLike[str], say: Callable[[str], None] = print) -> None:
        self.workdir, self.path = pathlib.Path(workdir), pathlib.Path(workdir) / LOCK_FILE
        self._say = say
        self._mine: str | None = None  # what the file holds while it is ours
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def held(self) -> bool:
        return self._mine is not None

    def take(self) -> None:
        """Takes the lock; once more is no matter.

        Raises:
            UserError: where another process holds it, with its host, its number and its start.
        """
        while not self.held:
            mine = json.dumps(_identity())
            if self._make(mine):
                self._mine = mine
            else:
                self._remove_if_dead()
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, daemon=True, name="run lock")
            self._thread.start()

    def confirm(self) -> None:
        """Before something is written: that the folder is still ours.

        Raises:
            UserError: where another process has taken it, because this one gave no sign of life for too long.
        """
        if not self.held or (there := _read(self.path)) == self._mine:
            return
        if there is not None or not self._make(self._mine):  # where somebody has removed it, it comes back
            raise UserError(
                f"{self.workdir} is trained by {_in_words(there)} now: this process gave no sign of life for more than "
                f"{PATIENCE_SECONDS:.0f} s; nothing is saved"
            )

    def _make(self, text: str) -> bool:
        """Makes the file, unless there is one."""
        self.workdir.mkdir(parents=True, exist_ok=True)
        return _made(self.path, text)

    def release(self) -> None:
        """Gives it back, if it is held."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self.held and _read(self.path) == self._mine:
            self.path.unlink(missing_ok=True)
        self._mine = self._thread = None
        self._stop.clear()

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                if _read(self.path) == self._mine:
                    os.utime(self.path)
            except OSError:
                pass  # a server that does not answer for a while

    def _remove_if_dead(self) -> None:
        """Removes the file of a dead owner.

        Raises:
            UserError: where it lives.
        """
        there = _read(self.path)
        if there is None:
            return  # given back meanwhile
        owner = _parsed(there)
        alive = _lives(owner)
        if alive is None:
            alive = self._sees_life(there, owner)
        if alive:
            raise UserError(
                f"{self.workdir} is being trained by {_in_words(there)}: wait for its end or stop it, or give another "
                "--workdir"
            )
        self._remove(there)

    def _remove(self, there: str) -> None:
        """Removes the file if it still holds `there`.

        Of several that found its owner dead only the one that has made the guard beside it may: between its look at the
        file and the removal nobody else can put another lock there.
        """
        guard = self.path.with_name(GUARD_FILE)
        mine = uuid.uuid4().hex
        if not _made(guard, mine):
            _wait_until_gone(guard)
            return
        try:
            if _read(self.path) == there:  # else it is another one's by now, or was only just being written
                self.path.unlink(missing_ok=True)
        finally:
            guard.unlink(missing_ok=True)

    def _sees_life(self, there: str, owner: dict[str, Any]) -> bool:
        """Waits for a sign of life of an owner that cannot be looked for."""
        where = f"on {owner['host']}" if owner else "which does not say who it is"
        self._say(f"waiting up to {PATIENCE_SECONDS:.0f} s: {self.path} is of a process {where}, which may have died")
        first, end = _time_of(self.path), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            time.sleep(min(1.0, PATIENCE_SECONDS / 10))
            if _read(self.path) != there:
                return False
            if _time_of(self.path) != first:
                return True
        return False


def _identity() -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "space": _space(),
        "birth": _birth(os.getpid()),
    }


def _made(path: pathlib.Path, text: str) -> bool:
    """Makes a file with `text`; False where there is one already."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.write(text)
    except BaseException:  # a full disk: an empty lock would keep everybody waiting for its owner
        path.unlink(missing_ok=True)
        raise
    return True


def _wait_until_gone(guard: pathlib.Path) -> None:
    """Waits for the moment that a removal takes; a guard that stays for seconds is of one that was killed in it."""
    first, end = _read(guard), time.monotonic() + GUARD_SECONDS  # empty while it is being written
    while time.monotonic() < end:
        time.sleep(0.01)
        if (now := _read(guard)) is None or (first and now != first):
            return
        first = now
    # Of several that have waited one takes it away, and puts it back if it is another one's by now.
    aside = guard.with_name(f"{guard.name}.{uuid.uuid4().hex}")
    with contextlib.suppress(FileNotFoundError):
        os.replace(guard, aside)
        if _read(aside) != first:
            os.replace(aside, guard)
        aside.unlink(missing_ok=True)


def _read(path: pathlib.Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _time_of(path: pathlib.Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _parsed(text: str) -> dict[str, Any]:
    """What a lock says; nothing for one that is cut short, or is being written."""
    try:
        owner = json.loads(text)
        return owner if type(owner["pid"]) is int and 0 < owner["pid"] < 2**31 and str(owner["host"]) else {}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def _in_words(text: str | None) -> str:
    owner = _parsed(text or "")
    if not owner:
        return "another process"
    return f"process {owner['pid']} on {str(owner['host'])[:80]}, since {str(owner.get('started'))[:40]}"


def _lives(owner: dict[str, Any]) -> bool | None:
    """Whether the owner lives; None where that cannot be known from here."""
    if not owner or (owner["host"], owner.get("space")) != (socket.gethostname(), _space()):
        return None
    if not _is_running(owner["pid"]):
        return False
    birth = _birth(owner["pid"])
    if birth is None or owner.get("birth") is None:
        return None if owner["pid"] != os.getpid() else True  # the number may be another process' by now
    return birth == owner["birth"]


def _space() -> str | None:
    """Within what a process number means something: since a machine was started, and inside a container."""
    try:
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def _birth(pid: int) -> str | None:
    """When a process was started, in a form that only compares: numbers are given again."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":  # where signal 0 is no question but Ctrl-C
        kernel = ctypes.windll.kernel32
        process = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not process:
            return kernel.GetLastError() == 5  # ERROR_ACCESS_DENIED: somebody else's
        code = ctypes.c_ulong()
        known = kernel.GetExitCodeProcess(process, ctypes.byref(code))
        kernel.CloseHandle(process)
        return not known or code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
