"""Region agreement: its two measures by hand, and the order in which it puts colorizations that are known."""

import sys

import numpy as np
import pytest
from coloured_pictures import BROWN, SIZE, colorized, drawings, fields

from gan_zoo.errors import UserError
from gan_zoo.metrics import build, choose
from gan_zoo.metrics.base import Context, EvaluationBatch
from gan_zoo.metrics.region_agreement import adjusted_rand_index, agreement, boundary_f_score
from gan_zoo.metrics.regions import joined, regions, regions_of_image, regions_of_mask, resized_labels

NUM_IMAGES = 6


def test_rand_index_by_hand() -> None:
    # Pairs of 4: both together 1, together in the first 2, in the second 1; expected 2 * 1 / 6, at most (2 + 1) / 2.
    first, second = np.array([[0, 0], [1, 1]]), np.array([[0, 0], [1, 2]])
    expected = (1 - 1 / 3) / (3 / 2 - 1 / 3)
    assert adjusted_rand_index(first, second) == pytest.approx(expected, abs=1e-12)
    assert adjusted_rand_index(second, first) == pytest.approx(expected, abs=1e-12)
    assert adjusted_rand_index(first, 1 - first) == 1.0  # what a region is called does not matter
    # Crossed halves: no pair is together in both: (0 - 2/3) / (2 - 2/3).
    assert adjusted_rand_index(first, first.T) == pytest.approx(-0.5, abs=1e-12)
    one = np.zeros((2, 2), np.int64)
    assert adjusted_rand_index(one, first) == 0.0
    assert adjusted_rand_index(one, one) == 1.0
    with pytest.raises(ValueError, match="one shape"):
        adjusted_rand_index(one, one[:1])


def test_boundaries_by_hand() -> None:
    columns = np.broadcast_to(np.arange(20), (10, 20))
    at_8 = (columns >= 8).astype(np.int64)
    assert boundary_f_score(at_8, at_8) == 1.0
    assert boundary_f_score((columns >= 10).astype(np.int64), at_8) == 1.0  # 2 pixels away
    assert boundary_f_score((columns >= 11).astype(np.int64), at_8) == 0.0  # 3
    # One more line, far away: half of what is predicted is true, all that is true is predicted.
    more = at_8 + (columns >= 15)
    assert boundary_f_score(more, at_8) == pytest.approx(2 / 3, abs=1e-12)
    assert boundary_f_score(at_8, more) == pytest.approx(2 / 3, abs=1e-12)
    # A precision and a recall that differ: a second line half as long gives 10 of 15 and 10 of 10.
    half = at_8.copy()
    half[:5] += columns[:5] >= 15
    half[4, 15:] = 2
    line = 5 + 5  # of the half line: its right side, and its end, which has boundary pixels below it
    assert boundary_f_score(half, at_8) == pytest.approx(2 * 10 / (10 + 10 + line), abs=1e-12)
    flat = np.zeros_like(at_8)
    assert boundary_f_score(flat, at_8) == boundary_f_score(at_8, flat) == 0.0
    assert boundary_f_score(flat, flat) == 1.0


