"""Two domains without pairs: each with its own count, order, crop, flip and bad files."""

import numpy as np
import pytest
import tensorflow as tf
from streams import settings, taken

from datasets import DATASETS
from datasets.definition import DatasetDefinition, load_for
from gan_zoo import images
from gan_zoo.data.pipeline import batch_order, evaluation_batches, training_stream
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.data.unpaired import UnpairedSource, UnpairedView
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample


class Plain:
    """Pictures of one grey each, `first + index`, by which they are known in a batch."""

    def __init__(self, count, first=0, height=20, width=20, bad=()):
        self.count, self.first, self.shape, self.bad = count, first, (height, width, 3), set(bad)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index in self.bad:
            raise BadExample(f"{self.first + index}.png", "truncated")
        return np.full(self.shape, self.first + index, np.uint8)


class Pairs(Plain):
    kind = "paired"

    def __getitem__(self, index):
        return dict.fromkeys(("input_image", "target_image"), super().__getitem__(index))


def greys(batches, key):
    return images.to_uint8(np.concatenate([batch[key][:, 3, 3, 0] for batch in batches])).numpy()


def test_each_domain_is_shuffled_by_itself():
    source = UnpairedSource(Plain(10, height=31, width=23), Plain(4, first=100))
    assert len(source) == 10
    batches = taken(training_stream(source, settings()), 10)
    assert batches[0].keys() == {"input_image", "target_image", "example_index"}
    np.testing.assert_array_equal(np.concatenate([batch["example_index"] for batch in batches]), np.arange(40))
    inputs, targets = greys(batches, "input_image"), greys(batches, "target_image")
    np.testing.assert_array_equal(np.sort(inputs.reshape(4, 10)), np.tile(np.arange(10), (4, 1)))
    np.testing.assert_array_equal(np.sort(targets.reshape(10, 4)), np.tile(np.arange(100, 104), (10, 1)))
    # 40 draws from 40 pairs: about 25 different ones are expected, 20 at most if the two orders hung together.
    assert len(set(zip(inputs, targets, strict=True))) > 20


def test_domains_of_equal_count_come_in_different_orders():
    batches = taken(training_stream(UnpairedSource(Plain(50), Plain(50)), settings(batch_size=50)), 1)
    # An example stands beside its namesake once in 50: once is expected, 50 times if both had the same order.
    assert (greys(batches, "input_image") == greys(batches, "target_image")).sum() < 6


def test_crops_and_flips_are_drawn_for_each_image():
    y, x = np.mgrid[:20, :20].astype(np.uint8)
    place = [np.stack([y, x, y], -1)]
    batches = taken(training_stream(UnpairedSource(place, place), settings()), 250)
    drawn = {}
    for key in ("input_image", "target_image"):
        crops = images.to_uint8(np.concatenate([batch[key] for batch in batches])).numpy().astype(int)
        drawn[key] = np.stack([crops[:, 0, 0, 0], crops[..., 1].min((1, 2)), crops[:, 0, 0, 1] > crops[:, 0, -1, 1]])
    # 1000 draws: the deviation of a correlation of independent numbers is 0.03.
    for one, other in zip(drawn["input_image"], drawn["target_image"], strict=True):
        assert np.ptp(one) == np.ptp(other) > 0
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.12


def test_a_stream_can_start_at_any_step():
    source = UnpairedSource(Plain(5), Plain(3, first=100))
    whole = taken(training_stream(source, settings()), 9)
    for late, batch in zip(taken(training_stream(source, settings(), start_step=7), 2), whole[7:], strict=True):
        for key, value in batch.items():
            np.testing.assert_array_equal(late[key], value)


def test_replicas_share_a_batch_of_two_domains():
    source = UnpairedSource(Plain(10), Plain(7, first=100))
    plain = taken(training_stream(source, settings(batch_size=8)), 1)[0]
    shared = taken(training_stream(source, settings(batch_size=8), num_replicas=2, batch_parts=2), 1)[0]
    for key in plain:
        np.testing.assert_array_equal(plain[key][batch_order(8, 2, 2)], shared[key])


