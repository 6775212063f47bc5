"""Resizing with the box of the crop against resizing the whole picture, and against TensorFlow's filter."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gan_zoo.data.resizing import resize_and_crop

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("size", [24, 40, 95])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_crop_of_a_resize_is_the_resize_cropped(size, channels):
    picture = RANDOM.integers(0, 256, (size, size + 9, channels)).astype(np.uint8)
    picture[..., 3:] |= 128
    whole = np.asarray(Image.fromarray(picture.squeeze()).resize((40, 40), Image.Resampling.BICUBIC)).reshape(
        40, 40, -1
    )
    crop = resize_and_crop(picture, (40, 40), (32, 32), top=3, left=5)
    assert crop.dtype == np.float32
    # Pillow takes the box as float32: where a value lies on the edge of rounding it may fall to the other level. Colour
    # is multiplied with alpha before and divided by it, here at least a half, afterwards: twice that and a rounding.
    assert np.abs(crop - whole[3:35, 5:37]).max() <= (3 if channels == 4 else 1)
    assert np.abs(crop - whole[3:35, 5:37]).mean() < 0.01
    np.testing.assert_array_equal(resize_and_crop(picture, (40, 40), (32, 32), top=3, left=5, flip=True), crop[:, ::-1])


def test_resize_is_bicubic_and_antialiased():
    # Overshoot stays inside 0..255, where Pillow would cut it off between its two passes.
    picture = RANDOM.integers(80, 176, (50, 50, 3)).astype(np.uint8)
    for load_size in (20, 70):
        truth = tf.image.resize(picture, (load_size, load_size), "bicubic", antialias=True).numpy()
        # Rounded twice, the first time before weights whose absolute values sum up to less than 1.4.
        assert (
            np.abs(resize_and_crop(picture, (load_size, load_size), (load_size, load_size)) - truth).max()
            <= 0.5 * 1.4 + 0.5
        )
