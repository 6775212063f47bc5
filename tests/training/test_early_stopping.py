"""Stopping early: by the lines of the checks alone, at the same step whatever happened to the run on its way."""

import dataclasses
import json
import shutil
import sys

import pytest
from scripted_colours import AB, EPOCH, Pictures, run
from small_run import small
from tiny_runs import assert_one_line, run_train, use_eight_pictures

from gan_zoo.errors import UserError
from gan_zoo.metrics.base import Figure
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.runs.checkpoints import latest_step
from gan_zoo.training.early_stopping import EarlyStopping, early_stopping
from gan_zoo.training.validation import Validation

SCRIPT = [0.3, 0.6, 0.9, 0.5, 0.4, 0.5, 0.4, 0.5]
STOP_AFTER_3 = {"intervals": {"early_stopping": 3}}


class Strength:
    """In place of `Validation`: how strong the colours are, read from the weights; no picture is translated."""

    best_metric, left_out, misleading = "colour_score", None, False

    def __init__(self, translators, best_metric, masks) -> None:
        (self._kernel,) = translators["translate"].networks["generator"].trainable_variables

    def __call__(self, batches, training_batches) -> tuple[dict[str, Figure], dict, dict]:
        value = float(self._kernel[0, 0, 0, 0]) / AB[0]
        figure = Figure(name=self.best_metric, value=value, better="higher", num_images=1, protocol="")
        return {self.best_metric: figure}, {"translate": {}}, {}


@pytest.fixture
def strength(monkeypatch) -> None:
    monkeypatch.setattr("gan_zoo.training.session.Validation", Strength)


