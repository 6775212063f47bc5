"""A run that was killed ends with the same bits as one that was left alone.

A real process and a real SIGKILL, in the middle of a save, with dropout on.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from run_arrays import arrays
from tiny_runs import run_train

ROOT = pathlib.Path(__file__).parents[2]
STEPS = 24
SETTINGS = {
    "base_filters": 4,
    "encoder_filters": 4,
    "encoder_type": "plain",
    "discriminator_filters": 4,
    "discriminator_layers": 1,
    "discriminator_scales": 1,
    "dropout": True,  # its random state has to come back too
}
PATIENCE = 240  # seconds until a process counts as hanging


def words(workdir: pathlib.Path) -> list[str]:
    settings = [f"--set={key}={value}" for key, value in SETTINGS.items()]
    run = ["--model=bicyclegan", "--dataset=shapes", f"--workdir={workdir}", f"--steps={STEPS}"]
    return [*run, *settings, "--sample_every=0", "--log_every=1"]


def start(workdir: pathlib.Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "train.py", *words(workdir), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_step(process: subprocess.Popen, step: int) -> None:
    for line in process.stdout:
        found = re.search(r"step (\d+)/", line)
        if found and int(found[1]) >= step:
            return
    raise AssertionError(process.stderr.read())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of a run left alone and of one that was killed, and what was seen on the way."""
    folder = tmp_path_factory.mktemp("runs")
    alone, killed = folder / "alone", folder / "killed"
    seen = {}

    process = start(killed, "--checkpoint_minutes=0")
    wait_for_step(process, 10)
    # A save writes into a folder of its own before it renames: kill while one is there.
    deadline = time.monotonic() + PATIENCE
    while not list((killed / "checkpoints").glob("*_temp")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
    process.kill()
    process.communicate(timeout=PATIENCE)
    seen["killed"] = (process.returncode, sorted(path.name for path in (killed / "checkpoints").iterdir()))

    process = start(killed, "--strategy=auto", "--checkpoint_minutes=5")
    result = run_train(*words(alone))  # at the same time, in this process
    seen["alone"] = (result.code, result.out, result.err)
    out, err = process.communicate(timeout=PATIENCE)
    seen["resumed"] = (process.returncode, out, err)
    return alone, killed, seen


def test_resuming_goes_on_from_the_last_save(runs) -> None:
    code, names = runs[2]["killed"]
    assert code == -signal.SIGKILL
    code, out, err = runs[2]["resumed"]
    assert (code, err) == (0, "")
    saved = max(int(found[1]) for name in names if (found := re.fullmatch(r"step-(\d+)\.index", name)))
    resumed = int(re.search(rf"going on after step (\d+) of {STEPS}", out)[1])
    # The save that was killed is the only one that may be lost, though its index may have been there already.
    assert saved - 1 <= resumed <= saved and resumed >= 9
    assert f"step {resumed + 1}/{STEPS}" in out and f"step {resumed}/{STEPS}" not in out.split("going on")[1][10:]


def test_all_ends_bit_for_bit_as_if_nothing_had_happened(runs) -> None:
    alone, killed, seen = runs
    assert (seen["alone"][0], seen["alone"][2]) == (0, "")
    expected, actual = arrays(alone), arrays(killed)
    assert expected.keys() == actual.keys()
    differing = [name for name in expected if expected[name].tobytes() != np.asarray(actual[name]).tobytes()]
    assert not differing
    # What it compares is what matters: weights, both moments of Adam, and dropout's seeds, which have moved.
    assert expected["step/.ATTRIBUTES/VARIABLE_VALUE"] == STEPS
    assert sum(name.startswith("optimizers/") for name in expected) > 50
    seeds = [value for name, value in expected.items() if name.startswith("seed_states/")]
    assert seeds and all(np.any(seed) for seed in seeds)


def test_nothing_is_left_over(runs) -> None:
    names = os.listdir(runs[1] / "checkpoints")
    assert not [name for name in names if name.endswith("_temp")]
    assert len([name for name in names if name.endswith(".index")]) == 3
    assert len(names) == 3 * 2 + 1
