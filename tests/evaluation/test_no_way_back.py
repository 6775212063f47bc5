"""A model with neither a truth nor a way back, CUT: what is measured of it, shown of it and refused, everywhere."""

import numpy as np
import pytest
from evaluate_run import figures, read_record, run_evaluate
from small_run import picture, run_translate, save_run, small
from tiny_models import noise_batch
from tiny_runs import EightPictures, definition

import gan_zoo
from datasets import DATASETS
from gan_zoo.errors import UserError
from gan_zoo.images import encode_png
from gan_zoo.training.early_stopping import early_stopping
from gan_zoo.training.samples import sample_grid
from gan_zoo.training.validation import Validation


@pytest.fixture(scope="module")
def model():
    return small("cut")


@pytest.fixture(scope="module")
def workdir(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    save_run(folder, model, name="cut")
    return folder


def test_it_is_evaluated_by_what_there_is(workdir, monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(DATASETS, "eight", definition(EightPictures(count=6)))
    cheap = "--metrics=colourfulness,identity_distance"
    result = run_evaluate(f"--workdir={workdir}", "--dataset=eight", cheap, f"--output={tmp_path}")
    assert (result.code, result.err) == (0, ""), result
    assert "cut on eight, split val: 6 images for translate" in result.out
    record = read_record(tmp_path)
    values = figures(record)
    assert {"colourfulness", "identity_distance"} <= values.keys() and 0 < values["identity_distance"] < 1
    assert len(record["values"]["identity_distance"]) == 6
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<figcaption>output</figcaption>" in page and "cycled" not in page
    for name in ("cycle_psnr", "l1"):
        result = run_evaluate(f"--workdir={workdir}", "--dataset=eight", f"--metrics={name}", f"--output={tmp_path}")
        needs = {"cycle_psnr": "a model that knows a way back", "l1": "the truth of each output"}[name]
        assert result.code == 2 and needs in result.err and result.err.count("\n") == 1


def test_checks_have_figures_but_none_that_is_best(model) -> None:
    validation = Validation(model.translators)
    assert validation.best_metric is None and Validation(model.translators, "none").best_metric is None
    batch = noise_batch(model.config)
    found, measures, refused = validation([batch], None)
    assert {"colourfulness", "identity_distance"} <= found.keys() and not refused
    assert "l1" not in measures["translate"] and "output_distance" in measures["translate"]
    outputs = model.generator(batch["input_image"])
    moved = np.abs(outputs - batch["input_image"]).mean() / 2
    assert found["identity_distance"].value == pytest.approx(moved, abs=1 / 255)
    for name in ("identity_distance", "colourfulness"):
        with pytest.raises(UserError, match=rf"--best_metric={name}: no figure of this model's checks says which"):
            Validation(model.translators, name)
    with pytest.raises(UserError, match="--best_metric=l1: the metric l1 needs the truth"):
        Validation(model.translators, "l1")
    with pytest.raises(UserError, match="--early_stopping=3 needs a figure: no figure of this model's checks"):
        early_stopping(3, validation, 0)


def test_pictures_of_it_show_no_way_back(model, workdir, capsys, tmp_path) -> None:
    batch = noise_batch(model.config)
    side = model.config.image_size
    grid = sample_grid(model.translators["translate"], batch, seed=0)
    assert grid.shape[1] < 3 * side  # input and output
    (tmp_path / "a.png").write_bytes(encode_png(picture(33, 30)))
    words = (f"--workdir={workdir}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}")
    code, _, err = run_translate(capsys, *words, "--cycle")
    assert code == 2 and "--cycle" in err and "knows no way back" in err and err.count("\n") == 1
    code, _, err = run_translate(capsys, *words)
    assert (code, err) == (0, "") and (tmp_path / "out" / "a_translation.png").exists()
    zoo = gan_zoo.load(workdir)
    assert zoo.translate(picture(20, 24)).shape == (20, 24, 3)
    with pytest.raises(UserError, match="knows no way back"):
        zoo.cycle(picture(20, 24))
