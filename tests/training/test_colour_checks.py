"""Checks of a colorization while it learns: by what a step is the best one, and what is said without scikit-image."""

import sys

import numpy as np
import pytest
from coloured_pictures import BROWN, colorized, fields
from scripted_colours import AB, EPOCH, Pictures, ScriptedColours, run, settings
from small_run import small
from tiny_runs import assert_one_line, run_train

import train
from gan_zoo.evaluation.measuring import evaluate
from gan_zoo.evaluation.output import Settings
from gan_zoo.evaluation.runs import Direction, NamedFiles
from gan_zoo.metrics.base import Context, EvaluationBatch
from gan_zoo.metrics.region_agreement import agreement
from gan_zoo.metrics.regions import regions_of_image, regions_of_mask
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.training.checks import check_in_words
from gan_zoo.training.health_log import read_lines
from gan_zoo.training.validation import Validation


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


def test_checks_measure_against_label_masks_where_there_are_some(tmp_path) -> None:
    run(tmp_path, [0.3, 1.0], sample_source=Pictures(masks=True))
    first, second = (line["figures"] for line in read_lines(tmp_path))
    ceiling = second["mask_agreement/ceiling"]["value"]
    assert first["mask_agreement"]["value"] < second["mask_agreement"]["value"] == pytest.approx(ceiling, abs=0.02)


def test_a_check_at_the_end_of_each_data_epoch_says_what_it_found(tmp_path) -> None:
    script = [0.1, 0.2, 0.3, 0.8, 0.7, 0.6, 0.5, 0.4]
    code, said = run(tmp_path, script, intervals={"evaluate_every": "epoch"})
    checked = {line["step"]: line["figures"] for line in read_lines(tmp_path)}
    assert code == 0 and list(checked) == [4, 8]
    values = {step: {name: each["value"] for name, each in figures.items()} for step, figures in checked.items()}
    expected = []
    for step, beside in ((4, "the best so far"), (8, f"best {values[4]['colour_score']:.4g} at step 4")):
        of = values[step]
        expected.append(
            f"check at step {step}, epoch {step // EPOCH}: colour_score {of['colour_score']:.4g} ({beside}), "
            f"{of['colourfulness/ratio']:.2f} of the truth's colourfulness, "
            f"{of['ab_spread/ratio']:.2f} of its ab spread, "
            f"region agreement {of['region_agreement']:.3f} (floor {of['region_agreement/floor']:.3f})"
        )
    assert [line for line in said if line.startswith("check")] == expected


def test_a_check_says_what_there_is() -> None:
    def lines(*values: float | None) -> list[dict]:
        figures = ({"l1": {"value": value, "better": "lower"}} for value in values)
        return [{"step": 10 * number, "figures": each} for number, each in enumerate(figures, 1)]

    assert check_in_words({"l1": 0.2}, "l1", lines(0.1, 0.2)) == "l1 0.2 (best 0.1 at step 10)"
    assert check_in_words({"l1": 0.1}, "l1", lines(0.1, 0.1)) == "l1 0.1 (best 0.1 at step 10)"
    assert check_in_words({"l1": 0.05}, "l1", lines(0.1, 0.05)) == "l1 0.05 (the best so far)"
    assert check_in_words({"l1": None}, "l1", lines(0.1, None)) == check_in_words({"l1": 0.1}, None, lines(0.1)) == ""


def test_the_flags_of_epochs(tmp_path) -> None:
    def kept(*words: str) -> int:
        values = train.define_flags()
        values(["train.py", *words])
        return train.checkpoints_kept(values)

    assert [kept(), kept("--keep_every=3"), kept("--keep_every_epoch")] == [0, 3, 1]
    assert kept("--keep_every_epoch", "--keep_every=1") == 1
    assert [train.checks_every(text) for text in ("0", "250", "epoch")] == [0, 250, "epoch"]
    workdir = f"--workdir={tmp_path / 'run'}"
    assert_one_line(run_train("--model=pix2pix", workdir, "--evaluate_every=often"), 2, "number of steps", "epoch")
    assert_one_line(
        run_train("--model=pix2pix", workdir, "--keep_every_epoch", "--keep_every=2"), 2, "give one of them"
    )


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


def test_guessed_colours_are_ranked_by_where_they_end_and_not_by_their_distance_from_the_truth() -> None:
    labs = [fields(index) for index in range(4)]
    truth = np.stack([colorized(lab, lab[..., 1:]) for lab in labs])
    brown = np.stack([colorized(lab, np.array(BROWN)) for lab in labs[:2]])
    vivid = np.stack([colorized(lab, -lab[..., 1:]) for lab in labs[2:]])  # the opposite hues, in their places
    batch = EvaluationBatch(names=list("abcd"), outputs=np.concatenate([brown, vivid]), targets=truth)
    for names, best in ((["l1"], {"a", "b"}), (["l1", "region_agreement"], {"c", "d"})):
        gallery = evaluate(lambda _: [batch], names, Context(), gallery_size=2).galleries["images"]
        assert gallery.ranked_by == names[-1] and {row.name for row in gallery.best} == best


def test_an_evaluation_measures_against_the_masks_of_a_data_set_that_has_some() -> None:
    def direction(source, names=None) -> Direction:
        about = {"dataset": "pictures", "split": "val"}
        same = {"model": model, "name": "translate", "about": about, "bad": NamedFiles(), "kept": {}}
        return Direction(source=source, settings=Settings(names=names, batch_size=3), **same)

    model = ScriptedColours(settings())
    model.generator.trainable_variables[0].assign(np.reshape(AB, [1, 1, 1, 2]))
    assert "mask_agreement" not in direction(Pictures()).names
    assert {"mask_agreement", "colour_score"} <= set(direction(Pictures(masks=True)).names)
    figures = direction(Pictures(masks=True, bad=(0, 3)), ["mask_agreement"]).evaluate({}).figures
    expected = []
    for index in (1, 2, 4, 5, 6, 7):
        picture = Pictures(masks=True)[index]
        regions = regions_of_image(picture["target_image"])
        expected.append(agreement(regions, regions_of_mask(picture["mask"][..., 0])).rand_index)
    # The colours are the truth's, whose own agreement is the ceiling; a level of rounding may move a region by a pixel.
    assert figures["mask_agreement/ceiling"].value == pytest.approx(np.mean(expected), abs=1e-9)
    assert figures["mask_agreement"].value == pytest.approx(np.mean(expected), abs=0.02)
    assert figures["mask_agreement"].num_images == 6 and 0.2 < np.mean(expected) < 0.99
