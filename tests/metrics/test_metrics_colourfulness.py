"""Colourfulness against its closed form."""

import numpy as np
import pytest

from gan_zoo.metrics.colourfulness import colourfulness


def test_of_two_colours_and_of_grey() -> None:
    images = np.zeros((3, 4, 4, 3), np.uint8)
    images[0] = 77  # grey
    images[1] = [200, 100, 50]  # one colour: no deviation; rg 100, yb 100
    images[2, :2] = [255, 0, 0]  # half red (rg 255, yb 127.5), half blue (rg 0, yb -255)
    images[2, 2:] = [0, 0, 255]
    deviation = np.hypot(255 / 2, (127.5 + 255) / 2)
    mean = np.hypot(255 / 2, (127.5 - 255) / 2)
    expected = [0.0, 0.3 * np.hypot(100, 100), deviation + 0.3 * mean]
    assert colourfulness(images) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_grey_files_have_no_colour_to_measure() -> None:
    with pytest.raises(ValueError, match=r"\[B, H, W, 3\] uint8 is needed"):
        colourfulness(np.zeros((1, 4, 4, 1), np.uint8))
