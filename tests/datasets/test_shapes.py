"""The procedural data set: reproducible, its factors independent, and its pictures as coloured as they say."""

import itertools
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest

from datasets import DATASETS
from datasets.shapes import HUES, SILHOUETTES, SPLIT_SIZES, TEXTURES, ShapesSource
from datasets.shapes.measures import hue_difference, hue_of, nearest_hue
from datasets.shapes.rendering import Colouring, coloured_picture
from gan_zoo.errors import UserError


def _colouring(hue, texture, tone=0.5):
    return Colouring(hue, texture, np.array([tone, tone]), angle=0.6, period=0.13, phase=np.array([0.2, 0.7]))


def test_an_example_depends_on_seed_split_and_index_alone():
    one, again = ShapesSource("train", 32, seed=3), ShapesSource("train", 32, seed=3)
    for index in (5, 3999, 0, 5):  # the order of reading does not matter
        first, second = one[index], again[index]
        assert first.keys() == second.keys() == {"input_image", "target_image", "hue", "texture", "silhouette"}
        for key in first:
            np.testing.assert_array_equal(first[key], second[key])
    assert (one[7]["input_image"] != ShapesSource("train", 32, seed=4)[7]["input_image"]).any()
    with pytest.raises(IndexError):
        one[4000]


def test_no_two_drawings_are_equal_within_or_across_splits():
    drawings = {
        (split, index): ShapesSource(split, 32)[index]["input_image"].tobytes()
        for split in SPLIT_SIZES
        for index in range(200)
    }
    assert len(set(drawings.values())) == len(drawings) == 600


def test_shapes_types_and_channels():
    for size, channels, direction in ((40, (1, 3), "a_to_b"), (64, (3, 1), "b_to_a"), (65, (4, 4), "a_to_b")):
        source = ShapesSource("val", size, 0, direction, *channels)
        example = source[0]
        for key, count in zip(("input_image", "target_image"), channels, strict=True):
            assert example[key].shape == (size, size, count)
            assert example[key].dtype == np.uint8
        for key in ("hue", "texture", "silhouette"):
            assert example[key].shape == ()
            assert example[key].dtype == np.int32
        assert source.foreground(0).shape == (size, size)
        assert len(source) == 200
    forward, backward = ShapesSource("val", 32)[4], ShapesSource("val", 32, direction="b_to_a")[4]
    np.testing.assert_array_equal(forward["input_image"], backward["target_image"])
    np.testing.assert_array_equal(forward["target_image"], backward["input_image"])


def test_factors_are_uniform_and_independent(monkeypatch):
    # The factors are drawn before anything is painted, so the painting may be left out.
    monkeypatch.setattr("datasets.shapes.draw", lambda parts, pose, size: np.zeros((size, size, 4), np.float32))
    monkeypatch.setattr("datasets.shapes.coloured_picture", lambda coverage, colouring: np.zeros((8, 8, 3), np.uint8))
    source = ShapesSource("train", 8)
    examples = [source[index] for index in range(len(source))]
    factors = {key: np.array([example[key] for example in examples]) for key in ("hue", "texture", "silhouette")}
    sizes = {"hue": len(HUES), "texture": len(TEXTURES), "silhouette": len(SILHOUETTES)}
    for first, second in itertools.combinations(sizes, 2):
        cells = sizes[first] * sizes[second]
        counts = np.bincount(factors[first] * sizes[second] + factors[second], minlength=cells)
        expected = len(source) / cells
        chi_square = ((counts - expected) ** 2 / expected).sum()
        # Uniform and independent: mean `cells - 1`, variance twice that; five standard deviations either way.
        # (Below would mean a cycle instead of chance.)
        assert abs(chi_square - (cells - 1)) < 5 * np.sqrt(2 * (cells - 1))