def lines(values: list[float | None], better: str = "higher") -> list[dict]:
    """Checks at steps 10, 20 ...; None where the figure could not be computed."""
    return [
        {"step": 10 * number, "figures": {"score": {"value": value, "better": better}}}
        for number, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize(
    ("values", "better", "settled_step", "stops"),
    [
        ([0.1, 0.3, 0.2, 0.2], "higher", 0, True),
        ([0.1, 0.3, 0.2], "higher", 0, False),
        ([0.1, 0.3, 0.2, 0.4], "higher", 0, False),
        ([0.3, 0.3, 0.3], "higher", 0, True),  # as good as the best is no new best
        ([0.3, 0.2, 0.1], "lower", 0, False),
        ([0.1, 0.3, 0.2], "lower", 0, True),
        ([0.3, None, 0.2, None], "higher", 0, False),
        ([0.3, None, 0.2, None, 0.1], "higher", 0, True),
        ([None, None, None], "higher", 0, False),
        ([], "higher", 0, False),
        ([0.9, 0.9, 0.1, 0.05], "higher", 20, False),  # the check at the very step still shows what was before
        ([0.9, 0.9, 0.1, 0.2, 0.15, 0.1], "higher", 20, True),  # nor is it the bar
        ([0.9, 0.9, 0.1, 0.2, 0.3, 0.4], "higher", 20, False),
        ([0.9, 0.9, None, None], "higher", 20, False),
    ],
)
def test_two_checks_in_a_row_without_a_new_best(values, better, settled_step, stops) -> None:
    rule = EarlyStopping(metric="score", patience=2, settled_step=settled_step)
    reason = rule.reason(lines(values, better), None)
    assert (reason is not None) == stops
    # At no earlier check.
    assert not any(rule.reason(lines(values[:count], better), None) for count in range(len(values)))


def test_the_best_checkpoint_is_named_where_it_is_the_one_that_is_meant() -> None:
    of_all = EarlyStopping(metric="score", patience=2)
    settled = EarlyStopping(metric="score", patience=2, settled_step=10)
    checks = lines([0.9, 0.3, 0.2, 0.1])

    def said(rule: EarlyStopping, marked: dict | None) -> str:
        begin, end = "no new best of score in ", "; --early_stopping=0, or a larger number, goes on"
        reason = rule.reason(checks, marked)
        assert reason.startswith(begin) and reason.endswith(end)
        return reason[len(begin) : -len(end)]

    assert said(of_all, {"step": 10}) == "3 checks, it is 0.9 at step 10 (--checkpoint=best)"
    assert said(of_all, None) == "3 checks, it is 0.9 at step 10"
    assert said(settled, {"step": 10}) == "2 checks, it is 0.3 at step 20"


def test_a_run_stops_says_why_and_stays_stopped(strength, tmp_path) -> None:
    code, said = run(tmp_path, SCRIPT, **STOP_AFTER_3)
    best = best_record(tmp_path)
    assert code == 0 and latest_step(tmp_path) == 6 and best["step"] == 3
    reason = (
        f"no new best of colour_score in 3 checks, it is {best['value']:.4g} at step 3 (--checkpoint=best); "
        "--early_stopping=0, or a larger number, goes on"
    )
    assert said[-1] == f"stopped early at step 6 of 8, saved: {reason}"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run(tmp_path, SCRIPT, **STOP_AFTER_3) == (0, [f"nothing to do: {tmp_path} is at step 6 of 8: {reason}"])
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, said = run(tmp_path, SCRIPT, intervals={"early_stopping": 4})
    assert code == 0 and said[-1].startswith("stopped early at step 7 of 8, saved: no new best of colour_score in 4 ")
    code, said = run(tmp_path, SCRIPT)
    assert code == 0 and said[-1].startswith("done: 8 steps")


def test_a_run_killed_right_after_its_last_checkpoint_is_finished(strength, tmp_path) -> None:
    script = [0.3, 0.4, 0.5, 0.6]
    workdir, checkpoints = tmp_path, tmp_path / "checkpoints"
    intervals = {"keep_every": 1}
    run(workdir, script, intervals=intervals)
    record = best_record(workdir)
    kept = sorted(path.name for path in (checkpoints / "kept").iterdir())
    assert record["step"] == 4 and len(kept) == 2
    for folder in ("kept", "best"):
        shutil.rmtree(checkpoints / folder)
    code, said = run(workdir, script, intervals=intervals)
    assert code == 0 and said == [f"nothing to do: {workdir} is at step 4 of 4: more --epochs or --steps go on"]
    assert best_record(workdir) == record
    assert sorted(path.name for path in (checkpoints / "kept").iterdir()) == kept


def test_a_resumed_run_stops_where_one_left_alone_does(strength, tmp_path) -> None:
    alone, pieces, killed = (tmp_path / name for name in ("alone", "pieces", "killed"))
    run(alone, SCRIPT, **STOP_AFTER_3)
    for workdir, first in ((pieces, 5), (killed, 4)):
        run(workdir, SCRIPT[:first], **STOP_AFTER_3)
    # The next check was logged, and the machine died before its checkpoint.
    log = (alone / "health.jsonl").read_text().splitlines(keepends=True)
    assert [json.loads(line)["step"] for line in log] == [1, 2, 3, 4, 5, 6]
    (killed / "health.jsonl").write_text("".join(log[:5]))
    for workdir in (pieces, killed):
        code, said = run(workdir, SCRIPT, **STOP_AFTER_3)
        assert code == 0 and said[-1].startswith("stopped early at step 6 of 8")
        assert (workdir / "health.jsonl").read_text() == "".join(log)


def test_checks_before_all_losses_take_part_do_not_count(strength, tmp_path) -> None:
    script = [0.9, 0.5, 0.5, 0.5, 0.3, 0.4, 0.3, 0.3, 0.3, 0.3]
    for settled_epoch, stop, best in ((0, 4, "0.9 at step 1 (--checkpoint=best)"), (1, EPOCH + 5, "0.4 at step 6")):
        workdir = tmp_path / str(settled_epoch)
        _, said = run(workdir, script, model={"settled_epoch": settled_epoch}, **STOP_AFTER_3)
        assert latest_step(workdir) == stop and f"in 3 checks, it is {best}; " in said[-1]
        assert best_record(workdir)["step"] == 1
    assert small("colorization", pretrain_epochs=3).settled_epoch == 3


def test_a_figure_that_misleads_or_is_not_there_is_refused(monkeypatch, tmp_path) -> None:
    colorization, pix2pix = small("colorization").translators, small("pix2pix").translators
    for name in ("l1", "psnr", "ssim"):
        with pytest.raises(UserError, match=f"--early_stopping=2: a dull brown is nearer .* {name} would stop"):
            early_stopping(2, Validation(colorization, name), 0)
        assert early_stopping(2, Validation(pix2pix, name), 0).metric == name
    assert early_stopping(2, Validation(colorization, "region_agreement"), 5).settled_step == 5
    assert early_stopping(0, None, 0) is None
    with pytest.raises(UserError, match="needs a figure: give --best_metric one that is not none"):
        early_stopping(2, Validation(colorization, "none"), 0)
    use_eight_pictures(monkeypatch)
    words = ["--model=colorization", "--dataset=eight", f"--workdir={tmp_path / 'run'}", "--early_stopping=2"]
    assert_one_line(run_train(*words, "--evaluate_every=0"), 2, "--early_stopping=2 needs checks")
    for module in ("skimage", "skimage.measure", "skimage.segmentation"):
        monkeypatch.setitem(sys.modules, module, None)
    parts = ["--early_stopping=2 needs a figure: the checks leave out", "colour_score", "pip install"]
    assert_one_line(run_train(*words), 2, *parts)
    assert not (tmp_path / "run").exists()


def test_where_there_is_no_figure_to_stop_by_it_is_said_once(tmp_path) -> None:
    code, said = run(tmp_path, [0.5] * 4, sample_source=Pictures(count=1), **STOP_AFTER_3)
    assert code == 0 and latest_step(tmp_path) == 4 and best_record(tmp_path) is None
    (sentence,) = [line for line in said if "colour_score" in line]
    assert sentence == (
        "no colour_score at step 1, so no checkpoint is marked as the best, and --early_stopping cannot act: "
        "colour_score needs two images whose truth has several regions, and not the same ones"
    )


def test_what_misleads_is_a_matter_of_colours_and_not_of_metrics() -> None:
    colorization, pix2pix = (small(name).translators["translate"] for name in ("colorization", "pix2pix"))
    bare = dataclasses.replace(colorization, metrics=())
    measured = dataclasses.replace(pix2pix, metrics=("ab_spread",))
    assert Validation({"translate": bare}, "l1").misleading
    assert not Validation({"translate": measured}, "l1").misleading
