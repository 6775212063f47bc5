"""Checks of a colorization while it learns: by what a step is the best one, and what is said without scikit-image."""

import sys

import numpy as np
import pytest
from scripted_colours import Pictures, run
from small_run import small

from gan_zoo.checkpoint_files import best_record
from gan_zoo.evaluation import evaluate
from gan_zoo.health_log import read_lines
from gan_zoo.metrics.base import Context, EvaluationBatch
from gan_zoo.validation import Validation


@pytest.fixture
def no_scikit_image(monkeypatch) -> None:
    for module in ("skimage", "skimage.measure", "skimage.segmentation"):
        monkeypatch.setitem(sys.modules, module, None)


def test_the_best_step_has_the_best_colours(tmp_path) -> None:
    code, _ = run(tmp_path, [0.3, 1.3, 0.9, 0.2])
    lines = read_lines(tmp_path)
    scores = [line["figures"]["colour_score"]["value"] for line in lines]
    assert code == 0 and best_record(tmp_path) == {"step": 3, "metric": "colour_score", "value": scores[2]}
    assert sorted(scores) == [scores[3], scores[0], scores[1], scores[2]]
    assert {"region_agreement", "region_agreement/floor", "colourfulness/ratio"} <= lines[0]["figures"].keys()
    ratios = [line["figures"]["ab_spread/ratio"]["value"] for line in lines]
    # Rounding to uint8 moves the ab of a pixel by about 0.5, of a spread of about 20.
    assert ratios == pytest.approx([0.3, 1.3, 0.9, 0.2], abs=0.02)


def test_each_model_has_its_own_figure_and_the_user_the_last_word() -> None:
    colorization, pix2pix = small("colorization").translators, small("pix2pix").translators
    assert Validation(colorization).best_metric == "colour_score"
    assert Validation(colorization, "region_agreement").best_metric == "region_agreement"
    assert Validation(colorization, "l1").best_metric == "l1"
    assert Validation(colorization, "none").best_metric is None
    assert Validation(pix2pix).best_metric == "l1" and Validation(pix2pix).left_out is None
    assert Validation(pix2pix, "colour_score").best_metric == "colour_score"


def test_without_scikit_image_a_run_goes_on_and_says_what_is_left_out(no_scikit_image, tmp_path) -> None:
    code, said = run(tmp_path, [0.5, 1.0])
    assert code == 0
    (sentence,) = [line for line in said if "scikit-image" in line]
    assert sentence.startswith(
        "the checks leave out region_agreement, colour_score, and no checkpoint is marked as the best: regions need "
        "scikit-image, which is not installed: pip install"
    )
    assert best_record(tmp_path) is None
    figures = read_lines(tmp_path)[-1]["figures"]
    assert {"l1", "colourfulness/ratio", "ab_spread/ratio"} <= figures.keys() and "colour_score" not in figures
    # Who asks for a figure that needs none has a best one.
    validation = Validation(small("colorization").translators, "l1")
    assert validation.best_metric == "l1"
    assert "leave out region_agreement, colour_score: regions need" in validation.left_out


def test_an_evaluation_without_scikit_image_lists_what_was_not_computed(no_scikit_image) -> None:
    truth = np.stack([Pictures()[index]["target_image"] for index in range(8)])
    batch = EvaluationBatch(names=list("abcdefgh"), outputs=truth, targets=truth)
    found = evaluate(lambda fields: [batch], ["l1", "region_agreement", "colour_score"], Context())
    assert found.figures.keys() == {"l1"}
    for name in ("region_agreement", "colour_score"):
        assert found.missing[name].startswith("not computed: regions need scikit-image, which is not installed")
