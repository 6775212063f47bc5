"""train.py from the user's side: what it prints, what it writes, what it refuses."""

import dataclasses
import json
import os
import pathlib
import signal
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tiny_runs import EightPictures, assert_one_line, run_train, use_eight_pictures

import train
from datasets import DATASETS
from gan_zoo.models import MODELS
from gan_zoo.runs.checkpoints import latest_step
from gan_zoo.runs.record import Run

EIGHT = ["--model=bicyclegan", "--dataset=eight"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two data epochs of four steps: its folder and what was printed."""
    workdir = tmp_path_factory.mktemp("runs") / "eight"
    with pytest.MonkeyPatch.context() as patch:
        use_eight_pictures(patch, decay_fraction=1.0)
        result = run_train(
            *EIGHT, f"--workdir={workdir}", "--epochs=2", "--keep_every=1", "--sample_every=3", "--log_every=2"
        )
    assert result.code == 0, result
    return workdir, result


@pytest.fixture(autouse=True)
def eight(monkeypatch):
    use_eight_pictures(monkeypatch, decay_fraction=1.0)


def test_everything_of_a_run_lies_in_its_workdir(finished) -> None:
    workdir, _ = finished
    run = Run.read(workdir)
    assert (run.model, run.dataset, run.data_dir, run.num_examples) == ("bicyclegan", "eight", None, 8)
    assert run.settings["epochs"] == 2 and run.origins["epochs"] == "flag"
    assert run.origins["base_filters"] == "recommended" and run.origins["beta_1"] == "default"
    assert run.versions["tensorflow"] == tf.__version__
    # Saved at the ends of both data epochs, each kept for good.
    for folder in ("checkpoints", "checkpoints/kept"):
        names = sorted(path.name for path in (workdir / folder).glob("*.index"))
        assert names == ["step-4.index", "step-8.index"]
    assert sorted(path.name for path in (workdir / "samples").iterdir()) == [
        "step_0.png",
        "step_3.png",
        "step_6.png",
        "step_8.png",
    ]
    with Image.open(workdir / "samples" / "step_8.png") as grid:
        # Input, truth, encoded, five random samples; four rows; 2 px between cells.
        assert grid.size[0] >= 8 * 32 + 7 * 2 and grid.size[1] > 4 * 32 + 3 * 2
    assert not (workdir / "skipped_files.txt").exists()
    leftovers = [path for path in workdir.rglob("*") if path.suffix in (".tmp", ".partial")]
    assert not leftovers


def test_tensorboard_has_losses_rate_speed_and_pictures(finished) -> None:
    workdir, _ = finished
    points: dict[str, dict[int, float]] = {}
    for path in (workdir / "logs").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                array = tf.make_ndarray(value.tensor)
                points.setdefault(value.tag, {})[event.step] = array if array.ndim else float(array)
    losses = {"gan_encoded", "gan_random", "l1", "latent", "kl", "discriminator_encoded", "discriminator_random"}
    assert {tag.removeprefix("losses/") for tag in points if tag.startswith("losses/")} == losses
    assert sorted(points["losses/l1"]) == [2, 4, 6, 8]
    assert sorted(points["samples/translate"]) == [0, 3, 6, 8]
    assert all(rate > 0 for rate in points["images_per_second"].values())
    # decay_fraction=1 over two data epochs: factors 1 - 1/3 and 1 - 2/3 (the value at a step is the one it used).
    expected = {2: 2e-4 * 2 / 3, 4: 2e-4 * 2 / 3, 6: 2e-4 / 3, 8: 2e-4 / 3}
    assert points["learning_rate"] == pytest.approx(expected, rel=1e-6)


def test_output_names_settings_with_origins_and_progress(finished) -> None:
    workdir, result = finished
    lines = result.out.splitlines()
    assert lines[0] == f"bicyclegan on eight: 8 training examples, 1 device, workdir {workdir}"
    assert any(line.split() == ["epochs", "2", "flag"] for line in lines)
    assert any(line.split() == ["latent_dim", "3", "recommended"] for line in lines)
    assert "beta_1 0.5" in " ".join(lines).split("default: ")[1]
    progress = [line for line in lines if line.startswith("epoch ")]
    assert [line.split("  ")[1] for line in progress] == [f"step {step}/8" for step in (1, 2, 4, 6, 8)]
    assert progress[-1].startswith("epoch 2/2") and "images/s" in progress[-1] and "l1 " in progress[-1]
    assert lines[-1].startswith("done: 8 steps")


def test_a_finished_run_has_nothing_to_do(finished) -> None:
    workdir, _ = finished
    before = sorted((path, path.stat().st_mtime_ns) for path in workdir.rglob("*"))
    result = run_train(*EIGHT, f"--workdir={workdir}", "--epochs=2")
    assert (result.code, result.err) == (0, "") and "nothing to do" in result.out
    assert sorted((path, path.stat().st_mtime_ns) for path in workdir.rglob("*")) == before


def test_what_differs_is_refused_and_listed(finished) -> None:
    workdir, _ = finished
    result = run_train(*EIGHT, f"--workdir={workdir}", "--epochs=3", "--seed=1", "--set", "lambda_l1=5")
    assert_one_line(result, 2, "seed was 0, now 1", "lambda_l1 was 10.0, now 5.0")
    assert "epochs" not in result.err and latest_step(workdir) == 8
    assert_one_line(run_train(*EIGHT, f"--workdir={workdir}", "--data_dir=/x"), 2, "data_dir was None, now '/x'")


def test_changed_data_is_refused(finished, monkeypatch) -> None:
    workdir, _ = finished
    use_eight_pictures(monkeypatch, EightPictures(count=9), decay_fraction=1.0)
    result = run_train(*EIGHT, f"--workdir={workdir}", "--epochs=3")
    assert_one_line(result, 2, "the number of training examples was 8, now 9")


def test_the_workdir_is_looked_at_before_the_data(finished, monkeypatch, tmp_path) -> None:
    def download(*_: object) -> None:
        raise AssertionError("for nothing")

    monkeypatch.setitem(DATASETS, "eight", dataclasses.replace(DATASETS["eight"], load=download))
    (tmp_path / "chapter.txt").write_text("mine")
    assert_one_line(run_train(*EIGHT, f"--workdir={tmp_path}"), 2, "not empty")
    assert_one_line(run_train(*EIGHT, f"--workdir={finished[0]}", "--seed=1"), 2, "seed was 0, now 1")
    monkeypatch.setattr(os, "access", lambda path, mode: pathlib.Path(path) != tmp_path)  # root may write everywhere
    assert_one_line(run_train(*EIGHT, f"--workdir={tmp_path / 'a' / 'b'}"), 2, f"{tmp_path} is not writable")


def test_a_batch_that_devices_cannot_share_is_refused_before_the_data(monkeypatch, tmp_path) -> None:
    def download(*_: object) -> None:
        raise AssertionError("for nothing")

    monkeypatch.setitem(DATASETS, "eight", dataclasses.replace(DATASETS["eight"], load=download))
    monkeypatch.setattr(train, "make_strategy", lambda name: types.SimpleNamespace(num_replicas_in_sync=2))
    # Two halves on each of two devices.
    result = run_train(*EIGHT, f"--workdir={tmp_path / 'run'}", "--batch_size=6")
    assert_one_line(result, 2, "batch_size is 6", "2 device(s)", "a multiple of 4")
    assert not (tmp_path / "run").exists()


def test_an_older_file_means_the_defaults(finished, tmp_path) -> None:
    workdir, _ = finished
    settings = Run.read(workdir)
    older = {key: value for key, value in settings.settings.items() if key != "lambda_kl"}
    copy = tmp_path / "older"
    copy.symlink_to(workdir)
    original = (workdir / "config.json").read_text()
    try:
        dataclasses.replace(settings, settings=older).write(workdir)
        assert "nothing to do" in run_train(*EIGHT, f"--workdir={copy}", "--epochs=2").out
        assert_one_line(run_train(*EIGHT, f"--workdir={copy}", "--set=lambda_kl=0.5"), 2, "lambda_kl was 0.01, now 0.5")
    finally:
        (workdir / "config.json").write_text(original)


REFUSED = [
    (["--modle=bicyclegan"], ["unknown flag --modle", "did you mean --model?"]),
    (["--quux=1"], ["unknown flag --quux", "--checkpoint_minutes", "--set"]),
    (["bicyclegan"], ["unexpected 'bicyclegan'"]),
    (["--dataset=eight"], ["--model is missing", "bicyclegan"]),
    (["--model=cyclegun"], ["--model=cyclegun is unknown", "bicyclegan"]),
    (["--model=bicyclegan", "--dataset=nist"], ["--dataset=nist is unknown", "shapes", "folder"]),
    ([*EIGHT, "--set", "lambda=1"], ["unknown setting lambda", "lambda_l1"]),
    ([*EIGHT, "--set=decay_every=3"], ["decay_every has no effect with schedule=linear"]),
    ([*EIGHT, "--set", "lambda_l1"], ["lambda_l1", "key=value"]),
    ([*EIGHT, "--set", "latent_dim=many"], ["latent_dim=many", "int"]),
    ([*EIGHT, "--set", "schedule=zigzag"], ["schedule", "linear or step or cosine or constant"]),
    ([*EIGHT, "--set", "lambda_kl=nan"], ["lambda_kl", "float"]),
    ([*EIGHT, "--direction=b"], ["direction", "a_to_b or b_to_a"]),
    ([*EIGHT, "--image_size=huge"], ["image_size=huge", "int"]),
    ([*EIGHT, "--image_size=100"], ["image_size=100", "multiple of 32"]),
    ([*EIGHT, "--set=discriminator_layers=4"], ["image_size=32", "need 95 px"]),
    ([*EIGHT, "--batch_size=3"], ["batch_size=3", "even"]),
    ([*EIGHT, "--steps=0"], ["steps=0", "at least 1"]),
    ([*EIGHT, "--strategy=two"], ["strategy", "auto", "one", "mirrored"]),
    ([*EIGHT, "--checkpoint_minutes=-1"], ["checkpoint_minutes"]),
    ([*EIGHT, "--log_every=0"], ["log_every"]),
    ([*EIGHT, "--mixed_precision=perhaps"], ["mixed_precision"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSED, ids=[words[-1] for words, _ in REFUSED])
def test_mistakes_take_one_line_and_leave_nothing(words, parts, tmp_path) -> None:
    assert_one_line(run_train(*words, f"--workdir={tmp_path / 'run'}"), 2, *parts)
    assert not (tmp_path / "run").exists()


def test_a_data_set_of_the_wrong_kind_is_refused(monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch, EightPictures(kind="unpaired"))
    result = run_train(*EIGHT, f"--workdir={tmp_path / 'run'}")
    assert_one_line(result, 2, "bicyclegan learns from paired images", "eight has unpaired ones", "shapes")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_stops_the_run(eagerly, tmp_path) -> None:
    words = [*EIGHT, f"--workdir={tmp_path / 'run'}", "--set", "learning_rate=1e30", "--sample_every=0"]
    result = run_train(*words, "--checkpoint_minutes=0")
    # The first losses are those of the initial weights, so the step after it fails, or the weights' check before it.
    assert result.code == 1 and result.err.count("\n") == 1, result
    assert "step 1" in result.err or "step 2" in result.err
    assert "not finite" in result.err or " is nan" in result.err or " is inf" in result.err
    assert "there is no checkpoint before it" in result.err or "last good checkpoint" in result.err


def test_ctrl_c_saves_and_says_how_to_go_on(eagerly, monkeypatch, tmp_path) -> None:
    class Interrupting(EightPictures):
        reads = 0

        def __getitem__(self, index: int) -> dict[str, np.ndarray]:
            self.reads += 1
            if self.reads == 12:
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(index)

    use_eight_pictures(monkeypatch, Interrupting())
    handler = signal.getsignal(signal.SIGINT)
    result = run_train(*EIGHT, f"--workdir={tmp_path / 'run'}", "--sample_every=0")
    assert result.code == 130, result
    step = latest_step(tmp_path / "run")
    assert 0 < step < 800
    assert result.out.splitlines()[-1] == (
        f"stopped by SIGINT at step {step}, saved; the same command goes on from there"
    )
    assert signal.getsignal(signal.SIGINT) is handler


def test_bad_files_are_skipped_or_refused(eagerly, monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch, EightPictures(bad=(0, 2, 3, 5, 7)))
    workdir = tmp_path / "half"
    result = run_train(*EIGHT, f"--workdir={workdir}", "--sample_every=0", "--epochs=3")
    assert result.code == 2, result
    warning, error = result.err.splitlines()
    assert warning.startswith("warning: bad files are skipped") and "skipped_files.txt" in warning
    assert error.startswith("error: 5 of 8 examples are bad")
    listed = (workdir / "skipped_files.txt").read_text().splitlines()
    assert sorted(listed) == [f"{index}.png\ttruncated" for index in (0, 2, 3, 5, 7)]


def test_an_empty_data_set(monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch, EightPictures(count=0))
    assert_one_line(run_train(*EIGHT, f"--workdir={tmp_path / 'run'}"), 2, "no examples")
    assert not (tmp_path / "run").exists()


def test_help_lists_flags_settings_and_data_sets() -> None:
    result = run_train("--model=bicyclegan", "--help")
    assert (result.code, result.err) == (0, "")
    for word in ("--model", "--checkpoint_minutes", "minutes", "--set", "key=value", "--sample_every"):
        assert word in result.out
    for name, definition in DATASETS.items():
        assert f"  {name} " in result.out and definition.description[:30] in result.out
    for field in dataclasses.fields(MODELS["bicyclegan"].config_class):
        assert f"  {field.name} " in result.out
    assert "default: 10.0" in result.out
    assert max(map(len, result.out.splitlines())) <= 120


def test_json_of_the_run_is_plain(finished) -> None:
    workdir, _ = finished
    record = json.loads((workdir / "config.json").read_text())
    assert set(record) == {field.name for field in dataclasses.fields(Run)}
    assert np.isfinite(record["settings"]["learning_rate"])
    assert pathlib.Path(workdir, "config.json").read_text().endswith("}\n")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["steps=8"], None),
        (["steps=9", "pretrain_epochs=2"], "pretrain_epochs=2: the discriminator takes part from step 9 on"),
        (["steps=8", "pretrain_epochs=2"], "warning: pretrain_epochs=2 are 8 steps and the run has 8: "),
        (["epochs=1", "pretrain_epochs=9"], "warning: pretrain_epochs=9 are 36 steps and the run has 4: "),
    ],
)
def test_it_says_when_the_discriminator_joins_and_when_it_never_does(settings, line, monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch, EightPictures(kind="single"))
    monkeypatch.setattr(train, "train", lambda *_, **__: 0)
    words = [word for setting in settings for word in ("--set", setting)]
    result = run_train("--model=colorization", "--dataset=eight", f"--workdir={tmp_path / 'run'}", *words)
    assert result.code == 0, result
    last = result.out.splitlines()[-1]
    assert (line is None) == ("discriminator " not in last) and last.startswith(line or "  ")