def test_joining_goes_from_the_nearest_on_by_means_of_areas() -> None:
    labels = np.repeat([0, 1, 2, 3], [1, 3, 2, 2])[np.newaxis]
    ab = np.array([0.0, 1.0, 2.2, 9.0])[labels][..., np.newaxis] * [1.0, 0.0]
    # 0 and 1 make 0.75; 2.2 is now 1.45 from it, no longer 1.2.
    assert joined(ab, labels, 1.3)[0].tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert joined(ab, labels, 1.5)[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    # Equal colours that do not touch stay apart.
    assert joined(np.where(labels == 1, 9.0, 0.0)[..., None] * [1.0, 0.0], labels, 1.0).max() == 2


@pytest.mark.parametrize("photograph", [fields, drawings])
def test_the_truth_pale_colours_those_of_another_and_brown_come_in_this_order(photograph) -> None:
    labs = [photograph(index) for index in range(NUM_IMAGES)]
    truth = [regions_of_image(colorized(lab, lab[..., 1:])) for lab in labs]
    others = [labs[index - 1][..., 1:] for index in range(NUM_IMAGES)]
    colorizations = {
        "pale": [0.3 * lab[..., 1:] for lab in labs],
        "other": others,
        "brown": [np.array(BROWN)] * NUM_IMAGES,
    }
    scores = {
        name: np.mean(
            [agreement(regions_of_image(colorized(*pair)), of) for *pair, of in zip(labs, abs_, truth, strict=True)],
            axis=0,
        )
        for name, abs_ in colorizations.items()
    }
    assert all(agreement(of, of) == (1.0, 1.0) for of in truth)
    for pale, other, brown in zip(*scores.values(), strict=True):  # Rand index, boundary F
        # At least half of the way from another image's colours to the truth, and not all of it.
        assert (1 + other) / 2 < pale < 0.99
        assert other < 0.6
        assert brown <= other


def test_what_colour_a_region_has_does_not_matter_but_a_colour_that_runs_over_does() -> None:
    labs = [fields(index) for index in range(3)]
    turned = [agreement(regions(lab[..., 1:]), regions(lab[..., :0:-1] * [1.0, -1.0])) for lab in labs]
    assert np.min(turned) > 0.98  # a quarter of a turn of the hue; rounding alone may move a pixel
    moved = [agreement(regions(lab[..., 1:]), regions(np.roll(lab[..., 1:], 12, axis=1))) for lab in labs]
    assert np.max(moved) < 0.8


def test_flat_colour_is_one_region_and_rounding_is_no_region() -> None:
    assert regions(np.full((40, 30, 2), 20.0)).max() == 0
    grey = np.random.default_rng(0).integers(0, 256, (40, 30, 1), np.uint8).repeat(3, -1)
    assert regions_of_image(grey).max() == 0
    tinted = colorized(np.stack([np.linspace(40, 70, 48 * 64).reshape(48, 64)] * 3, -1), np.array(BROWN))
    assert np.ptp(tinted.astype(int)[..., 0]) > 50
    assert regions_of_image(tinted).max() == 0


def test_regions_repeat_and_are_of_at_most_256_px() -> None:
    lab = fields(3)
    first, again = regions(lab[..., 1:]), regions(lab[..., 1:])
    np.testing.assert_array_equal(first, again)
    assert sorted(np.unique(first)) == list(range(first.max() + 1))
    # A size that is cut in half: the same regions as of the small photograph, since each colour was only repeated.
    small = np.kron(colorized(lab, lab[..., 1:]), np.ones((2, 3, 1), np.uint8))  # 192x288
    large = small.repeat(2, 0).repeat(2, 1)
    assert regions_of_image(large).shape == (171, 256)
    assert agreement(regions_of_image(large), regions_of_image(small.repeat(4, 0).repeat(4, 1))).rand_index > 0.95


def test_masks_are_cut_into_their_pieces() -> None:
    mask = np.array([[7, 7, -1, 7], [-1, -1, -1, 7], [7, 0, 0, 0]])
    pieces = regions_of_mask(mask)
    assert pieces.tolist() == [[0, 0, 1, 2], [1, 1, 1, 2], [3, 4, 4, 4]]
    assert regions_of_mask(np.zeros((300, 600), np.uint8)).shape == (128, 256)
    assert resized_labels(np.arange(6)[np.newaxis], (2, 3)).tolist() == [[1, 3, 5]] * 2


def batch(outputs: list[np.ndarray], targets: list[np.ndarray], **more: np.ndarray) -> EvaluationBatch:
    return EvaluationBatch(
        names=list(map(str, range(len(outputs)))), outputs=np.stack(outputs), targets=np.stack(targets), **more
    )


def test_figures_beside_their_floor_and_ceiling_whatever_the_batches() -> None:
    labs = [fields(index) for index in range(3)]
    truth = [colorized(lab, lab[..., 1:]) for lab in labs]
    pale = [colorized(lab, 0.2 * lab[..., 1:]) for lab in labs]
    grey = np.full_like(truth[0], 90)  # nothing to agree with
    small = [image[:64, :48] for image in (pale[2], truth[2])]  # another size, in a batch of its own
    metric = build("region_agreement", Context())
    values = metric.update(batch([pale[0], pale[1], grey], [truth[0], truth[1], grey]))
    values = np.concatenate([values, metric.update(batch(small[:1], small[1:]))])
    figures = {figure.name: figure for figure in metric.figures()}

    of = [regions_of_image(image) for image in (truth[0], truth[1], small[1])]
    of_pale = [regions_of_image(image) for image in (pale[0], pale[1], small[0])]
    expected = {
        "": [agreement(one, true) for one, true in zip(of_pale, of, strict=True)],
        "floor": [agreement(resized_labels(of[index - 1], of[index].shape), of[index]) for index in range(3)],
        "ceiling": [(1.0, 1.0)] * 3,
    }
    for whose, agreements in expected.items():
        for measure, part in enumerate(("", "boundary_f")):
            figure = figures["/".join(filter(None, ["region_agreement", "_".join(filter(None, [part, whose]))]))]
            assert figure.value == pytest.approx(np.mean(agreements, axis=0)[measure], abs=1e-12)
            assert figure.num_images == 3
            assert figure.better == ("none" if whose else "higher")
    assert len(figures) == 6
    np.testing.assert_allclose(values, [expected[""][0][0], expected[""][1][0], np.nan, expected[""][2][0]], rtol=1e-12)
    assert figures["region_agreement"].note == f"floor: {figures['region_agreement/floor'].value:.3f}, ceiling: 1.000"
    assert metric.warnings == ["region_agreement: 1 of 4 images do not count: their truth is of one region"]


def test_masks_have_a_ceiling_of_their_own() -> None:
    lab = fields(0)
    image = colorized(lab, lab[..., 1:])
    mask = np.zeros((SIZE, SIZE), np.int32)
    mask[:, SIZE // 2 :] = 5
    metric = build("mask_agreement", Context())
    metric.update(batch([image], [image], masks=mask[np.newaxis]))
    figures = {figure.name: figure.value for figure in metric.figures()}
    expected = agreement(regions_of_image(image), regions_of_mask(mask))
    assert figures == {
        "mask_agreement": expected.rand_index,
        "mask_agreement/ceiling": expected.rand_index,
        "mask_agreement/boundary_f": expected.boundary_f,
        "mask_agreement/boundary_f_ceiling": expected.boundary_f,
    }
    assert expected.rand_index < 0.9

    # The floor: the regions of the other image's colours, not those of its mask, beside one's own mask.
    other = colorized(fields(1), fields(1)[..., 1:])
    rows = mask.T
    metric = build("mask_agreement", Context())
    metric.update(batch([image, other], [image, other], masks=np.stack([mask, rows])))
    figures = {figure.name: figure.value for figure in metric.figures()}
    floors = [
        agreement(regions_of_image(before), regions_of_mask(own)) for before, own in ((other, mask), (image, rows))
    ]
    assert figures["mask_agreement/floor"] == pytest.approx(np.mean(floors, axis=0)[0], abs=1e-12)
    assert figures["mask_agreement/boundary_f_floor"] == pytest.approx(np.mean(floors, axis=0)[1], abs=1e-12)
    with pytest.raises(UserError, match="mask_agreement needs label masks"):
        choose(["mask_agreement"], frozenset({"outputs", "targets"}), 3, False)


def test_without_an_image_that_counts_or_scikit_image_there_is_one_line(monkeypatch) -> None:
    metric = build("region_agreement", Context())
    grey = np.full((1, 32, 32, 3), 90, np.uint8)
    assert np.isnan(metric.update(EvaluationBatch(names=["0"], outputs=grey, targets=grey))).all()
    with pytest.raises(UserError, match="no image whose truth has several regions"):
        metric.figures()
    for module in ("skimage", "skimage.measure", "skimage.segmentation"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=r"scikit-image.*\[metrics\]"):
        build("region_agreement", Context())
