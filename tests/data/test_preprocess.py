"""The ways in which images come to size: what is resized to what, and which part of it reaches the batch."""

import itertools
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gan_zoo import images
from gan_zoo.config import Config
from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.resizing import Resizing
from gan_zoo.data.unpaired import UnpairedSource
from gan_zoo.errors import UserError


def settings(preprocess, **changes):
    values = {
        "image_size": 16,
        "load_scale": 1.25,
        "preprocess": preprocess,
        "flip": True,
        "input_channels": 3,
        "target_channels": 3,
        "batch_size": 1,
        "seed": 7,
    }
    return types.SimpleNamespace(**(values | changes))


def places(height, width):
    """A picture whose pixels say where they are: 4 * row, 4 * column."""
    y, x = np.mgrid[:height, :width]
    return np.stack([4 * y, 4 * x, 0 * y], -1).astype(np.uint8)


class Pictures:
    """Pairs of `(height, width)` for the input and for the target."""

    kind = "paired"

    def __init__(self, *sizes):
        self.pairs = [{"input_image": places(*one), "target_image": places(*other)} for one, other in sizes]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return self.pairs[index]


def taken(dataset, count=None):
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def pixels(batch, key="input_image"):
    return images.to_uint8(batch[key]).numpy()


@pytest.mark.parametrize(
    ("mode", "height", "width", "loaded", "cut"),
    [
        ("resize_and_crop", 500, 80, (286, 286), (256, 256)),
        ("crop", 300, 400, (300, 400), (256, 256)),
        ("crop", 256, 256, (256, 256), (256, 256)),
        ("crop", 128, 192, (256, 384), (256, 256)),  # enlarged until the square fits
        ("crop", 500, 128, (1000, 256), (256, 256)),
        ("scale_width", 300, 600, (143, 286), None),
        ("scale_width", 600, 300, (572, 286), None),
        ("scale_width_and_crop", 600, 300, (572, 286), (256, 256)),
        ("scale_width_and_crop", 300, 600, (256, 512), (256, 256)),  # 143 rows would be too few
        ("none", 301, 599, (301, 599), None),
    ],
)
def test_sizes_at_256_pixels(mode, height, width, loaded, cut):
    assert Resizing(mode, 256, 286).plan(height, width) == (loaded, cut or loaded)


@pytest.mark.parametrize(
    ("mode", "size", "expected"),
    [
        ("none", (301, 599), (300, 600)),
        ("none", (5, 1), (4, 4)),
        ("scale_width", (300, 600), (144, 288)),  # 143 x 286: to 35.75 and 71.5 times four
        ("scale_width", (1000, 599), (476, 288)),  # 477.5: the height of 286, not of 288, is rounded
    ],
)
def test_sides_go_to_the_nearest_multiple(mode, size, expected):
    assert Resizing(mode, 256, 286, multiple=4).plan(*size) == (expected, expected)


def test_sides_are_not_shorter_than_the_networks_take():
    # 17 px are needed: the next multiple of 4 is 20.
    assert Resizing("none", 256, 286, multiple=4, min_side=17).plan(8, 100) == ((20, 100), (20, 100))


def test_crop_takes_any_place_of_the_image_as_it_is():
    stream = training_stream(Pictures(((24, 40), (24, 40))), settings("crop", batch_size=50))
    assert stream.element_spec["input_image"].shape == (50, 16, 16, 3)
    corners = set()
    for batch in taken(stream, 12):
        crops = pixels(batch).astype(int) // 4
        np.testing.assert_array_equal(pixels(batch), pixels(batch, "target_image"))
        for crop in crops:
            top, left = crop[..., 0].min(), crop[..., 1].min()
            flip = crop[0, 0, 1] > crop[0, 1, 1]
            truth = places(24, 40)[top : top + 16, left : left + 16] // 4
            np.testing.assert_array_equal(crop, truth[:, ::-1] if flip else truth)
            corners.add((top, left))
    assert {top for top, _ in corners} == set(range(9))
    assert {left for _, left in corners} == set(range(25))
    # 600 draws of 225 places leave out 225 * exp(-600 / 225) = 16 of them.
    assert 195 < len(corners) < 222


@pytest.mark.parametrize("mode", ["crop", "scale_width_and_crop"])
def test_evaluation_takes_the_middle(mode):
    # 20 wide is also what scale_width asks for.
    batch = taken(evaluation_batches(Pictures(((30, 20), (30, 20))), settings(mode), batch_size=4))[0]
    np.testing.assert_array_equal(pixels(batch)[0], places(30, 20)[7:23, 2:18])


