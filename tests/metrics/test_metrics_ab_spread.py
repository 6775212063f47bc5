"""The spread of a and b against figures worked out by hand."""

import numpy as np
import pytest

from gan_zoo.metrics import build
from gan_zoo.metrics.ab_spread import ab_of, ab_spread
from gan_zoo.metrics.base import Context, EvaluationBatch

# CIE Lab (D65) of the primaries of sRGB, as published in two decimals.
RED, GREEN, BLUE = (80.09, 67.20), (-86.18, 83.18), (79.20, -107.86)


def half_and_half(first: tuple[int, int, int], second: tuple[int, int, int]) -> np.ndarray:
    image = np.empty((1, 4, 6, 3), np.uint8)
    image[:, :2], image[:, 2:] = first, second
    return image


def test_ab_of_the_primaries() -> None:
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]], np.uint8)
    np.testing.assert_allclose(ab_of(image)[0], [RED, GREEN, BLUE, (0, 0)], atol=0.02)
    with pytest.raises(ValueError, match="uint8 is needed"):
        ab_of(image[..., :1])


def test_spread_of_two_colours_is_half_their_distance() -> None:
    assert ab_spread(ab_of(half_and_half((255, 0, 0), (0, 0, 255)))) == pytest.approx(
        [np.hypot(80.09 - 79.20, 67.20 + 107.86) / 2], abs=0.01
    )
    # One colour has no spread, however vivid it is.
    assert ab_spread(ab_of(half_and_half((255, 0, 0), (255, 0, 0)))) == pytest.approx([0.0], abs=1e-4)
    # Independent variances add up: a of 0 and 6 (variance 9), b of 0 and 8 (16), in all four combinations.
    assert ab_spread(np.array([[[0.0, 0.0], [6.0, 0.0]], [[0.0, 8.0], [6.0, 8.0]]])) == pytest.approx(5.0, rel=1e-12)


def test_the_ratio_is_of_the_means() -> None:
    truth = np.concatenate([half_and_half((255, 0, 0), (0, 0, 255)), half_and_half((90, 90, 90), (90, 90, 90))])
    metric = build("ab_spread", Context())
    values = metric.update(EvaluationBatch(names=["0", "1"], outputs=truth[:, :, :, ::-1], targets=truth))
    metric.update(EvaluationBatch(names=["2"], outputs=truth[1:], targets=truth[:1]))
    figures = {figure.name: figure.value for figure in metric.figures()}
    both = float(values[0])  # red and blue change places
    assert values == pytest.approx([87.53, 0.0], abs=0.01)
    assert figures == pytest.approx(
        {"ab_spread": both / 3, "ab_spread/real": 2 * both / 3, "ab_spread/ratio": 0.5}, abs=0.01
    )


def test_a_grey_truth_gives_no_ratio() -> None:
    grey = half_and_half((90, 90, 90), (20, 20, 20))
    metric = build("ab_spread", Context())
    metric.update(EvaluationBatch(names=["0"], outputs=half_and_half((255, 0, 0), (0, 0, 255)), targets=grey))
    assert [figure.name for figure in metric.figures()] == ["ab_spread", "ab_spread/real"]
