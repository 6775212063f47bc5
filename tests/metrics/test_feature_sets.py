"""FID and KID over batches and a cache on disk, with a small network for the Inception."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.metrics import build
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure
from gan_zoo.metrics.features import sets
from gan_zoo.metrics.features.inception import InceptionFeatures, inception_inputs
from gan_zoo.metrics.features.statistics import FeatureStatistics
from gan_zoo.metrics.fid import frechet_distance
from gan_zoo.metrics.kid import kid_of_subsets
from gan_zoo.pretrained import fetching

RANDOM = np.random.default_rng(0)
OUTPUTS = RANDOM.integers(0, 256, (11, 20, 24, 3), np.uint8)
REAL = [RANDOM.integers(0, 200, (16 + i, 20, 1 if i == 3 else 3), np.uint8) for i in range(9)]


class CountingFeatures(InceptionFeatures):
    """In batches of four, and counts the images."""

    images = 0

    def __init__(self, network: keras.Model, resize: str) -> None:
        super().__init__(network, resize, batch_size=4)

    def __call__(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for features in super().__call__(images):
            CountingFeatures.images += len(features)
            yield features


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """The mean of each channel, and that of each channel's square."""
    image = keras.Input((299, 299, 3))
    scaled = keras.layers.Rescaling(1 / 100)(image)
    both = keras.layers.Concatenate()([scaled, keras.layers.Multiply()([scaled, scaled])])
    return keras.Model(image, {"2048": keras.layers.GlobalAveragePooling2D()(both)})


@pytest.fixture(autouse=True)
def cache(network, tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetching, "load", lambda name, weights_dir: {"inception": name})
    monkeypatch.setattr(sets, "fid_inception", lambda state: network)
    monkeypatch.setattr(sets, "InceptionFeatures", CountingFeatures)
    monkeypatch.setattr(CountingFeatures, "images", 0)
    return tmp_path / "cache" / "features"


def context(images: Callable[[], Iterator[np.ndarray]] = lambda: iter(REAL)) -> Context:
    return Context(reference=images, reference_key="facades/val", seed=3)


def figures(names: list[str], given: Context, sizes: tuple[int, ...] = (11,)) -> tuple[dict[str, Figure], list[str]]:
    metrics = [build(name, given) for name in names]
    start = 0
    for size in sizes:
        batch = EvaluationBatch(names=[""] * size, outputs=OUTPUTS[start : start + size])
        start += size
        for metric in metrics:
            assert metric.update(batch) is None
    found = {figure.name: figure for metric in metrics for figure in metric.figures()}
    return found, [warning for metric in metrics for warning in metric.warnings]


def expected_features(network: keras.Model, images: Iterable[np.ndarray], resize: str) -> np.ndarray:
    return network(inception_inputs(list(images), resize))["2048"].numpy()


def statistics(features: np.ndarray) -> FeatureStatistics:
    whole = FeatureStatistics.empty(features.shape[1])
    whole.update(features)
    return whole


@pytest.mark.parametrize("resize", ["clean", "legacy"])
def test_both_distances_are_those_of_the_whole_from_one_extraction(resize, network) -> None:
    generated, reference = (expected_features(network, images, resize) for images in (OUTPUTS, REAL))
    fid = frechet_distance(statistics(generated), statistics(reference))
    kid = kid_of_subsets(generated, reference, seed=3)
    names = [f"fid_{resize}", f"kid_{resize}"]
    found, warnings = figures(names, context(), (3, 1, 6, 1))
    assert CountingFeatures.images == 11 + 9
    # Forwards of four images instead of all: float32's rounding of means over 89,401 pixels.
    assert found[names[0]].value == pytest.approx(fid, rel=1e-4)
    assert found[names[1]].value == pytest.approx(kid.value, rel=1e-4)
    assert found[names[1]].error == pytest.approx(kid.standard_error, rel=1e-4)
    for figure in found.values():
        assert figure.num_images == 11 and figure.better == "lower"
        assert figure.weights_sha256 == fetching.WEIGHTS["inception"].sha256
        assert "11 images against 9 of facades/val" in figure.protocol and "\n" not in figure.protocol
        assert ("antialiased bicubic on floats, clipped" in figure.protocol) == (resize == "clean")
        assert figure.version == {"clean": "2", "legacy": "1"}[resize]
    assert "100 subsets of 4" in found[names[1]].protocol
    (warning,) = warnings
    assert warning.startswith(f"{names[0]}: FID of 11 images against 9: too high by at least ")
    # The same forwards of four: to the last digit, wherever the batches were cut, with and without the cache.
    assert figures(names, context())[0] == found
    assert figures(names[::-1], context(), (5, 6))[0] == found


