"""Checks while a model learns: that they change nothing of a run, and what they leave in its folder."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import killed_while_checking
import numpy as np
import pytest
import tensorflow as tf
from checked_models import checker
from small_run import small
from tiny_runs import EightPictures, assert_one_line, run_train, use_eight_pictures

from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.errors import UserError
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.training import health
from gan_zoo.training.checks import FirstExamples
from gan_zoo.training.health_log import read_lines
from gan_zoo.training.validation import Validation

TESTS = pathlib.Path(__file__).parents[1]
PIX2PIX = ["--model=pix2pix", "--dataset=eight", "--steps=8", "--log_every=1", "--sample_every=0"]
CHECKED = [*PIX2PIX, "--evaluate_every=1"]


def arrays(workdir: pathlib.Path, checkpoint: str) -> dict[str, bytes]:
    """All that was learnt and remembered, as bytes."""
    reader = tf.train.load_checkpoint(str(workdir / "checkpoints" / checkpoint))
    names = reader.get_variable_to_shape_map()
    ignored = ("save_counter", "run/", "_CHECKPOINTABLE_OBJECT_GRAPH")
    return {name: reader.get_tensor(name).tobytes() for name in names if not name.startswith(ignored)}


def warnings_in(out: str) -> list[str]:
    return [text for text in out.splitlines() if text.startswith("warning")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of the same eight steps: without checks, with them, and killed at a check and gone on with."""
    folder = tmp_path_factory.mktemp("runs")
    unchecked, checked, killed = (folder / name for name in ("unchecked", "checked", "killed"))
    seen = {}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "training" / "killed_while_checking.py"), str(killed), "6", *CHECKED],
        env=environment,
    )
    with pytest.MonkeyPatch.context() as patch:
        use_eight_pictures(patch)
        patch.setattr(health, "FIRST_STEPS", killed_while_checking.FIRST_STEPS)
        seen["unchecked"] = run_train(*PIX2PIX, "--evaluate_every=0", f"--workdir={unchecked}")
        seen["checked"] = run_train(*CHECKED, f"--workdir={checked}")
        seen["killed"] = child.wait(timeout=240), read_lines(killed), best_record(killed)
        seen["resumed"] = run_train(*CHECKED, f"--workdir={killed}")
    return folder, seen


def test_checks_change_nothing_of_what_is_learnt(runs) -> None:
    folder, seen = runs
    assert seen["unchecked"].code == seen["checked"].code == 0, seen
    assert arrays(folder / "unchecked", "step-8") == arrays(folder / "checked", "step-8")
    assert not (folder / "unchecked" / "health.jsonl").exists() and best_record(folder / "unchecked") is None
    assert len(read_lines(folder / "checked")) == 8


def test_a_killed_run_says_and_logs_what_one_left_alone_does(runs) -> None:
    folder, seen = runs
    code, lines, best = seen["killed"]
    # It had said what is so at three checks from the fourth step on, and saved the fifth, a best one.
    assert code == -signal.SIGKILL and [each["step"] for each in lines] == [1, 2, 3, 4, 5, 6]
    assert list(lines[-1]["warnings"]) == ["mode_collapse", "colours_fading"] and best["step"] == 5
    resumed, checked = seen["resumed"], seen["checked"]
    assert resumed.code == 0 and "going on after step 5 of 8" in resumed.out, resumed
    collapse, fading = sentences = warnings_in(checked.out)
    assert collapse.startswith("warning at step 6: mode collapse: translations of different inputs differ by ")
    assert fading.startswith("warning at step 6: the colours are fading: ")
    assert warnings_in(resumed.out) == sentences
    for name in ("health.jsonl", "checkpoints/best/best.json"):
        assert (folder / "killed" / name).read_bytes() == (folder / "checked" / name).read_bytes()
    step = best_record(folder / "checked")["step"]
    for checkpoint in ("step-8", f"best/step-{step}"):
        assert arrays(folder / "killed", checkpoint) == arrays(folder / "checked", checkpoint)


def test_figures_are_in_the_log_in_tensorboard_and_on_the_progress_line(runs) -> None:
    folder, seen = runs
    lines = read_lines(folder / "checked")
    values = {each["step"]: each["figures"]["l1"]["value"] for each in lines}
    best = min(values, key=values.get)
    assert best_record(folder / "checked") == {"step": best, "metric": "l1", "value": values[best]}
    logged = {}
    for path in (folder / "checked" / "logs").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.tag.startswith("validation/"):
                    logged.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    assert {"validation/l1", "validation/psnr", "validation/ssim", "validation/colourfulness"} <= logged.keys()
    assert logged["validation/l1"] == pytest.approx(values, rel=1e-6)
    progress = [text for text in seen["checked"].out.splitlines() if text.startswith("epoch ")]
    assert "validation" not in progress[0]
    for step, text in enumerate(progress[1:], start=1):
        assert f"  validation l1 {values[step]:.3g}  " in text
    measures = lines[-1]["measures"]
    assert measures["translators"]["translate"]["l1"] == pytest.approx(values[8], rel=1e-12)
    assert measures["discriminator_losses"].keys() == {"discriminator_real", "discriminator_fake"}
    assert measures["gradient_norms"].keys() == {"generator", "discriminator"}
    assert all(norm > 0 for norm in measures["gradient_norms"].values())


