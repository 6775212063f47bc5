"""A terminal that is closed under a run: a real one, and a real process."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from gan_zoo.training.callbacks import StopSignals

TESTS = pathlib.Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up")


def test_a_closed_terminal_saves_and_stops(tmp_path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, TESTS / "training" / "hung_up.py", tmp_path / "saved"],
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"step 5/" not in shown:
        shown += os.read(ours, 1000)
    os.close(ours)
    assert process.wait(timeout=60) == 128 + signal.SIGHUP
    assert int((tmp_path / "saved").read_text()) >= 5


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert stop.received is None
    finally:
        signal.signal(signal.SIGHUP, before)
