"""What a run that was killed between a checkpoint and what comes after it makes up for, and what it sweeps away."""

import os

import pytest
from tiny_runs import run_train, use_eight_pictures

WORDS = ("--model=cyclegan", "--dataset=eight", "--sample_every=2", "--evaluate_every=0")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four steps, its words, and its pictures as they are."""
    workdir = tmp_path_factory.mktemp("runs") / "run"
    words = (*WORDS, f"--workdir={workdir}")
    with pytest.MonkeyPatch.context() as patch:
        use_eight_pictures(patch)
        result = run_train(*words, "--steps=4")
    assert result.code == 0, result
    return workdir, words, pictures(workdir)


def pictures(workdir) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workdir / "samples").iterdir()}


def test_the_picture_of_the_last_step_comes_after_all(run, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    workdir, words, expected = run
    for lost in (["step_4_a_to_b.png"], ["step_4_a_to_b.png", "step_4_b_to_a.png"]):
        for name in lost:
            (workdir / "samples" / name).unlink()
        result = run_train(*words, "--steps=4")  # nothing to do but this
        assert result.code == 0 and "nothing to do" in result.out
        assert pictures(workdir) == expected
    (workdir / "samples" / "step_4_b_to_a.png").unlink()
    (workdir / "checkpoints" / "step-9_temp").mkdir()
    leftovers = ["config.tmp", ".health.jsonl.partial", "samples/.123.partial", "checkpoints/checkpoint.tmp0f3a"]
    leftovers += ["run.lock.0f3a", "checkpoints/step-9.partial.index", "evaluation/.123.partial"]
    (workdir / "evaluation").mkdir()
    for name in leftovers:
        (workdir / name).write_text("half")
    os.utime(workdir / "evaluation" / ".123.partial", (0, 0))
    (workdir / "evaluation" / ".124.partial").write_text("of a process that may be at work")
    result = run_train(*words, "--steps=5")  # goes on
    assert result.code == 0, result
    now = pictures(workdir)
    assert {name: now[name] for name in expected} == expected
    assert sorted(now.keys() - expected.keys()) == ["step_5_a_to_b.png", "step_5_b_to_a.png"]
    there = {str(path.relative_to(workdir)) for path in workdir.rglob("*")}
    assert not there & {*leftovers, "checkpoints/step-9_temp"} and "evaluation/.124.partial" in there
