"""The stream against its definition: what each position holds, and that nothing else decides it."""

import itertools
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from streams import Source, assert_same, settings, taken

from gan_zoo import images
from gan_zoo.data.pipeline import batch_order, evaluation_batches, training_stream
from gan_zoo.data.resizing import resize_and_crop
from gan_zoo.errors import UserError


def test_batches_have_the_promised_form():
    stream = training_stream(Source(), settings(input_channels=1))
    assert stream.element_spec["input_image"] == tf.TensorSpec([4, 16, 16, 1], tf.float32)
    assert stream.element_spec["target_image"] == tf.TensorSpec([4, 16, 16, 3], tf.float32)
    assert stream.element_spec["example_index"] == tf.TensorSpec([4], tf.int64)
    assert stream.element_spec["number"] == tf.TensorSpec([4], tf.int64)
    first, second = taken(stream, 2)
    np.testing.assert_array_equal(np.concatenate([first["example_index"], second["example_index"]]), np.arange(8))
    # Noise fills the range: the extremes of 2 x 3072 bytes lie within a few levels of its ends.
    assert -1 <= first["target_image"].min() < -0.97
    assert 0.97 < first["target_image"].max() <= 1


@pytest.mark.parametrize("step", [1, 2, 7])
def test_a_stream_can_start_at_any_step(step):
    source = Source()
    whole = taken(training_stream(source, settings()), step + 3)
    assert_same(taken(training_stream(source, settings(), start_step=step), 3), whole[step:])


def test_slow_examples_do_not_fall_behind():
    class Uneven(Source):
        def __getitem__(self, index):
            time.sleep(0.02 * (index % 3))
            return super().__getitem__(index)

    for batch_number, batch in enumerate(taken(training_stream(Uneven(), settings()), 8)):
        np.testing.assert_array_equal(batch["example_index"], 4 * batch_number + np.arange(4))


def test_a_late_start_reads_nothing_before_it():
    source = Source()
    taken(training_stream(source, settings(), start_step=10**12), 1)
    assert source.reads < 40


def test_an_epoch_holds_each_example_once_in_a_new_order():
    numbers = np.concatenate([batch["number"] for batch in taken(training_stream(Source(), settings()), 25)])
    epochs = numbers.reshape(10, 10)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(10), (10, 1)))
    assert len({tuple(epoch) for epoch in epochs}) == 10
    other = np.concatenate([batch["number"] for batch in taken(training_stream(Source(), settings(seed=8)), 25)])
    assert (numbers != other).any()


def test_a_single_example_is_enough():
    batch = taken(training_stream(Source(count=1), settings()), 2)[1]
    np.testing.assert_array_equal(batch["number"], 0)
    assert (batch["input_image"][0] != batch["input_image"][1]).any()


def test_crops_and_flips_cover_all_places_alike():
    # Load size = size of the picture: each crop is a part of it, bit for bit, and its place can be looked up.
    source = Source()
    seen = []
    for batch in taken(training_stream(source, settings()), 250):
        np.testing.assert_array_equal(batch["input_image"], batch["target_image"])
        for crop, number in zip(images.to_uint8(batch["input_image"]).numpy(), batch["number"], strict=True):
            places = [
                (top, left, flip)
                for top in range(5)
                for left in range(5)
                for flip in (False, True)
                if (crop == source.pictures[number][top : top + 16, left : left + 16][:, :: -1 if flip else 1]).all()
            ]
            assert len(places) == 1
            seen += places
    # 1000 draws: 20 expected in each of 50 cells; chi-squared with 49 degrees of freedom, mean 49, deviation 10. The
    # upper bound is passed once in 10,000 seeds, the lower one (too even to be chance) as seldom; the seed is fixed.
    counts = np.array([seen.count(place) for place in itertools.product(range(5), range(5), (False, True))])
    assert 20 < ((counts - 20) ** 2 / 20).sum() < 92


def test_no_flip_and_no_crop_where_none_is_asked_for():
    source = Source(size=16)
    for batch in taken(training_stream(source, settings(load_scale=1.0, flip=False)), 5):
        np.testing.assert_array_equal(images.to_uint8(batch["input_image"]), source.pictures[batch["number"]])


def smooth(size, dtype=np.uint8):
    y, x = np.mgrid[0:size, 0:size] / size
    high = np.iinfo(dtype).max
    return (
        np.stack([(x + y) / 2 * high, np.sin(3 * x) * high, np.cos(3 * y - 1) * high], -1).clip(0, high).astype(dtype)
    )


