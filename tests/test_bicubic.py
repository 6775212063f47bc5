"""Pictures made small as MATLAB does it, and large again."""

import numpy as np
import pytest
import tensorflow as tf
from set5 import needs_set5, set5

from gan_zoo.bicubic import enlarged, reduced
from gan_zoo.images import to_float, to_uint8


def levels(image: np.ndarray, scale: int) -> np.ndarray:
    return to_uint8(reduced(to_float(image), scale)).numpy()


def test_what_becomes_of_a_bright_border_row() -> None:
    """Halved, the first row reaches two rows: by the kernel, and by its mirror image behind the border."""
    image = np.full((8, 10, 3), 100, np.uint8)
    image[0] += 128
    # 0.5 (k(0.25) + k(0.75)) = 0.546875 and 0.5 (k(1.25) + k(1.75)) = -0.046875, where k is
    # 1.5 |x|^3 - 2.5 |x|^2 + 1 up to 1 and -0.5 |x|^3 + 2.5 |x|^2 - 4 |x| + 2 up to 2.
    expected = [100 + 70, 100 - 6, 100, 100]
    np.testing.assert_array_equal(levels(image, 2), np.broadcast_to(np.reshape(expected, [4, 1, 1]), [4, 5, 3]))
    np.testing.assert_array_equal(levels(image.swapaxes(0, 1), 2)[..., 0], np.broadcast_to(expected, [5, 4]))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_slope_stays_one(scale) -> None:
    """Weights that are symmetric and add up to 1 give a straight line at the middle of each block."""
    columns = np.arange(8 * scale) * (128 // scale // 8)
    image = np.broadcast_to(columns[:, np.newaxis], [4 * scale, 8 * scale, 1]).astype(np.uint8)
    expected = columns.reshape(8, scale).mean(1)
    inside = reduced(to_float(image), scale)[:, 2:-2, 0].numpy()
    # To the nearest of 256 levels.
    np.testing.assert_allclose((inside + 1) * 127.5, np.broadcast_to(expected[2:-2], [4, 4]), atol=0.5 + 1e-4)


def test_the_result_is_one_of_256_levels_and_its_size_is_known() -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 24, 3)).astype(np.float32)
    small = reduced(tf.constant(images), 4)
    exact = (small.numpy() + 1) * 127.5
    np.testing.assert_allclose(exact, np.round(exact), atol=1e-4)  # float32
    np.testing.assert_array_equal(small[1], reduced(tf.constant(images[1]), 4))
    compiled = tf.function(lambda image: reduced(image, 4))
    assert compiled.get_concrete_function(tf.TensorSpec([16, 24, 3])).structured_outputs.shape == [4, 6, 3]
    free = compiled.get_concrete_function(tf.TensorSpec([None, None, None, 3]))
    np.testing.assert_allclose(free(tf.constant(images)), small, atol=2e-7)  # a division of float32, otherwise done


@needs_set5
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_it_is_what_matlab_made(scale) -> None:
    for name, (large, small) in set5(scale).items():
        difference = np.abs(levels(large, scale).astype(int) - small)
        # Of 255: nothing for X8; else MATLAB may have rounded between rows and columns, which costs up to a level each.
        assert difference.mean() <= (0 if scale == 8 else 0.16) and difference.max() <= (0 if scale == 8 else 2), name


def test_enlarged_pictures_keep_a_constant_and_take_any_channels() -> None:
    image = np.full((5, 7, 3), 200, np.uint8)
    np.testing.assert_array_equal(enlarged(image, 4), np.full((20, 28, 3), 200))
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    large = enlarged(noise, 2)
    for channel in range(3):
        np.testing.assert_array_equal(enlarged(noise[..., channel : channel + 1], 2)[..., 0], large[..., channel])