def test_a_mark_that_was_missed_is_made_at_the_start(runs, tmp_path) -> None:
    marked = []

    class Spy:
        def mark_best(self, *arguments) -> None:
            marked.append(arguments)

    lines = read_lines(runs[0] / "checked")[:3]
    (tmp_path / "health.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    best = min(lines, key=lambda each: each["figures"]["l1"]["value"])
    for start_step in (3, 5):
        callback = checker(small("pix2pix"), tmp_path, start_step, checkpoints=Spy())
        callback.on_train_begin()
    assert marked == ([(3, "l1", best["figures"]["l1"]["value"])] if best["step"] == 3 else [])
    assert callback.last == ("l1", lines[-1]["figures"]["l1"]["value"])


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--evaluate_every=-1"], ["evaluate_every"]),
        (["--best_metric=l1", "--evaluate_every=0"], ["--best_metric=l1 needs checks", "--evaluate_every"]),
        (["--best_metric=beauty"], ["--best_metric=beauty", "psnr, ssim, l1"]),
        (["--best_metric=colourfulness"], ["--best_metric=colourfulness", "psnr, ssim, l1, or none"]),
        (["--best_metric=fid_clean"], ["--best_metric=fid_clean", "psnr, ssim, l1"]),
        (["--best_metric=kl"], ["--best_metric=kl", "encodes the truth"]),
    ],
)
def test_mistakes_take_one_line_before_anything_is_made(words, parts, monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch)
    assert_one_line(run_train(*PIX2PIX, f"--workdir={tmp_path / 'run'}", *words), 2, *parts)
    assert not (tmp_path / "run").exists()


def test_the_figure_of_the_best_checkpoint() -> None:
    models = {name: small(name).translators for name in ("bicyclegan", "cyclegan")}
    for name, given, expected in (
        ("bicyclegan", None, "l1"),
        ("bicyclegan", "psnr_y", "psnr_y"),  # no default one
        ("bicyclegan", "none", None),
        ("cyclegan", None, "a_to_b/cycle_psnr"),
        ("cyclegan", "cycle_psnr", "a_to_b/cycle_psnr"),
        ("cyclegan", "b_to_a/cycle_psnr", "b_to_a/cycle_psnr"),
    ):
        assert Validation(models[name], given).best_metric == expected
    with pytest.raises(UserError, match="--best_metric=l1: the metric l1 needs the truth"):
        Validation(models["cyclegan"], "l1")
    translators = small("pix2pix", target_channels=4).translators
    assert Validation(translators).best_metric == "l1" and Validation(translators, "l1_alpha").best_metric == "l1_alpha"


def test_pictures_with_alpha_are_checked_as_they_are_seen_on_white() -> None:
    source = EightPictures(size=32)
    pictures = [source[index]["target_image"] for index in range(8)]
    alpha = [np.full_like(picture[..., :1], 60 * (index % 4)) for index, picture in enumerate(pictures)]
    rgba = [np.concatenate(pair, -1) for pair in zip(pictures, alpha, strict=True)]
    source = [{"input_image": picture, "target_image": picture} for picture in rgba]
    model = small("pix2pix", input_channels=4, target_channels=4)
    batches = evaluation_batches(source, model.config, batch_size=4)
    found, _, refused = Validation(model.translators)(batches, None)
    assert not refused and {"psnr", "ssim", "l1", "l1_alpha", "colourfulness"} <= found.keys()
    for name, figure in found.items():
        assert figure.protocol.endswith("RGBA on white") == (name != "l1_alpha"), name


def test_images_too_small_for_a_metric_cost_its_figure_and_not_the_run() -> None:
    model = small("pix2pix", preprocess="none", batch_size=1, generator_type="resnet", discriminator_type="pixel")
    batches = evaluation_batches(EightPictures(size=8), model.config, batch_size=1, size_multiple=4)
    figures, measures, refused = Validation(model.translators)(batches, None)
    assert "l1" in figures and "ssim" not in figures  # whose window has 11 pixels
    assert "l1" not in refused and "11" in refused["ssim"]
    assert measures["translate"]["l1"] == pytest.approx(figures["l1"].value)


def test_the_first_examples_whatever_the_batches() -> None:
    for size in (1, 3, 16, 20):
        batches = [{"example_index": np.arange(start, min(start + size, 20))} for start in range(0, 20, size)]
        indices = [batch["example_index"].tolist() for batch in FirstExamples(batches, 16)]
        assert [index for of_one in indices for index in of_one] == list(range(16)) and max(map(len, indices)) <= size
    assert len(list(FirstExamples([{"example_index": np.arange(3)}], 16))) == 1