def test_16_bit_keeps_its_finer_steps():
    fine = smooth(50, np.uint16)
    truth = tf.image.resize(fine / 257, (36, 36), "bicubic", antialias=True).numpy().clip(0, 255)
    resized = resize_and_crop(fine, (36, 36), (36, 36))
    assert np.abs(resized - truth).max() < 1e-3  # float32 sums over values up to 255; 8 bit would be off by 0.5
    assert np.abs(resized - resize_and_crop((fine / 257).round().astype(np.uint8), (36, 36), (36, 36))).max() < 2
    source = Source(dtype=np.uint16)
    batch = taken(training_stream(source, settings(load_scale=1.0, image_size=20, flip=False)), 1)[0]
    np.testing.assert_allclose(batch["input_image"], source.pictures[batch["number"]] / 32767.5 - 1, atol=2e-6)


def test_pair_of_different_sizes_stays_in_place():
    class Sizes(Source):
        def __getitem__(self, index):
            return {"input_image": smooth(40), "target_image": smooth(80)}

    for batch in taken(training_stream(Sizes(), settings(load_scale=1.5)), 3):
        # Both are the same function of place: after the same cut they agree up to the sampling of different grids.
        assert np.abs(batch["input_image"] - batch["target_image"]).mean() < 0.03
        assert np.abs(batch["input_image"][0] - batch["input_image"][1]).mean() > 0.03


def test_smaller_pictures_and_other_proportions_are_resized():
    class Odd(Source):
        def __getitem__(self, index):
            return {"input_image": smooth(40)[:9], "target_image": smooth(8)}

    assert taken(training_stream(Odd(), settings()), 1)[0]["input_image"].shape == (4, 16, 16, 3)


def test_evaluation_is_in_order_whole_and_plain():
    source = Source(size=16, bad={0, 6})
    batches = list(evaluation_batches(source, settings(), batch_size=3).as_numpy_iterator())
    good = [1, 2, 3, 4, 5, 7, 8, 9]
    assert [len(batch["number"]) for batch in batches] == [3, 3, 2]
    np.testing.assert_array_equal(np.concatenate([batch["number"] for batch in batches]), good)
    np.testing.assert_array_equal(np.concatenate([batch["example_index"] for batch in batches]), good)
    for batch in batches:
        np.testing.assert_array_equal(images.to_uint8(batch["input_image"]), source.pictures[batch["number"]])


def test_each_replica_gets_its_share_of_each_part():
    np.testing.assert_array_equal(batch_order(8, 1, 1), np.arange(8))
    np.testing.assert_array_equal(batch_order(8, 1, 2), np.arange(8))
    np.testing.assert_array_equal(batch_order(8, 2, 2), [0, 1, 4, 5, 2, 3, 6, 7])
    np.testing.assert_array_equal(batch_order(12, 3, 2), [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])
    source = Source()
    plain = taken(training_stream(source, settings(batch_size=8)), 2)
    shared = taken(training_stream(source, settings(batch_size=8), num_replicas=2, batch_parts=2), 2)
    order = batch_order(8, 2, 2)
    assert_same([{key: value[order] for key, value in batch.items()} for batch in plain], shared)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((6, 2, 2), "give a multiple of 4"), ((5, 1, 2), "give a multiple of 2"), ((0, 1, 1), "multiple of 1")],
)
def test_a_batch_that_cannot_be_shared_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        batch_order(*arguments)


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(UserError, match=r"load_scale is 0\.9"):
        training_stream(Source(), settings(load_scale=0.9))


def test_an_empty_source_is_refused():
    with pytest.raises(UserError, match="no examples"):
        training_stream(Source(count=0), settings())


def test_the_program_ends_while_a_stream_is_in_use():
    program = """
import sys, types
import numpy as np
from gan_zoo.data.pipeline import training_stream
class Source:
    def __len__(self):
        return 2
    def __getitem__(self, index):
        return {"input_image": np.zeros((256, 256, 3), np.uint8)}
config = types.SimpleNamespace(
    image_size=256, load_scale=1.2, preprocess="crop", flip=True, input_channels=3, target_channels=3, batch_size=4,
    seed=0,
)
batches = iter(training_stream(Source(), config))
next(batches)
raise KeyError("a mistake in the program")
"""
    # Without care, threads that wait for Python's lock and the iterator that waits for them hang more often than not.
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 1
    assert "a mistake in the program" in ended.stderr
