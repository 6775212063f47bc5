"""Padding that comes off again."""

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.translation.borders import crop_back, pad_to_multiple

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("height", "width", "multiple"), [(64, 32, 16), (37, 50, 16), (8, 9, 64), (1, 5, 4)])
def test_padding_is_a_reflection_and_comes_off_again(height, width, multiple):
    image = RANDOM.normal(size=(2, height, width, 3)).astype(np.float32)
    spec = tf.TensorSpec([None, None, None, None])
    padded, padding = tf.function(pad_to_multiple, input_signature=[spec, tf.TensorSpec([], tf.int32)])(image, multiple)
    border = (-height % multiple, -width % multiple)
    widths = [(0, 0), *((size // 2, size - size // 2) for size in border), (0, 0)]
    np.testing.assert_array_equal(padded, np.pad(image, widths, "reflect"))
    np.testing.assert_array_equal(crop_back(padded, padding), image)
    larger = np.asarray(padded).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(crop_back(larger, padding, scale=2), image.repeat(2, 1).repeat(2, 2))
