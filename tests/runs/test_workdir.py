"""Which folders train.py refuses to write to, and what it leaves there: nothing."""

import types

import pytest
from tiny_runs import assert_one_line, run_train, use_eight_pictures

EIGHT = ["--model=bicyclegan", "--dataset=eight"]


@pytest.fixture(autouse=True)
def eight(monkeypatch):
    use_eight_pictures(monkeypatch)


def free_space(monkeypatch, size: float) -> None:
    usage = types.SimpleNamespace(free=size)
    monkeypatch.setattr("gan_zoo.runs.checkpoints.shutil.disk_usage", lambda path: usage)


def test_workdirs_that_cannot_be(monkeypatch, tmp_path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.txt").write_text("mine")
    assert_one_line(run_train(*EIGHT, f"--workdir={foreign}"), 2, "thesis", "not empty")
    assert [path.name for path in foreign.iterdir()] == ["chapter.txt"]
    assert_one_line(run_train(*EIGHT, f"--workdir={foreign / 'chapter.txt'}"), 2, "is a file")
    # Nobody, not even root, may make a folder here; where there is no space either, that would be said.
    free_space(monkeypatch, 1e9)
    assert_one_line(run_train(*EIGHT, "--workdir=/proc/run"), 2, "/proc/run cannot be written")
    damaged = tmp_path / "damaged"
    (damaged / "checkpoints").mkdir(parents=True)
    (damaged / "config.json").write_text("{")
    (damaged / "checkpoints" / "checkpoint").write_text(
        'model_checkpoint_path: "step-1"\nall_model_checkpoint_paths: "step-1"\n'
    )
    (damaged / "checkpoints" / "step-1.index").touch()
    assert_one_line(run_train(*EIGHT, f"--workdir={damaged}"), 2, "config.json is damaged")


def test_no_space_is_seen_before_anything_is_written(monkeypatch, tmp_path) -> None:
    free_space(monkeypatch, 1000)
    assert_one_line(run_train(*EIGHT, f"--workdir={tmp_path / 'run'}"), 2, "no space left on the disk")
    assert not (tmp_path / "run").exists()


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    assert_one_line(run_train(*EIGHT, "--workdir=~/thesis"), 2, f"{tmp_path / 'thesis'} is not empty")
    assert_one_line(run_train(*EIGHT, "--workdir="), 2, "--workdir is empty")
