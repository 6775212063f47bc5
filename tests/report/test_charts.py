"""Curves: where the points of a chart come to lie, as numbers, and what it says to those who do not see it."""

import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from gan_zoo.report.charts import BOTTOM, LEFT, RIGHT, TOP, Point, best_point, line_chart, number, short_step, ticks

STEPS = (1000, 2000, 4000)
VALUES = (18.25, 20.5, 19.375)


def drawn(points, **options):
    options = {"label": "psnr", "unit": "dB", "better": "higher"} | options
    return ET.fromstring(line_chart(points, **options))


def curve(svg) -> np.ndarray:
    """`[N, 2]`: x and y of the line's corners."""
    return np.array([pair.split(",") for pair in svg.find("polyline").get("points").split()], float)


def of_class(svg, tag: str, name: str) -> list:
    return [each for each in svg.findall(tag) if name in each.get("class").split()]


def test_points_lie_where_their_numbers_say() -> None:
    x, y = curve(drawn([Point(*pair) for pair in zip(STEPS, VALUES, strict=True)])).T
    # A third of the way in steps is a third of the way in x; coordinates are written with two decimals.
    np.testing.assert_allclose(x, [LEFT, LEFT + (RIGHT - LEFT) / 3, RIGHT], atol=0.006)
    # Up is more, and distances keep their ratio: 19.375 lies in the middle of the others.
    assert y[1] < y[2] < y[0]
    np.testing.assert_allclose(y[2], (y[0] + y[1]) / 2, atol=0.011)
    # A fifth of the range is free on both sides, so the range fills 1 / 1.4 of the box.
    np.testing.assert_allclose(y[0] - y[1], (BOTTOM - TOP) / 1.4, atol=0.011)


def test_the_order_of_points_does_not_matter() -> None:
    points = [Point(*pair) for pair in zip(STEPS, VALUES, strict=True)]
    texts = {line_chart(order, label="psnr") for order in itertools.permutations(points)}
    assert len(texts) == 1


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e30])
def test_all_that_is_drawn_stays_in_the_box(scale) -> None:
    random = np.random.default_rng(3)
    values = scale * random.normal(size=30)
    svg = drawn(Point(int(step), value, scale / 4) for step, value in zip(random.permutation(30), values, strict=True))
    x, y = curve(svg).T
    assert (np.diff(x) > 0).all() and x.min() >= LEFT and x.max() <= RIGHT
    assert y.min() >= TOP and y.max() <= BOTTOM
    for bar in of_class(svg, "path", "error"):
        down, up = (float(part) for part in bar.get("d").split(" ")[1].split("V"))
        assert TOP <= up < down <= BOTTOM
    for line in of_class(svg, "path", "grid"):
        assert TOP - 0.01 <= float(line.get("d").split()[1].split("H")[0]) <= BOTTOM + 0.01
    assert len(of_class(svg, "path", "error")) == 30
    assert 3 <= len(of_class(svg, "path", "grid")) <= 8


def test_the_bar_is_the_standard_error() -> None:
    svg = drawn([Point(1, 10.0, 0.5), Point(2, 12.0)])
    (bar,) = of_class(svg, "path", "error")
    down, up = (float(part) for part in bar.get("d").split(" ")[1].split("V"))
    y = curve(svg)[:, 1]
    np.testing.assert_allclose(down - up, (y[0] - y[1]) / 2, atol=0.02)  # 2 errors of 0.5, of a rise of 2
    np.testing.assert_allclose((down + up) / 2, y[0], atol=0.02)


def test_one_point_stands_in_the_middle() -> None:
    assert curve(drawn([Point(500, 3.0)])).tolist() == [[(LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2]]


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0, 1e-9])
def test_equal_values_are_a_level_line_in_the_middle(value) -> None:
    points = [Point(step, value * (1 + place * 1e-16)) for place, step in enumerate(STEPS)]
    assert curve(drawn(points))[:, 1].tolist() == [(TOP + BOTTOM) / 2] * 3


def test_what_is_no_number_is_left_out() -> None:
    good = [Point(*pair) for pair in zip(STEPS, VALUES, strict=True)]
    bad = [Point(0, math.nan), Point(1500, math.inf), Point(2500, None), Point(9000, -math.inf)]
    assert line_chart(good + bad, label="psnr") == line_chart(good, label="psnr")
    assert line_chart([Point(1, 2.0, math.nan)], label="a") == line_chart([Point(1, 2.0)], label="a")
    assert line_chart(bad, label="psnr") == ""
    assert line_chart([], label="psnr") == ""


@pytest.mark.parametrize(("better", "place"), [("higher", 1), ("lower", 0), ("none", None)])
def test_the_best_point_is_marked(better, place) -> None:
    points = [Point(*pair) for pair in zip(STEPS, VALUES, strict=True)]
    svg = drawn(points, better=better)
    best = of_class(svg, "circle", "best")
    marks = [mark.text for mark in of_class(svg, "text", "mark")]
    if place is None:
        assert not best and not marks
        return
    x, y = curve(svg)[place]
    assert [(float(dot.get("cx")), float(dot.get("cy"))) for dot in best] == [(x, y)]
    assert marks == [number(VALUES[place])]
    assert f"the best is {number(VALUES[place])} dB at step {STEPS[place]:,}" in svg.get("aria-label")


def test_of_equal_ones_the_first_is_the_best() -> None:
    points = [Point(1, 2.0), Point(2, 5.0), Point(3, 5.0), Point(4, None)]
    assert best_point(points, "higher") is points[1]
    assert best_point([Point(1, None)], "lower") is None


def test_the_chart_is_read_aloud_and_its_texts_are_escaped() -> None:
    svg = drawn([Point(1000, 1.5), Point(2000, 0.5)], label='<a&"b">', unit="<u>", better="none")
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == '<a&"b"> from 1.500 <u> at step 1,000 to 0.5000 <u> at step 2,000'
    assert [dot.find("title").text for dot in svg.findall("circle")] == [
        "step 1,000: 1.500 <u>",
        "step 2,000: 0.5000 <u>",
    ]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.5, 1]),
        (1000, 4600, [1000, 2000, 3000, 4000]),
        (-0.3, 0.3, [-0.2, 0.0, 0.2]),
        (5000, 15000, [5000, 10000, 15000]),
        (0.0961, 0.1039, [0.098, 0.1, 0.102]),
    ],
)
def test_ticks_are_round(low, high, expected) -> None:
    np.testing.assert_allclose(ticks(low, high), expected, rtol=1e-12, atol=1e-15)


def test_there_are_three_to_eight_ticks_in_any_range() -> None:
    random = np.random.default_rng(1)
    for low, span in zip(random.normal(size=2000) * 100, 10 ** random.uniform(-3, 6, 2000), strict=True):
        found = ticks(low, low + span)
        assert 3 <= len(found) <= 8
        assert low - 1e-6 * span <= found[0] and found[-1] <= low + span * (1 + 1e-6)


@pytest.mark.parametrize(
    ("value", "text"),
    [(20.3141, "20.31"), (0.40214, "0.4021"), (-1.5, "−1.500"), (12345.6, "12,346"), (0, "0"), (3.14e-7, "3.1e-07")],
)
def test_numbers_have_four_digits(value, text) -> None:
    assert number(value) == text


def test_steps_are_short() -> None:
    assert [short_step(step) for step in (0, 500, 12500, 1200000)] == ["0", "500", "12.5k", "1.2M"]
