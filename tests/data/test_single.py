"""Images that stand alone: targets of any data set, an input made in the graph, pictures without colour left out."""

import itertools
import types
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from datasets import DATASETS
from datasets.definition import DatasetDefinition, load_for
from gan_zoo.config import Config
from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.resizing import resize_and_crop_labels
from gan_zoo.data.single import SingleSource, SingleView, as_single
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.data.unpaired import UnpairedSource
from gan_zoo.images import BadExample, is_grey, to_float
from gan_zoo.learning.losses import l1_loss
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.runs.checkpoints import restore_networks
from gan_zoo.runs.record import Run
from gan_zoo.training.loop import train
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import make_strategy


def settings(**changes):
    values = {"image_size": 16, "load_scale": 1.25, "flip": True, "preprocess": "resize_and_crop", "batch_size": 4}
    values |= {"direction": "a_to_b", "input_channels": 3, "target_channels": 3, "seed": 7}
    return types.SimpleNamespace(**(values | changes))


def grey_twice(image: tf.Tensor) -> tf.Tensor:
    return tf.repeat(tf.reduce_mean(image, -1, keepdims=True), 2, -1)


class Photos:
    """Noise in colour; those of `grey` are of one channel in three."""

    def __init__(self, count=10, grey=(), bad=()):
        self.pictures = np.random.default_rng(0).integers(0, 256, (count, 20, 20, 3), np.uint8)
        self.pictures[list(grey)] = self.pictures[list(grey)][..., :1]
        self.bad = set(bad)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        if index in self.bad:
            raise BadExample(self.path_of(index), "truncated")
        return self.pictures[index]

    def path_of(self, index):
        return f"{index}.png"


def taken(dataset, count=None):
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def test_the_input_is_made_of_the_target_as_it_was_cut():
    source = SingleSource(Photos())
    stream = training_stream(source, settings(), make_input=grey_twice)
    assert stream.element_spec["input_image"] == tf.TensorSpec([4, 16, 16, 2], tf.float32)
    for batch in taken(stream, 5):
        # One mean of three float32 numbers below 1, in another order perhaps.
        np.testing.assert_allclose(batch["input_image"], grey_twice(batch["target_image"]), atol=2e-7)
    plain = taken(evaluation_batches(source, settings(load_scale=1.0, image_size=20), batch_size=4, make_input=tf.abs))
    pictures = to_float(source.domain.pictures).numpy()
    np.testing.assert_array_equal(np.concatenate([batch["target_image"] for batch in plain]), pictures)
    np.testing.assert_array_equal(np.concatenate([batch["input_image"] for batch in plain]), np.abs(pictures))


def test_a_stream_can_start_at_any_step():
    source = SingleSource(Photos())
    whole = taken(training_stream(source, settings(), make_input=grey_twice), 9)
    late = taken(training_stream(source, settings(), make_input=grey_twice, start_step=6), 3)
    for one, other in zip(whole[6:], late, strict=True):
        assert one.keys() == other.keys() == {"input_image", "target_image", "example_index"}
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])


def test_pictures_without_colour_are_skipped_and_counted(tmp_path):
    source, path = SingleSource(Photos(grey={2, 5}, bad={7})), tmp_path / "skipped_files.txt"
    config = settings(image_size=20, load_scale=1.0, flip=False, batch_size=5)
    batches = taken(training_stream(source, config, skip_grey=True, skipped=SkippedFiles(path)), 2)
    assert sorted(path.read_text().splitlines()) == ["2.png\tis grey", "5.png\tis grey", "7.png\ttruncated"]
    targets = np.concatenate([batch["target_image"] for batch in batches])
    assert all(np.ptp(target, axis=-1).max() > 0 for target in targets) and len(targets) == 10
    shown = np.concatenate([b["example_index"] for b in taken(evaluation_batches(source, config, batch_size=5))])
    assert shown.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    skipped = SkippedFiles()
    with pytest.raises(tf.errors.OpError):
        taken(training_stream(SingleSource(Photos(grey=range(3, 9))), config, skip_grey=True, skipped=skipped), 2)
    assert "6 of 10 examples are bad" in str(skipped.failure) and "is grey, and pictures in colour are needed" in str(
        skipped.failure
    )