def test_the_reference_is_read_from_the_cache_by_its_content(cache) -> None:
    first = figures(["fid_clean"], context())[0]
    assert len(list(cache.iterdir())) == 1
    CountingFeatures.images = 0
    assert figures(["fid_clean"], context())[0] == first and CountingFeatures.images == 11
    # One level of one pixel, another order, one image less, another resize: each is another content.
    changed = [image.copy() for image in REAL]
    changed[5][7, 8, 1] ^= 1
    for images in (changed, REAL[::-1], REAL[:-1]):
        CountingFeatures.images = 0
        figures(["fid_clean"], context(lambda images=images: iter(images)))
        assert CountingFeatures.images == 11 + len(images)
    CountingFeatures.images = 0
    figures(["fid_legacy"], context())
    assert CountingFeatures.images == 11 + 9
    assert sum(path.suffix == ".features" for path in cache.iterdir()) == len(list(cache.iterdir())) == 5


@pytest.mark.parametrize(("resize", "kept"), [("clean", False), ("legacy", True)])
def test_features_of_an_older_version_are_not_read(cache, resize, kept) -> None:
    """Version 1 of `clean` did not clip; `legacy` is what it was, and its features stay."""
    digest = hashlib.sha256(f"1 {resize} {fetching.WEIGHTS['inception'].sha256}".encode())
    for image in REAL:
        digest.update(f" {image.shape} {image.dtype} ".encode() + image.tobytes())
    found = figures([f"fid_{resize}"], context())[0]
    assert (cache / f"{digest.hexdigest()}.features").exists() == kept
    (path,) = cache.iterdir()
    path.rename(cache / f"{digest.hexdigest()}.features")
    CountingFeatures.images = 0
    assert figures([f"fid_{resize}"], context())[0] == found
    assert CountingFeatures.images == 11 + (0 if kept else 9)


@pytest.mark.parametrize("damage", ["flipped", "short", "empty", "long"])
def test_a_damaged_file_is_made_anew(cache, damage) -> None:
    first = figures(["fid_clean"], context())[0]
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    assert len(whole) == 9 * 6 * 4 + 32
    damaged = bytearray(whole)
    damaged[50] ^= 1
    path.write_bytes({"flipped": bytes(damaged), "short": whole[:-1], "empty": b"", "long": whole + b"\0"}[damage])
    CountingFeatures.images = 0
    assert figures(["fid_clean"], context())[0] == first
    assert CountingFeatures.images == 11 + 9 and path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_time_alone(cache) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    found, warnings = figures(["kid_clean"], context())
    assert found["kid_clean"].num_images == 11
    (warning,) = warnings
    assert f"could not be kept in {cache}" in warning


def test_an_interrupted_extraction_leaves_nothing(cache) -> None:
    calls = []

    def images() -> Iterator[np.ndarray]:
        calls.append(None)
        yield from REAL[:6]
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        figures(["fid_clean"], context(images))
    assert not cache.exists()


def test_the_next_evaluation_keeps_the_network_and_the_reference() -> None:
    reads = []

    def images() -> Iterator[np.ndarray]:
        reads.append(None)
        return iter(REAL)

    given = context(images)
    first = figures(["fid_clean", "kid_clean"], given)[0]
    assert len(reads) == 2  # once for the checksum, once for the features
    CountingFeatures.images = 0
    assert figures(["fid_clean", "kid_clean"], dataclasses.replace(given))[0] == first
    assert len(reads) == 2 and CountingFeatures.images == 11


def test_too_few_images_are_refused_in_one_line() -> None:
    for name, least in (("fid_clean", 2), ("kid_clean", 4)):
        few = least - 1
        with pytest.raises(UserError, match=f"^{name} needs at least {least} images: {few} given$"):
            figures([name], context(), (few,))
        with pytest.raises(UserError, match=f"^{name} needs at least {least} real images: {few} given$"):
            figures([name], context(lambda few=few: iter(REAL[:few])), (least,))
        assert figures([name], context(lambda least=least: iter(REAL[:least])), (least,))[0][name].num_images == least
        with pytest.raises(UserError, match=f"the metric {name} needs a set of real images"):
            build(name, Context())


def test_images_that_cannot_be_taken_leave_no_trace(network) -> None:
    given = context()
    metric, other = build("fid_clean", given), build("kid_clean", given)
    bad = EvaluationBatch(names=["x"], outputs=OUTPUTS[:1].astype(np.float32))
    for each in (metric, other):
        with pytest.raises(ValueError, match="uint8 is needed"):
            each.update(bad)
        each.update(EvaluationBatch(names=[""] * 11, outputs=OUTPUTS))
    expected = expected_features(network, OUTPUTS, "clean")
    np.testing.assert_allclose(metric.sets()[0], expected, rtol=1e-5)
    assert len(other.sets()[0]) == 11
    with pytest.raises(ValueError, match="the next image is number 11"):
        given.shared["inception", "clean"].add(12, OUTPUTS)