@pytest.mark.parametrize("size", [64, 128])
def test_the_measured_hue_is_the_factor_for_every_hue_texture_and_silhouette(size):
    source = ShapesSource("test", size)
    seen = set()
    for index in range(len(source)):
        silhouette, coverage = source._outline(index)
        if silhouette in seen:
            continue
        seen.add(silhouette)
        mask = source.foreground(index)
        assert 0.03 < mask.mean() < 0.6
        for hue, texture in itertools.product(range(len(HUES)), range(len(TEXTURES))):
            picture = coloured_picture(coverage, _colouring(hue, texture))
            degrees, saturation = hue_of(picture, mask)
            # Every pixel has the nominal hue but for rounding to 8 bits, which is symmetric: far below one degree.
            assert abs(hue_difference(degrees, HUES[hue])) < 1
            assert nearest_hue(degrees) == hue
            assert 0.4 < saturation < 0.95
            pixels = picture[mask].astype(float)
            assert np.mean(1 - pixels.min(axis=-1) / pixels.max(axis=-1) > 0.3) > 0.99
    assert len(seen) == len(SILHOUETTES)


def test_textures_show():
    _, coverage = ShapesSource("test", 64)._outline(0)
    pictures = [coloured_picture(coverage, _colouring(0, texture)).astype(int) for texture in range(len(TEXTURES))]
    for one, other in itertools.combinations(pictures, 2):
        assert np.abs(one - other).mean() > 0.3


def test_the_drawing_knows_nothing_of_the_colour(monkeypatch):
    source = ShapesSource("train", 64)
    before = [source[index] for index in range(20)]
    monkeypatch.setattr(ShapesSource, "_colouring", lambda self, index: _colouring(index % 6, index % 4, tone=0.1))
    after = [source[index] for index in range(20)]
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        np.testing.assert_array_equal(one["input_image"], other["input_image"])
        assert one["silhouette"] == other["silhouette"]
        assert other["hue"] == index % 6
        assert (one["target_image"] != other["target_image"]).any()


def test_the_lines_of_the_drawing_are_the_outline_of_the_picture():
    for index in range(30):
        example = ShapesSource("val", 96)[index]
        lines = example["input_image"][..., 0] < 40
        paper = example["input_image"][..., 0] == 255
        darkness = 255 - example["target_image"].max(axis=-1).astype(int)
        assert lines.mean() > 0.02
        # A line is at most 0.16 bright, plus what 8 % of a neighbour adds; what is no line is brighter than that.
        assert darkness[lines].min() > 255 * 0.7
        assert darkness[paper].max() < 255 * 0.75
        assert (example["target_image"][:3] > 225).all(), "the margin is (nearly) white"


def test_hue_of_a_picture_of_two_colours_is_one_of_them():
    image = np.zeros((10, 10, 3), np.uint8)
    image[:7] = (255, 51, 51)
    image[7:] = (0, 0, 255)
    degrees, saturation = hue_of(image, np.ones((10, 10), bool))
    assert abs(hue_difference(degrees, 0)) < 1e-6
    assert saturation == pytest.approx(0.7 * 0.8 + 0.3)
    assert hue_of(np.full((4, 4, 3), 90, np.uint8), np.ones((4, 4), bool)) == (None, 0.0)
    assert hue_of(image, np.zeros((10, 10), bool)) == (None, 0.0)


def test_nearest_hue():
    assert [nearest_hue(hue + 19) for hue in HUES] == list(range(6))
    assert [nearest_hue((hue - 19) % 360) for hue in HUES] == list(range(6))
    assert nearest_hue(90.0) is None
    assert nearest_hue(None) is None
    gaps = np.diff([*HUES, HUES[0] + 360])
    assert gaps.min() >= 50


def test_definition():
    config = types.SimpleNamespace(
        image_size=48, load_scale=1.25, seed=2, direction="a_to_b", input_channels=1, target_channels=3
    )
    source = DATASETS["shapes"].load("val", config, None)
    assert source == ShapesSource("val", 60, 2, "a_to_b", 1, 3)
    assert source.kind == DATASETS["shapes"].kind == "paired"
    with pytest.raises(UserError, match=r"no split 'dev'; it has train, val, test"):
        DATASETS["shapes"].load("dev", config, None)


def test_the_module_is_as_quiet_as_the_scripts(tmp_path):
    words = [sys.executable, "-m", "datasets.shapes", str(tmp_path), "32", "1"]
    done = subprocess.run(words, cwd=pathlib.Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "drawing_01.png").exists()