def test_what_counts_as_grey(tmp_path):
    random = np.random.default_rng(1)
    smooth = np.asarray(Image.fromarray(random.integers(0, 256, (6, 8), np.uint8)).resize((640, 480)))
    assert is_grey(smooth[..., None]) and is_grey(np.repeat(smooth[..., None], 3, -1))
    assert is_grey(np.repeat(smooth[..., None].astype(np.uint16) * 257, 3, -1))
    Image.fromarray(np.repeat(smooth[..., None], 3, -1)).save(tmp_path / "x.jpg", quality=30)
    assert is_grey(np.asarray(Image.open(tmp_path / "x.jpg")))
    # A thing of 20 pixels in a picture of 640 x 480, of a colour that is just one.
    for height, value in ((0, True), (20, False)):
        spotted = np.repeat(smooth[..., None], 3, -1) // 2
        spotted[100 : 100 + height, 100:120, 0] += 9
        assert is_grey(spotted) == value
        assert is_grey(spotted.astype(np.uint16) * 257) == value
    sepia = np.stack([smooth // 2 + 40, smooth // 2 + 20, smooth // 2], -1)
    assert not is_grey(sepia)
    see_through = np.dstack([sepia, np.zeros_like(smooth)])  # white, whatever lies below
    assert is_grey(see_through)


def test_a_mask_is_cut_as_the_image_is():
    class Masked(Photos):
        def __getitem__(self, index):
            y, x = np.mgrid[:20, :20].astype(np.int32)
            image = np.stack([y, x, y], -1).astype(np.uint8)
            return {"input_image": image, "target_image": image, "mask": (70000 + 100 * y + x)[..., None]}

    source = as_single(Masked())
    assert isinstance(source, SingleView) and source[0].keys() == {"target_image", "mask"}
    stream = training_stream(source, settings())
    assert stream.element_spec["mask"] == tf.TensorSpec([4, 16, 16, 1], tf.int32)
    for batch in taken(stream, 5):
        image = np.round((batch["target_image"].astype(np.float64) + 1) * 127.5).astype(int)
        np.testing.assert_array_equal(batch["mask"][..., 0], 70000 + 100 * image[..., 0] + image[..., 1])
    # Made smaller, a label is one of those that were there, never a mean of two.
    labels = np.array([[1], [9]], np.int32).repeat(30, 0)[..., None].repeat(50, 1)
    assert set(np.unique(resize_and_crop_labels(labels, (13, 17), (11, 12), top=1, left=2))) == {1, 9}


def test_any_data_set_serves_by_its_targets():
    class Pairs(Photos):
        kind = "paired"
        rejected = (BadExample("x.png", "an empty file"),)

        def __getitem__(self, index):
            return {"input_image": self.pictures[index] // 2, "target_image": self.pictures[index], "hue": index}

    unpaired = UnpairedSource(Photos(3), Photos(5), "b_to_a")
    for source, count, keys in [(Pairs(), 10, {"target_image", "hue"}), (unpaired, 3, {"target_image"})]:
        given = DatasetDefinition(kind=source.kind, load=lambda *_, source=source: source, description="")
        assert given.serves("single")
        view = load_for(given, "single", "train", settings(), None)
        assert (view.kind, len(view), view[2].keys(), view.path_of(2)) == ("single", count, keys, "2.png")
    np.testing.assert_array_equal(as_single(Pairs())[4]["target_image"], Photos().pictures[4])
    assert as_single(Pairs()).rejected == Pairs.rejected
    single = DatasetDefinition(kind="single", load=lambda *_: SingleSource(Photos()), description="")
    assert len(load_for(single, "single", "train", settings(), None)) == 10
    assert not single.serves("paired") and not single.serves("unpaired")
    drawn = load_for(DATASETS["shapes"], "single", "val", settings(direction="b_to_a"), None)
    assert "input_image" not in drawn[0] and is_grey(drawn[0]["target_image"]) and drawn.path_of(3) == "example 3"


class Coloured(TranslationModel):
    """From the mean of the channels to the channels, by one convolution."""

    data_kind: ClassVar[str] = "single"
    skip_grey: ClassVar[bool] = True

    @staticmethod
    def make_input(target: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(target, -1, keepdims=True)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        image = keras.Input([None, None, 1])
        self.generator = keras.Model(image, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(image))

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"generator": self.generator}

    @property
    def translators(self) -> dict[str, Translator]:
        channels = {"input_channels": 1, "output_channels": 3}
        networks = {"generator": self.generator}
        return {"t": Translator(function=self.generator, networks=networks, **channels, image_size=16, size_multiple=1)}

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = l1_loss(self.generator(batch["input_image"]), batch["target_image"])
        self.apply_gradients("generator", tape.gradient(loss, self.generator.trainable_variables))
        return {"l1": loss}


def test_training_makes_the_input_and_resumes_exactly(tmp_path):
    def trained(workdir, *lengths):
        for steps in lengths:
            config = Config(image_size=16, batch_size=2, input_channels=1, steps=steps, schedule="constant")
            run = Run(model="coloured", dataset="eight", data_dir=None, settings=config.to_dict())
            intervals = Intervals(sample_every=3, evaluate_every=3)
            source = SingleSource(Photos(8, grey={1, 4}, bad={2}))
            same = {"source": source, "sample_source": source, "intervals": intervals, "say": lambda line: None}
            assert train(Coloured, config, run, tmp_path / workdir, strategy=make_strategy("one"), **same) == 0
        model = Coloured(config)
        assert restore_networks(model, tmp_path / workdir) == lengths[-1]
        return model.generator.get_weights()

    for whole, halves in zip(trained("whole", 5), trained("halves", 2, 5), strict=True):
        np.testing.assert_array_equal(whole, halves)
    assert (tmp_path / "whole" / "samples" / "step_3.png").exists()
    skipped = (tmp_path / "whole" / "skipped_files.txt").read_text().splitlines()
    assert sorted(skipped) == ["1.png\tis grey", "2.png\ttruncated", "4.png\tis grey"]
