"""KID against a recorded figure, and its standard error against what repeated draws give."""

import pathlib

import numpy as np
import pytest

from gan_zoo.metrics import kid as kid_module
from gan_zoo.metrics.kid import kid, kid_of_subsets

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "image_metrics.npz")
X, Y = RECORDED["features_x"], RECORDED["features_y"]


@pytest.mark.parametrize("block", [1000, 150])
def test_the_recorded_distance_is_met(block, monkeypatch) -> None:
    monkeypatch.setattr(kid_module, "BLOCK", block)
    assert kid(X, Y) == pytest.approx(float(RECORDED["kid_unbiased"]), rel=1e-9)


def test_subsets_are_drawn_by_the_seed_and_have_the_whole_in_their_reach() -> None:
    first = kid_of_subsets(X, Y, num_subsets=40, seed=3)
    assert first == kid_of_subsets(X, Y, num_subsets=40, seed=3)
    assert first != kid_of_subsets(X, Y, num_subsets=40, seed=4)
    assert (first.subset_size, first.num_subsets) == (175, 40)  # half of 350
    # The mean of 40 draws lies around the value of all pairs: within four of its own resampling errors.
    assert abs(first.value - float(RECORDED["kid_unbiased"])) < 4 * first.standard_deviation / np.sqrt(40)


def test_the_standard_error_is_the_spread_of_repeated_draws() -> None:
    random = np.random.default_rng(0)
    results = [
        kid_of_subsets(
            random.standard_normal((80, 4)),
            random.standard_normal((80, 4)) + 0.5,
            subset_size=20,
            num_subsets=20,
        )
        for _ in range(100)
    ]
    spread = np.std([result.value for result in results], ddof=1)  # of 100 draws: known to 7 %
    assert np.mean([result.standard_error for result in results]) == pytest.approx(spread, rel=0.25)


def test_too_few_or_unequal_features_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        kid(X[:1], Y)
    with pytest.raises(ValueError, match="at least 4"):
        kid_of_subsets(X[:3], Y)
    with pytest.raises(ValueError, match="same features"):
        kid(X[:, :5], Y)
    with pytest.raises(ValueError, match="num_subsets=1"):
        kid_of_subsets(X, Y, num_subsets=1)
