"""Fixtures that several test files ask for."""

import urllib.error
from collections.abc import Iterator

import keras
import pytest
import tensorflow as tf
from imported_runs import TINY
from saved_models import new_model

from gan_zoo.models.bicyclegan import BicycleGAN
from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig

# Files of few and slow tests, the slowest first: begun last, one of them would keep one worker long after the other.
SLOW_FILES = (
    "strategy",
    "notebooks",
    "export_choices",
    "colorization_notebooks",
    "moved_runs",
    "small_filters",
    "api_training",
    "resume",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first; all else stays in its order."""
    places = {f"test_{name}": place for place, name in enumerate(SLOW_FILES)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture
def float64() -> Iterator[None]:
    """Networks that are built in the test compute in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Without a graph a few steps come sooner."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def tiny_pix2pix() -> Pix2Pix:
    """To be written as the authors would have, and imported."""
    return Pix2Pix(Pix2PixConfig(**TINY))


@pytest.fixture(scope="session")
def models() -> tuple[BicycleGAN, BicycleGAN]:
    """To be saved, and to be restored into; their values are what the test before has left."""
    return new_model(), new_model(seed=2)


@pytest.fixture
def offline(monkeypatch, tmp_path) -> list[str]:
    """The attempts at the network, all of which fail; no weights have been fetched before."""
    attempts = []

    def refuse(request, **_):
        attempts.append(request.full_url)
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return attempts
