"""Labelled images in the stream: each with its own label, and asked for that of another, whoever shares the batch."""

import numpy as np
import pytest
from streams import assert_same, settings, taken

from gan_zoo.data.labelled import LabelledSource, Targets
from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.single import SingleSource
from gan_zoo.images import BadExample

COUNT = 10
CLASSES = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (COUNT, 20, 20, 3), np.uint8)


class Pictures:
    """Noise; the one at `bad` is not readable."""

    bad = -1

    def __len__(self):
        return COUNT

    def __getitem__(self, index):
        if index == self.bad:
            raise BadExample(self.path_of(index), "truncated")
        return PICTURES[index]

    def path_of(self, index):
        return f"{index}.png"


def source(bad=-1):
    pictures = Pictures()
    pictures.bad = bad
    labels = np.eye(3, dtype=np.float32)[CLASSES]
    return LabelledSource(pictures, ("a", "b", "c"), labels.__getitem__)


def same(image):
    return image


def test_each_image_has_its_own_label_and_the_draw_of_another_moves_nothing_else() -> None:
    whole = settings(image_size=20, load_scale=1.0, flip=False)
    for batch in taken(training_stream(source(), whole, make_input=same), 10):
        assert batch["label"].dtype == batch["target_label"].dtype == np.float32
        assert batch["label"].shape == batch["target_label"].shape == (4, 3)
        np.testing.assert_array_equal(batch["input_image"], batch["target_image"])
        for image, label in zip(batch["target_image"], batch["label"], strict=True):
            levels = np.round((image + 1) * 127.5).astype(np.uint8)
            (index,) = np.flatnonzero((levels == PICTURES).all((1, 2, 3)))
            np.testing.assert_array_equal(label, np.eye(3)[CLASSES[index]])
    plain = taken(training_stream(SingleSource(Pictures()), settings()), 3)
    for batch, other in zip(taken(training_stream(source(), settings()), 3), plain, strict=True):
        np.testing.assert_array_equal(batch["target_image"], other["target_image"])


def test_what_is_asked_for_is_of_seed_and_place_alone_and_of_the_labels_that_there_are() -> None:
    whole = taken(training_stream(source(), settings()), 100)
    assert_same(whole[3:5], taken(training_stream(source(), settings(), start_step=3), 2))
    shared = taken(training_stream(source(), settings(), num_replicas=2, batch_parts=2), 3)
    for one, two in zip(whole, shared, strict=False):
        places = [list(two["example_index"]).index(index) for index in one["example_index"]]
        np.testing.assert_array_equal(one["target_label"], two["target_label"][places])
    asked = np.concatenate([batch["target_label"] for batch in whole])
    # 400 draws of shares 0.5, 0.3 and 0.2: each within four standard errors, whatever the image's own label is.
    own = np.concatenate([batch["label"] for batch in whole])
    for part in (asked, asked[own[:, 0] == 1]):
        share = np.array([0.5, 0.3, 0.2])
        assert (np.abs(part.mean(0) - share) < 4 * np.sqrt(share * (1 - share) / len(part))).all()
    other = taken(training_stream(source(), settings(seed=8)), 100)
    assert (np.concatenate([batch["target_label"] for batch in other]) != asked).any()


def test_a_bad_example_gives_way_to_the_next_one_with_its_label_and_evaluation_asks_for_nothing() -> None:
    found = taken(evaluation_batches(source(bad=7), settings(), batch_size=4, make_input=same))
    assert "target_label" not in found[0]
    labels = np.concatenate([batch["label"] for batch in found])
    np.testing.assert_array_equal(labels, np.eye(3)[np.delete(CLASSES, 7)])
    some = Targets(source(bad=7), [9, 7])
    assert len(some) == 2 and some.path_of(0) == "9.png"
    np.testing.assert_array_equal(some[0], PICTURES[9])
    with pytest.raises(BadExample):
        some[1]