def test_the_direction_is_swapped_once():
    a, b = Plain(3), Plain(2, first=100)
    batch = taken(evaluation_batches(UnpairedSource(a, b, "b_to_a"), settings(), batch_size=3))[0]
    assert greys([batch], "input_image").min() == 100
    assert greys([batch], "target_image").max() == 2


def test_evaluation_shows_all_of_both():
    source = UnpairedSource(Plain(5, bad={3}), Plain(2, first=100))
    config = settings(input_channels=1, target_channels=4)
    batches = taken(evaluation_batches(source, config, batch_size=3))
    assert [batch["input_image"].shape for batch in batches] == [(3, 16, 16, 1), (1, 16, 16, 1)]
    assert batches[0]["target_image"].shape == (3, 16, 16, 4)
    assert greys(batches, "input_image").tolist() == [0, 1, 2, 4]
    assert greys(batches, "target_image").tolist() == [100, 101, 100, 100]
    assert np.concatenate([batch["example_index"] for batch in batches]).tolist() == [0, 1, 2, 4]


def test_bad_files_give_way_and_count_by_domain(tmp_path):
    path = tmp_path / "skipped_files.txt"
    source = UnpairedSource(Plain(10, bad={0, 3}), Plain(4, first=100, bad={1, 2}))
    batches = taken(training_stream(source, settings(), skipped=SkippedFiles(path)), 5)
    assert sorted(greys(batches, "input_image")[:10]) == [1, 1, 2, 4, 4, 5, 6, 7, 8, 9]
    assert sorted(greys(batches, "target_image")[:4]) == [100, 103, 103, 103]
    names = sorted(line.split("\t")[0] for line in path.read_text().splitlines())
    assert names == ["0.png", "101.png", "102.png", "3.png"]

    skipped = SkippedFiles()
    source = UnpairedSource(Plain(10), Plain(5, first=100, bad={1, 2, 3}))
    with pytest.raises(tf.errors.OpError):
        taken(training_stream(source, settings(), skipped=skipped), 5)
    assert str(skipped.failure).startswith("3 of 5 examples are bad, for instance 10")


def test_a_picture_that_is_bad_for_both_domains_counts_for_both():
    skipped = SkippedFiles()
    view = UnpairedView(Pairs(8, bad={1, 2, 4, 5, 7}))
    with pytest.raises(tf.errors.OpError):
        taken(training_stream(view, settings(), skipped=skipped), 4)
    assert str(skipped.failure).startswith("5 of 8 examples are bad")


def test_any_pairs_serve_as_two_domains():
    config = settings(image_size=32, load_scale=1.0, flip=False)
    paired = load_for(DATASETS["shapes"], "paired", "val", config, None)
    view = load_for(DATASETS["shapes"], "unpaired", "val", config, None)
    assert (view.kind, len(view)) == ("unpaired", len(paired))
    np.testing.assert_array_equal(view.domains["target_image"][5], paired[5]["target_image"])
    in_order = taken(evaluation_batches(view, config, batch_size=8), 1)[0]
    assert in_order.keys() == {"input_image", "target_image", "example_index"}
    batch = taken(training_stream(view, config), 1)[0]
    drawings = np.stack([images.to_float(paired[index]["input_image"]) for index in range(len(paired))])
    pictures = np.stack([images.to_float(paired[index]["target_image"]) for index in range(len(paired))])
    found = [
        [int(np.abs(whole - image).mean((1, 2, 3)).argmin()) for image in batch[key]]
        for key, whole in (("input_image", drawings), ("target_image", pictures))
    ]
    assert found[0] != found[1]


def test_who_can_learn_from_what():
    unpaired = DatasetDefinition(kind="unpaired", load=lambda *_: None, description="")
    paired = DatasetDefinition(kind="paired", load=lambda *_: Pairs(8), description="")
    assert paired.serves("paired") and paired.serves("unpaired") and unpaired.serves("unpaired")
    assert not unpaired.serves("paired") and not paired.serves("labelled")
    with pytest.raises(UserError, match="unpaired images were given where paired ones are needed"):
        load_for(unpaired, "paired", "train", settings(), None)
