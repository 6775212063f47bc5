"""Whether a training that is killed at any change to its files loses something: python benchmarks/kills.py"""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np

import train
from gan_zoo.models import MODELS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from run_arrays import arrays
from tiny_runs import TINY

USAGE = """usage: python benchmarks/kills.py [flags]

Trains a tiny model on `shapes` to its end, then others that are killed (SIGKILL), one before the first change to a file
of its workdir, one before the second, and so on, and started again. Each must have learnt the same to the bit, with the
same log, settings and pictures, and without leftovers."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_enum("model", "all", ["all", *MODELS], "what to train", **kwargs)
    flags.DEFINE_integer("steps", 6, "of the run", lower_bound=2, **kwargs)
    flags.DEFINE_integer("stride", 1, "kill before every one of so many operations", lower_bound=1, **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Prints a line a model; exit code 1 if any lost something."""
    failed = False
    for name in MODELS if values.model == "all" else [values.model]:
        with tempfile.TemporaryDirectory() as folder:
            differences, kills, seconds = _campaign(name, values, Path(folder))
        print(f"{name}: {kills} kills in {seconds:.0f} s, {'; '.join(differences) or 'nothing lost'}", flush=True)
        failed |= bool(differences)
    if failed:
        sys.exit(1)


def _campaign(name: str, values: flags.FlagValues, folder: Path) -> tuple[list[str], int, float]:
    """The differences between an unbroken run and one that is killed again and again, the kills, and the time."""
    start = time.perf_counter()
    whole, broken = folder / "whole", folder / "broken"
    if status := _train(name, values.steps, whole, None):
        return [f"the unbroken run ended with {status}"], 0, time.perf_counter() - start
    kills, differences = 0, []
    while (status := _train(name, values.steps, broken, number := 1 + kills * values.stride)) == signal.SIGKILL:
        kills += 1
        status = _train(name, values.steps, broken, None)
        if status:
            differences.append(f"killed before change {number}: the next start ended with {status}")
        else:
            differences += [f"killed before change {number}: {each}" for each in _differences(whole, broken)]
        shutil.rmtree(broken, ignore_errors=True)
    if status:
        differences.append(f"an unbroken run ended with {status}")
    return differences, kills, time.perf_counter() - start


def _train(name: str, steps: int, workdir: Path, kill_before: int | None) -> int:
    """Runs train.py in a child that knows TensorFlow already; returns its exit status, or the signal that ended it."""
    child = os.fork()
    if child == 0:
        if kill_before is not None:
            _kill_before(kill_before, workdir)
        settings = [f"--set={key}={value}" for key, value in TINY[name].items()]
        words = [f"--model={name}", "--dataset=shapes", f"--workdir={workdir}", f"--steps={steps}", *settings]
        words += ["--checkpoint_minutes=0", "--evaluate_every=2", "--sample_every=3", "--log_every=1"]
        status = 0
        with open(workdir.with_suffix(".log"), "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
            try:
                command_line.run(
                    train.main, train.define_flags(), train.USAGE, more_help=train.more_help, argv=["train.py", *words]
                )
            except SystemExit as exit_:
                status = int(exit_.code or 0)
        os._exit(status)
    _, ended = os.waitpid(child, 0)
    return ended & 0x7F or ended >> 8


def _kill_before(number: int, workdir: Path) -> None:
    """Ends this process before its `number`th change to what lies in the workdir, that of making it included."""
    left = number

    def watch(event: str, arguments: tuple) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if not writes and event not in CHANGES:
            return
        path = arguments[0]
        if isinstance(path, (str, bytes)) and os.fsdecode(path).startswith(str(workdir)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _differences(whole: Path, broken: Path) -> Iterator[str]:
    expected, found = arrays(whole), arrays(broken)
    if expected.keys() != found.keys():
        yield "other variables"
    elif unequal := [name for name in expected if not np.array_equal(expected[name], found[name])]:
        yield f"{len(unequal)} of {len(expected)} variables differ"
    for file in ("health.jsonl", "config.json"):
        lines = [
            [json.loads(line) for line in (folder / file).read_text(encoding="utf-8").splitlines()]
            if file.endswith("l")
            else json.loads((folder / file).read_text(encoding="utf-8"))
            for folder in (whole, broken)
        ]
        if lines[0] != lines[1]:
            yield f"{file} differs"
    names = [
        {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and "events" not in path.name}
        for folder in (whole, broken)
    ]
    if missing := names[0] - names[1]:
        yield f"missing: {sorted(missing)}"
    # Killed before it removed the oldest checkpoint: one that is whole does no harm.
    more = names[1] - names[0]
    more -= {name for name in more if name.startswith("checkpoints/") and _other_half(name) in more}
    if more:
        yield f"left over: {sorted(more)}"


def _other_half(name: str) -> str:
    stem, index = name.removesuffix(".data-00000-of-00001"), ".index"
    return name.removesuffix(index) + ".data-00000-of-00001" if name.endswith(index) else stem + index


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
