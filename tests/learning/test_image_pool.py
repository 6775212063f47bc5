"""The image pool against a plain list that takes the same decisions, and its decisions against chance."""

import numpy as np
import pytest
import tensorflow as tf
from own_process import run_script

from gan_zoo.learning.image_pool import ImagePool, pool_draws

SHAPE = (2, 3, 1)


class PlainPool:
    """CycleGAN's rule on a list, image by image; the draws are those of `pool_draws`."""

    def __init__(self, size: int, seed: tuple[int, int], num_examples: int) -> None:
        self.size, self.images = size, []
        self.draws = pool_draws(seed, tf.range(num_examples, dtype=tf.int64), size).numpy()

    def query(self, image: np.ndarray, index: int) -> np.ndarray:
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if self.draws[index] >= self.size:
            return image
        older, self.images[self.draws[index]] = self.images[self.draws[index]], image
        return older


def numbered(index: np.ndarray) -> tf.Tensor:
    """Images `[B, 2, 3, 1]` that each carry their own number."""
    noise = np.random.default_rng(0).normal(size=SHAPE)
    return tf.constant(index[:, None, None, None] + noise, tf.float32)


def steps(batch_size: int, num_examples: int, start: int = 0) -> list[np.ndarray]:
    return np.arange(start, num_examples).reshape(-1, batch_size)


@pytest.mark.parametrize("graph", [True, False])
@pytest.mark.parametrize(("size", "batch_size"), [(7, 1), (7, 4), (3, 8), (1, 4)])
def test_it_does_what_a_plain_list_does(size, batch_size, graph) -> None:
    # 3 places and batches of 8: several rows of a batch take one slot, and rows get what others have just left.
    num_examples = 200 if graph else 40
    pool, plain = ImagePool(size, SHAPE, (5, 1)), PlainPool(size, (5, 1), num_examples)
    query = tf.function(pool.query) if graph else pool.query
    older = 0
    for index in steps(batch_size, num_examples):
        images = numbered(index)
        returned = query(images, tf.constant(index))
        expected = [plain.query(image, number) for image, number in zip(images.numpy(), index, strict=True)]
        np.testing.assert_array_equal(returned, expected)
        older += np.sum(np.any(expected != images.numpy(), axis=(1, 2, 3)))
    np.testing.assert_array_equal(pool.images, plain.images)
    assert int(pool.count) == size and pool.images.dtype == tf.float32
    assert older > num_examples // 4


def test_half_are_swapped_and_all_slots_alike() -> None:
    index = tf.range(6000, dtype=tf.int64)
    draws, other = (tf.function(pool_draws)((0, purpose), index, 50).numpy() for purpose in (3, 4))
    assert draws.min() == 0 and draws.max() == 99
    # 6,000 coins: a standard deviation of 0.0065, of a correlation 0.013; five of them on each side.
    swapped = draws < 50
    assert abs(np.mean(swapped) - 0.5) < 0.032
    assert abs(np.corrcoef(swapped[:-1], swapped[1:])[0, 1]) < 0.065
    assert abs(np.corrcoef(swapped, other < 50)[0, 1]) < 0.065
    # Chi-squared with 49 degrees of freedom: mean 49, standard deviation 9.9.
    counts = np.bincount(draws[swapped], minlength=50)
    expected = swapped.sum() / 50
    assert 15 < np.sum((counts - expected) ** 2 / expected) < 100
    np.testing.assert_array_equal(draws[70:72], pool_draws((0, 3), tf.constant([70, 71], tf.int64), 50))


def test_a_pool_of_none_returns_the_fakes() -> None:
    pool = ImagePool(0, SHAPE, (0, 1))
    images = numbered(np.arange(3))
    np.testing.assert_array_equal(pool.query(images, tf.range(3, dtype=tf.int64)), images)
    assert pool.variables == {}
    with pytest.raises(ValueError, match="size=-1"):
        ImagePool(-1, SHAPE, (0, 1))


def test_a_narrower_type_comes_back_and_no_gradient() -> None:
    pool = ImagePool(2, SHAPE, (0, 1))
    for index in steps(2, 6):
        images = tf.cast(numbered(index), tf.bfloat16)
        with tf.GradientTape() as tape:
            tape.watch(images)
            returned = pool.query(images, tf.constant(index))
        assert returned.dtype == tf.bfloat16 and tape.gradient(returned, images) is None


def test_a_pool_with_the_state_of_another_goes_on_as_it() -> None:
    pool, other = ImagePool(4, SHAPE, (1, 1)), ImagePool(4, SHAPE, (1, 1))
    for index in steps(3, 9):
        pool.query(numbered(index), tf.constant(index))
    for name, variable in pool.variables.items():
        other.variables[name].assign(variable)
    for index in steps(3, 60, start=9):
        images, position = numbered(index), tf.constant(index)
        np.testing.assert_array_equal(pool.query(images, position), other.query(images, position))
    np.testing.assert_array_equal(pool.images, other.images)


def test_two_devices_share_one_pool() -> None:
    found = run_script("learning/pool_run.py")
    one, mirrored = found["seen"]
    assert one == mirrored and one != sorted(one)
    assert len(found["pools"]) == 4 and all(pool == found["pools"][0] for pool in found["pools"])
    assert found["counts"] == [5, 5]
