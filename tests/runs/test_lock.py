"""One process at a time: a living owner keeps others out, a dead one does not, and of many that come one gets in."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import pytest
from saved_models import RUN
from tiny_runs import assert_one_line, run_train, use_eight_pictures

from gan_zoo.errors import UserError
from gan_zoo.runs import lock
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.lock import LOCK_FILE, RunLock

TESTS = pathlib.Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def quickly(monkeypatch) -> None:
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.5)


def owner(**changes) -> str:
    return json.dumps(lock._identity() | changes)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, TESTS / "runs" / "held_lock.py", tmp_path],
        env=os.environ | {"PYTHONPATH": str(TESTS.parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_living_process_is_named_and_a_killed_one_holds_nothing(other, tmp_path, monkeypatch) -> None:
    said = []
    with pytest.raises(UserError) as refused:
        RunLock(tmp_path, said.append).take()
    assert re.fullmatch(
        rf"{tmp_path} is being trained by process {other.pid} on {re.escape(socket.gethostname())}, since "
        r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}: wait for its end or stop it, or give another --workdir",
        str(refused.value),
    )
    with monkeypatch.context() as patch:  # seen from a machine that cannot look for it
        patch.setattr(lock, "_space", lambda: "elsewhere")
        with pytest.raises(UserError, match=f"process {other.pid} on"):
            RunLock(tmp_path, said.append).take()
    assert len(said) == 1 and "waiting up to" in said[0]
    other.kill()
    other.wait()
    said.clear()
    with RunLock(tmp_path, said.append) as mine:
        mine.take()
        assert mine.held and json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()
    assert said == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        (owner(pid=2**22 + 1), False),  # Linux gives no such number
        (owner(birth="1"), False),  # the number is another process' by now
        (owner(host="elsewhere"), True),
        (owner(space="before the machine was started again"), True),
        (owner(birth=None, pid=1), True),  # a system that does not say when a process was started
        ("", True),
        ('{"host": ', True),
        ("[" * 100_000, True),
        (owner(pid="12"), True),
    ],
)
def test_what_a_dead_owner_leaves_is_taken_over(text, waits, tmp_path) -> None:
    (tmp_path / LOCK_FILE).write_text(text)
    said, begin = [], time.monotonic()
    with RunLock(tmp_path, said.append) as mine:
        mine.take()
        assert mine.held and len(said) == waits
        assert (time.monotonic() - begin >= 0.5) == waits
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_find_a_dead_one_one_gets_in(tmp_path) -> None:
    for _ in range(20):
        (tmp_path / LOCK_FILE).write_text(owner(pid=2**22 + 1))
        locks, refused, start = [RunLock(tmp_path, str) for _ in range(8)], [], threading.Barrier(8)

        def take(mine, start=start, refused=refused) -> None:
            start.wait()
            try:
                mine.take()
            except UserError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=take, args=(mine,)) for mine in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [mine.held for mine in locks].count(True) == 1 and len(refused) == 7
        for mine in locks:
            mine.release()
        assert list(tmp_path.iterdir()) == []


def test_who_has_lost_it_saves_nothing_and_who_missed_the_file_goes_on(models, tmp_path) -> None:
    with RunLock(tmp_path) as mine:
        mine.take()
        checkpoints = Checkpoints(tmp_path, models[0], RUN, confirm=mine.confirm)
        (tmp_path / LOCK_FILE).unlink()
        checkpoints.save(1)
        assert (tmp_path / LOCK_FILE).exists()
        (tmp_path / LOCK_FILE).write_text(owner(host="elsewhere", pid=7))
        with pytest.raises(UserError, match=r"is trained by process 7 on elsewhere, since .* nothing is saved"):
            checkpoints.save(2)
    assert not list((tmp_path / "checkpoints").glob("step-2*")) and (tmp_path / LOCK_FILE).exists()


def test_training_is_refused_where_another_process_trains(tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    words = ["--model=pix2pix", "--dataset=eight", f"--workdir={tmp_path / 'run'}"]
    with RunLock(tmp_path / "run") as mine:
        mine.take()
        assert_one_line(run_train(*words), 2, f"is being trained by process {os.getpid()} on")
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK_FILE]
        RUN.write(tmp_path / "run")
        assert_one_line(run_train(*words), 2, f"is being trained by process {os.getpid()} on")
