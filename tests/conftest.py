"""Fixtures that several test files ask for."""

from collections.abc import Iterator

import keras
import pytest
from imported_runs import TINY

from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig


@pytest.fixture
def float64() -> Iterator[None]:
    """Networks that are built in the test compute in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def tiny_pix2pix() -> Pix2Pix:
    """To be written as the authors would have, and imported."""
    return Pix2Pix(Pix2PixConfig(**TINY))
