"""The diversity of samples, with distances that can be counted by hand."""

import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.metrics.diversity import random_pairs, real_diversity, sample_diversity


def difference(images_a: np.ndarray, images_b: np.ndarray) -> np.ndarray:
    assert images_a.shape == images_b.shape and images_a.ndim == 4
    return np.abs(images_a - images_b).mean((1, 2, 3))


def flat(*levels: float) -> np.ndarray:
    return np.array(levels).reshape(-1, 1, 1, 1) * np.ones((2, 2, 3))


def test_consecutive_samples_are_compared() -> None:
    assert sample_diversity(flat(0, 1, 5, 2), difference) == pytest.approx((1 + 4 + 3) / 3, rel=1e-12)
    assert sample_diversity(flat(*[3] * 20), difference) == 0
    with pytest.raises(UserError, match="at least 2"):
        sample_diversity(flat(1), difference)


def test_pairs_are_of_different_images_and_repeat() -> None:
    pairs = random_pairs(5, 4000, seed=3)
    assert pairs.shape == (4000, 2) and set(pairs.ravel()) == set(range(5))
    assert (pairs[:, 0] != pairs[:, 1]).all()
    # Each of the 20 ordered pairs is as likely: 200 times, give or take 5 standard deviations of 13.8.
    counts = np.bincount(pairs[:, 0] * 5 + pairs[:, 1], minlength=25).reshape(5, 5)
    assert np.abs(counts[~np.eye(5, dtype=bool)] - 200).max() < 69
    np.testing.assert_array_equal(random_pairs(5, 7, seed=3), pairs[:7])
    assert (random_pairs(5, 7, seed=4) != pairs[:7]).any()
    with pytest.raises(UserError, match="at least 2"):
        random_pairs(1, 10, seed=0)


def test_real_images_are_the_ceiling() -> None:
    assert real_diversity(list(flat(2, 9)), difference, num_pairs=40, seed=0) == pytest.approx(7, rel=1e-12)
    images = flat(0, 1, 4)
    first, second = random_pairs(3, 33, seed=1).T
    expected = difference(images[first], images[second]).mean()
    assert real_diversity(images, difference, num_pairs=33, seed=1) == pytest.approx(expected, rel=1e-12)
