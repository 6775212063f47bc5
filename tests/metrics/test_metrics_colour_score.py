"""The score by which colorizations are ranked: its parts by hand, and the order of those whose rank is known."""

import numpy as np
import pytest
from coloured_pictures import BROWN, colorized, drawings, fields

from gan_zoo.errors import UserError
from gan_zoo.metrics import build, choose, region_agreement
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure
from gan_zoo.metrics.colour_score import colour_score

NUM_IMAGES = 6


def of(outputs: list[np.ndarray], truth: list[np.ndarray]) -> EvaluationBatch:
    return EvaluationBatch(names=list(map(str, range(len(truth)))), outputs=np.stack(outputs), targets=np.stack(truth))


def score(*batches: EvaluationBatch) -> Figure:
    metric = build("colour_score", Context())
    for batch in batches:
        assert metric.update(batch) is None
    (figure,) = metric.figures()
    return figure


def test_the_parts_by_hand() -> None:
    right = {"colourfulness_ratio": 1.0, "spread_ratio": 1.0, "agreement": 1.0, "floor": 0.1, "ceiling": 1.0}
    assert colour_score(**right) == (1.0, (1.0, 1.0, 1.0))
    # Twice as vivid is as far away as half; 0.55 lies half way from 0.1 to 1.
    changed = right | {"colourfulness_ratio": 2.0, "spread_ratio": 0.25, "agreement": 0.55}
    value, parts = colour_score(**changed)
    assert parts == pytest.approx((0.5, 0.25, 0.5), abs=1e-12)
    assert value == pytest.approx(0.0625 ** (1 / 3), abs=1e-12)
    for wrong in ({"spread_ratio": 0.0}, {"colourfulness_ratio": 0.0}):
        assert colour_score(**right | wrong)[0] == 0.0
    # Not above the floor: a tenth at most, and stronger colours still count for more.
    assert colour_score(**right | {"agreement": 0.1})[0] == colour_score(**right | {"agreement": -0.2})[0]
    assert colour_score(**right | {"agreement": 0.05})[0] == pytest.approx(0.1, abs=1e-12)
    dull = right | {"agreement": 0.05, "spread_ratio": 0.2, "colourfulness_ratio": 0.5}
    assert colour_score(**dull)[0] == pytest.approx(0.0001 ** (1 / 3), abs=1e-12)
    # Label masks have a ceiling below 1: whoever reaches it, or more, has all.
    assert colour_score(**right | {"ceiling": 0.6, "agreement": 0.7})[0] == 1.0


@pytest.mark.parametrize("photograph", [fields, drawings])
def test_colorizations_come_in_their_order(photograph) -> None:
    labs = [photograph(index) for index in range(NUM_IMAGES)]
    truth = [colorized(lab, lab[..., 1:]) for lab in labs]
    # Of the image after: that of the image before is the floor itself.
    others = [labs[(index + 1) % NUM_IMAGES][..., 1:] for index in range(NUM_IMAGES)]
    colorizations = {
        "half": [0.5 * lab[..., 1:] for lab in labs],
        "pale": [0.3 * lab[..., 1:] for lab in labs],
        "opposite": [-lab[..., 1:] for lab in labs],
        "other": others,
        "brown": [np.array(BROWN)] * NUM_IMAGES,
    }
    found = {
        name: score(of([colorized(*pair) for pair in zip(labs, abs_, strict=True)], truth)).value
        for name, abs_ in colorizations.items()
    }
    assert score(of(truth, truth)).value == pytest.approx(1.0, abs=1e-12)
    # A factor on the chroma is about the same one on both ratios, and more than half of the way to the truth's regions
    # stays: (1/2) ** (1/3) is 0.79.
    for name, chroma in (("half", 0.5), ("pale", 0.3)):
        assert 0.79 * chroma ** (2 / 3) < found[name] < 1.05 * chroma ** (2 / 3)
    # What it does not see: the hue itself. sRGB has less of some opposites, so that it is not 1.
    assert 0.82 < found["opposite"] < 0.95
    assert 0.1 < found["other"] < 0.75 * found["pale"]
    assert 0.0 < found["brown"] < 0.05  # its regions agree less than those of another image, and it has no spread


def test_it_is_made_of_the_figures_beside_it_and_regions_are_found_once(monkeypatch) -> None:
    labs = [fields(index) for index in range(3)]
    truth = [colorized(lab, lab[..., 1:]) for lab in labs]
    outputs = [colorized(lab, 0.6 * np.roll(lab[..., 1:], 5, axis=1)) for lab in labs]
    whole = of(outputs, truth)
    parts = [of(outputs[:1], truth[:1]), of(outputs[1:], truth[1:])]
    calls = []
    found = region_agreement.regions.regions_of_image
    monkeypatch.setattr(region_agreement.regions, "regions_of_image", lambda image: calls.append(0) or found(image))
    compared = []
    compare = region_agreement.agreement
    monkeypatch.setattr(region_agreement, "agreement", lambda *pair: compared.append(0) or compare(*pair))
    context = Context()
    metrics = [build(name, context) for name in ("colour_score", "region_agreement", "ab_spread", "colourfulness")]
    for batch in parts:
        for metric in metrics:
            metric.update(batch)
    assert len(calls) == 2 * len(truth)
    values = {figure.name: figure.value for metric in metrics for figure in metric.figures()}
    assert len(compared) == 2 * len(truth) + 1  # of each image the output and the floor, whose last one is made anew
    expected, parts_of_it = colour_score(
        colourfulness_ratio=values["colourfulness/ratio"],
        spread_ratio=values["ab_spread/ratio"],
        agreement=values["region_agreement"],
        floor=values["region_agreement/floor"],
        ceiling=values["region_agreement/ceiling"],
    )
    assert 0.1 < expected < 0.7 and values["colour_score"] == expected
    figure = score(whole)
    assert figure.value == pytest.approx(expected, rel=1e-12) and figure.num_images == 3
    colourful, spread, regions = parts_of_it
    assert figure.note == f"colourfulness {colourful:.3f}, ab spread {spread:.3f}, regions {regions:.3f}"


def test_what_cannot_be_scored_is_said_in_one_line() -> None:
    image = colorized(fields(0), fields(0)[..., 1:])
    grey = np.full_like(image, 90)
    with pytest.raises(UserError, match="two images whose truth has several regions"):
        score(of([image], [image]))
    with pytest.raises(UserError, match="two images whose truth has several regions, and not the same ones"):
        score(of([image, image], [image, image]))
    with pytest.raises(UserError, match="no image whose truth has several regions"):
        score(of([image, image], [grey, grey]))


def test_a_translators_own_metrics_join_the_default_ones() -> None:
    own = ("ab_spread", "mask_agreement", "colour_score")
    fields_there = frozenset({"names", "outputs", "targets"})
    chosen = choose(None, fields_there, 3, has_reference=False, also=own)
    assert chosen == [*choose(None, fields_there, 3, False)[:-1], "colourfulness", "ab_spread", "colour_score"]
    assert "mask_agreement" in choose(None, fields_there | {"masks"}, 3, False, also=own)
    assert choose(["l1"], fields_there, 3, False, also=own) == ["l1"]
