"""FID and its streaming statistics, against a recorded figure (scipy's matrix square root) and closed forms."""

import pathlib

import numpy as np
import pytest

from gan_zoo.metrics.features.statistics import FeatureStatistics
from gan_zoo.metrics.fid import frechet_distance, small_sample_warning

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "image_metrics.npz")


def statistics(features: np.ndarray, batch_size: int = 64) -> FeatureStatistics:
    result = FeatureStatistics.empty(features.shape[1])
    for start in range(0, len(features), batch_size):
        result.update(features[start : start + batch_size])
    return result


def test_the_recorded_distance_is_met_from_either_side() -> None:
    first, second = statistics(RECORDED["features_x"]), statistics(RECORDED["features_y"])
    assert frechet_distance(first, second) == pytest.approx(float(RECORDED["fid"]), rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(float(RECORDED["fid"]), rel=1e-9)
    assert frechet_distance(first, first) == pytest.approx(0.0, abs=1e-9)


def test_of_two_normal_distributions_with_common_axes() -> None:
    # |m|^2 + sum (sigma_1 - sigma_2)^2; the deviations of the four corners are the standard deviations themselves.
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt(3 / 4)
    first, second = statistics(corners * [1.0, 2.0]), statistics(corners * [4.0, 2.5] + [10.0, 0.0])
    assert frechet_distance(first, second) == pytest.approx(100.0 + 9.0 + 0.25, rel=1e-12)


def test_fewer_images_than_features() -> None:
    # With centred X_i / sqrt(n_i - 1) as roots of the covariances, the trace is the sum of X_1 X_2^T's singular values.
    random = np.random.default_rng(0)
    first, second = random.standard_normal((12, 40)) * 100.0, random.standard_normal((20, 40)) + 300.0
    roots = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (first, second)]
    cross = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    offset = first.mean(0) - second.mean(0)
    expected = offset @ offset + (roots[0] ** 2).sum() + (roots[1] ** 2).sum() - 2 * cross
    assert frechet_distance(statistics(first), statistics(second)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("batch_size", [1, 7, 400])
def test_statistics_do_not_depend_on_batches_or_on_an_offset(batch_size) -> None:
    # float32 keeps 1e6 + x to 0.06, so the truth is computed from what it keeps.
    features = (RECORDED["features_x"] + 1e6).astype(np.float32)
    seen = statistics(features, batch_size)
    exact = features.astype(np.float64)
    assert seen.count == 400
    np.testing.assert_allclose(seen.mean, exact.mean(0), rtol=1e-12)
    expected = np.cov(exact, rowvar=False)
    assert np.abs(seen.covariance - expected).max() < 1e-7 * np.abs(expected).max()


def test_what_is_no_statistic_is_refused() -> None:
    empty = FeatureStatistics.empty(3)
    with pytest.raises(ValueError, match="finite"):
        empty.update(np.array([[1.0, np.nan, 0.0]]))
    with pytest.raises(ValueError, match=r"\[B, 3\] is needed"):
        empty.update(np.zeros((2, 4)))
    empty.update(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"at least 2 images\. Received: 1"):
        frechet_distance(empty, statistics(np.eye(3)))
    with pytest.raises(ValueError, match="same features"):
        frechet_distance(statistics(np.eye(4)), statistics(np.eye(3)))
    with pytest.raises(ValueError, match="scatter"):
        FeatureStatistics(2, np.zeros(3), np.zeros((2, 2)))


def test_too_few_images_are_told_with_their_bias() -> None:
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt(3 / 4)  # variances 1
    few = statistics(corners)
    assert "too high by at least 1 for" in small_sample_warning(few, few)  # 2 / 4 of each
    assert "fewer" not in small_sample_warning(few, few)
    assert "fewer than its 3 features" in small_sample_warning(statistics(np.eye(3)), statistics(np.eye(3)))
    enough = FeatureStatistics(10_000, few.mean, few.scatter)
    assert small_sample_warning(enough, enough) is None
    assert small_sample_warning(few, enough) is not None