def test_images_that_are_too_small_are_enlarged_until_the_crop_fits():
    batch = taken(evaluation_batches(Pictures(((8, 12), (8, 12))), settings("crop"), batch_size=1))[0]
    whole = np.asarray(Image.fromarray(places(8, 12)).resize((24, 16), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(pixels(batch)[0], whole[:, 4:20], atol=1)  # the rounding of a half


def test_scale_width_keeps_the_proportions():
    source, config = Pictures(((30, 40), (30, 40)), ((60, 40), (60, 40))), settings("scale_width", flip=False)
    stream = training_stream(source, config, size_multiple=4)
    assert stream.element_spec["target_image"].shape.as_list() == [1, None, None, 3]
    shapes = set()
    for batch in [*taken(stream, 4), *taken(evaluation_batches(source, config, batch_size=4, size_multiple=4))]:
        height = batch["input_image"].shape[1]
        truth = Image.fromarray(places({16: 30, 32: 60}[height], 40)).resize((20, height), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(pixels(batch)[0], truth)
        shapes.add(batch["input_image"].shape)
    # 30 x 40 becomes 15 x 20, of which 15 is rounded to 16; 60 x 40 becomes 30 x 20, and 7.5 goes to the even 8.
    assert shapes == {(1, 16, 20, 3), (1, 32, 20, 3)}


def test_none_changes_nothing_that_is_a_multiple_already():
    source = Pictures(((16, 24), (16, 24)), ((12, 8), (12, 8)))
    batches = taken(evaluation_batches(source, settings("none"), batch_size=2, size_multiple=4))
    assert [batch["example_index"].tolist() for batch in batches] == [[0], [1]]
    for batch, pair in zip(batches, source.pairs, strict=True):
        np.testing.assert_array_equal(pixels(batch)[0], pair["input_image"])
    flipped = [bool(pixels(batch)[0, 0, 0, 1]) for batch in taken(training_stream(source, settings("none")), 40)]
    assert 10 <= sum(flipped) <= 30  # of 40 coins, 3 deviations from 20


@pytest.mark.parametrize("mode", ["crop", "scale_width", "scale_width_and_crop", "none"])
def test_both_sides_of_a_pair_are_treated_alike(mode):
    # The target has half the resolution, and its own rounding: the input's size decides for both.
    source = Pictures(((40, 60), (20, 30)))
    for batch in taken(training_stream(source, settings(mode), size_multiple=4), 8):
        inputs, targets = pixels(batch).astype(int), pixels(batch, "target_image").astype(int)
        assert inputs.shape == targets.shape
        # Twice the target's coordinates, and half a pixel of 4 levels: off by the filter at the borders at most.
        assert np.abs(inputs - 2 * targets - 2).max() <= 6


def test_domains_keep_their_own_sizes():
    source = UnpairedSource([places(16, 24)], [places(20, 12), places(8, 12)])
    batches = taken(training_stream(source, settings("none"), size_multiple=4), 2)
    assert {batch["input_image"].shape for batch in batches} == {(1, 16, 24, 3)}
    assert {batch["target_image"].shape for batch in batches} == {(1, 20, 12, 3), (1, 8, 12, 3)}


@pytest.mark.parametrize("mode", ["scale_width", "none"])
def test_images_of_differing_sizes_do_not_make_a_batch(mode):
    assert Config(preprocess=mode).preprocess == mode
    with pytest.raises(UserError, match=f"preprocess={mode} gives images of differing sizes.*give batch_size=1"):
        Config(preprocess=mode, batch_size=2)
    assert Config(preprocess="crop", batch_size=2).batch_size == 2
    with pytest.raises(UserError, match="scale_width_and_crop"):
        Config(preprocess="squeeze")


def test_static_shapes_are_known_where_they_are_fixed():
    source = Pictures(((24, 40), (24, 40)))
    for mode in ("resize_and_crop", "crop", "scale_width_and_crop"):
        for dataset in (
            training_stream(source, settings(mode)),
            evaluation_batches(source, settings(mode), batch_size=1),
        ):
            assert dataset.element_spec["input_image"] == tf.TensorSpec(
                [dataset.element_spec["input_image"].shape[0], 16, 16, 3], tf.float32
            )
