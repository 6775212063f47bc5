"""Image sets of tensorflow-datasets by name: sets that are made here, and everything about COCO but its download."""

import io
import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from icc_profiles import rgb_profile
from PIL import Image
from tiny_runs import assert_one_line, run_train

import train
from datasets import DATASETS, find_dataset, tfds_images
from datasets.definition import load_for
from datasets.tfds_images import TFDSImages, labels, tfds_definition
from gan_zoo.config import Config
from gan_zoo.data.pipeline import training_stream
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, encode_png
from gan_zoo.models import MODELS

CONFIG = types.SimpleNamespace(direction="a_to_b")
SPLITS = {"gan_zoo_photos": {"train": 4, "validation": 3}, "gan_zoo_photos/whole": {"train": 10}}


class GanZooPhotos(tfds.core.GeneratorBasedBuilder):
    """Noise with a name, a mask, and objects that nobody asks for; the second of all splits is grey."""

    BUILDER_CONFIGS = tuple(tfds.core.BuilderConfig(name=name, version="1.0.0") for name in ("parts", "whole"))

    def _info(self):
        features = {
            "image": tfds.features.Image(),
            "image/filename": tfds.features.Text(),
            "panoptic_image": tfds.features.Image(),
            "objects": tfds.features.Sequence({"bbox": tfds.features.BBoxFeature()}),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        counts = {"whole": {"train": 10}, "parts": {"train": 4, "validation": 3}}[self.builder_config.name]
        return {split: self._generate_examples(split, count) for split, count in counts.items()}

    def _generate_examples(self, split, count):
        for index in range(count):
            image = photo(split, index)
            mask = np.dstack([image[..., 0] % 3, image[..., 0] % 2, np.full_like(image[..., 0], 1)])
            yield index, {"image": image, "image/filename": f"{index}.png", "panoptic_image": mask, "objects": []}


class GanZooWords(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict({"text": tfds.features.Text()}))

    def _split_generators(self, dl_manager):
        raise AssertionError("nothing is to be prepared")

    def _generate_examples(self):
        raise NotImplementedError


class GanZooBroken(GanZooPhotos):
    BUILDER_CONFIGS = ()
    VERSION = tfds.core.Version("1.0.0")

    def _split_generators(self, dl_manager):
        raise OSError("the address of these\npictures has moved")


def photo(split, index):
    image = np.random.default_rng([len(split), index]).integers(0, 256, (12, 10 + index, 3), np.uint8)
    return np.repeat(image[..., :1], 3, -1) if index == 1 else image


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(tmp_path_factory.mktemp("tfds"))


def by_name(source):
    return {source.path_of(index): source[index] for index in range(len(source))}


def test_a_set_by_its_name(data_dir, capfd):
    definition = find_dataset("tfds:gan_zoo_photos")
    assert definition.kind == "single" and definition.serves("single") and not definition.serves("paired")
    source = load_for(definition, "single", "train", CONFIG, data_dir)
    said = capfd.readouterr().err
    assert said.index("note: gan_zoo_photos/parts/1.0.0 is not in") < said.index("download of unknown size")
    assert source.kind == "single" and len(source) == 4
    found = by_name(source)
    assert found.keys() == {f"gan_zoo_photos/train/{index}.png" for index in range(4)}
    for index in range(4):
        example = found[f"gan_zoo_photos/train/{index}.png"]
        assert example.keys() == {"target_image"}
        np.testing.assert_array_equal(example["target_image"], photo("train", index))
    # Prepared once; TFDS' name for it, and what stands in for what is not there.
    held_out = {split: load_for(definition, "single", split, CONFIG, data_dir) for split in ("val", "test")}
    assert len(held_out["val"]) == len(held_out["test"]) == 3
    said = capfd.readouterr().err
    assert "is not in" not in said and "has no split 'test': using 'validation'" in said and "'val'" not in said
    with pytest.raises(UserError, match="gan_zoo_photos has no split 'dev'; it has train, val, test"):
        load_for(definition, "single", "dev", CONFIG, data_dir)


def test_grey_ones_are_skipped_by_name(data_dir, tmp_path):
    source = load_for(tfds_definition("gan_zoo_photos"), "single", "train", CONFIG, data_dir)
    sizes = {"image_size": 8, "load_scale": 1.25, "preprocess": "resize_and_crop", "flip": True, "batch_size": 4}
    config = types.SimpleNamespace(**sizes, seed=0, input_channels=1, target_channels=3)
    stream = training_stream(source, config, skip_grey=True, skipped=SkippedFiles(tmp_path / "list.txt"))
    assert next(iter(stream))["target_image"].shape == (4, 8, 8, 3)
    assert (tmp_path / "list.txt").read_text() == "gan_zoo_photos/train/1.png\tis grey\n"


def test_a_mask_comes_with_its_image(data_dir):
    definition = tfds_definition("gan_zoo_photos", mask_key="panoptic_image")
    for name, example in by_name(load_for(definition, "single", "val", CONFIG, data_dir)).items():
        image = photo("validation", int(name.split("/")[-1][0]))
        red, green = image[..., :1] % 3, image[..., :1] % 2
        np.testing.assert_array_equal(example["mask"], red + 256 * green.astype(np.int32) + 65536)
        assert example["mask"].dtype == np.int32


def test_the_last_tenth_is_held_out_where_there_is_but_one_split(data_dir, capsys):
    definition = tfds_definition("gan_zoo_photos/whole")
    parts = [load_for(definition, "single", split, CONFIG, data_dir) for split in ("train", "val", "test")]
    train, val, test = ({name.split("/")[-1] for name in by_name(part)} for part in parts)
    assert (len(train), len(val)) == (9, 1) and test == val
    assert train | val == {f"{index}.png" for index in range(10)}
    assert capsys.readouterr().err.count("its last tenth is held out") == 1


def test_what_cannot_be_had_is_said_in_one_line(data_dir, monkeypatch):
    for name, message in [
        ("gan_zoo_photo", "tensorflow-datasets knows no 'gan_zoo_photo'; did you mean gan_zoo_photos"),
        ("qqqqqqqq", "tensorflow-datasets knows no 'qqqqqqqq'; see https://"),
        ("gan_zoo_photos/halves", "tfds:gan_zoo_photos/halves: .*BuilderConfig halves not found"),
        ("two words", "tfds:two words: Parsing builder name string two words failed"),
        (
            "gan_zoo_words",
            "gan_zoo_words of tensorflow-datasets has no images: a feature `image` is needed, it has text",
        ),
        ("gan_zoo_broken", "gan_zoo_broken cannot be prepared: the address of these pictures has moved"),
    ]:
        with pytest.raises(UserError, match=message) as caught:
            load_for(find_dataset(f"tfds:{name}"), "single", "train", CONFIG, data_dir)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    with pytest.raises(UserError, match=r"--dataset=flowers is unknown; there are shapes, .*tfds:NAME"):
        find_dataset("flowers")


def test_training_takes_it_by_its_name(data_dir, monkeypatch):
    trained = []
    monkeypatch.setattr(train, "train", lambda *args, **kwargs: trained.append((args, kwargs)) or 0)
    single = types.SimpleNamespace(data_kind="single", config_class=Config)
    monkeypatch.setitem(MODELS, "single", single)
    words = ["--dataset=tfds:gan_zoo_photos/parts", f"--data_dir={data_dir}", "--batch_size=2"]
    result = run_train("--model=single", *words)
    assert result.code == 0 and "single on tfds:gan_zoo_photos/parts: 4 training examples" in result.out, result
    (model_class, _, run, workdir), sources = trained[0]
    assert model_class is single and run.dataset == "tfds:gan_zoo_photos/parts" and run.num_examples == 4
    # A colon would mean something else to TensorBoard, a slash to the file system.
    assert workdir == "runs/single_tfds_gan_zoo_photos_parts"
    assert (len(sources["source"]), len(sources["sample_source"])) == (4, 3)
    assert_one_line(run_train("--model=pix2pix", *words), 2, "pix2pix learns from paired images", "has single ones")


def record(**images):
    features = {key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[data])) for key, data in images.items()}
    return tf.train.Example(features=tf.train.Features(feature=features))


def test_damaged_images_are_bad_examples():
    good, small = (encode_png(np.zeros((size, size, 3), np.uint8)) for size in (16, 9))
    records = [record(image=good[:-20], filename=b"a.jpg"), record(filename=b"b.jpg")]
    source = TFDSImages(records, "photos/train", "filename")
    for index, message in enumerate(["photos/train/a.jpg: a truncated or damaged PNG", "photos/train/b.jpg: an empty"]):
        with pytest.raises(BadExample, match=message):
            source[index]
    with pytest.raises(BadExample, match="photos/val/0: its mask has another size"):
        TFDSImages([record(image=good, mask=small)], "photos/val", mask_key="mask")[0]
    np.testing.assert_array_equal(labels(np.array([[[1, 2, 3]]], np.uint8)), [[[1 + 2 * 256 + 3 * 65536]]])


def test_a_colour_profile_changes_colours_and_no_labels():
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 160, 120)).save(buffer, "PNG", icc_profile=rgb_profile())
    source = TFDSImages([record(image=buffer.getvalue(), mask=buffer.getvalue())], "photos/val", mask_key="mask")
    assert (source[0]["mask"] == 90 + 160 * 256 + 120 * 65536).all()
    assert (source[0]["target_image"][..., 0] < 70).all()


def test_div2k_is_its_large_pictures_of_a_size_that_is_known(tmp_path, monkeypatch):
    builder = tfds.builder("div2k/bicubic_x8", data_dir=str(tmp_path))
    urls = builder.builder_config.download_urls.values()
    assert abs(sum(builder.url_infos[url].size for url in urls) / 1e9 - 4) < 0.5
    assert isinstance(builder.info.features["hr"], tfds.features.Image)
    monkeypatch.setattr(tfds_images.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=11.9e9))
    with pytest.raises(UserError, match="needs about 12 GB below"):
        DATASETS["div2k"].load("train", CONFIG, str(tmp_path))
    large, small = photo("train", 0), photo("train", 3)
    source = TFDSImages([record(hr=encode_png(large), lr=encode_png(small))], "div2k/train", image_key="hr")
    np.testing.assert_array_equal(source[0]["target_image"], large)


@pytest.mark.parametrize(("name", "gigabytes"), [("coco", 27), ("coco_panoptic", 21)])
def test_coco_says_how_large_it_is_before_it_comes(name, gigabytes, tmp_path, monkeypatch, capsys):
    # What TFDS will ask for, by the list of sizes that it brings along.
    builder = tfds.builder({"coco": "coco/2017", "coco_panoptic": "coco/2017_panoptic"}[name], data_dir=str(tmp_path))
    archives = {part for split in builder.builder_config.splits for part in (split.images, split.annotations)}
    sizes = [info.size for url, info in builder.url_infos.items() if url.rpartition("/")[2][: -len(".zip")] in archives]
    assert len(sizes) == len(archives) and abs(sum(sizes) / 1e9 - gigabytes) < 0.5
    assert isinstance(builder.info.features["image"], tfds.features.Image)
    assert ("panoptic_image" in builder.info.features) == (name == "coco_panoptic")

    asked = []
    monkeypatch.setattr(tfds_images, "prepare", lambda builder: asked.append(capsys.readouterr().err) or 1 / 0)
    disk = types.SimpleNamespace(free=3.01e9 * gigabytes)
    monkeypatch.setattr(tfds_images.shutil, "disk_usage", lambda path: disk)
    with pytest.raises(UserError, match="cannot be prepared: division by zero"):
        DATASETS[name].load("train", CONFIG, str(tmp_path))
    assert len(asked) == 1 and f"a download of {gigabytes} GB" in asked[0]
    disk.free = 2.99e9 * gigabytes
    with pytest.raises(UserError, match=f"needs about {3 * gigabytes} GB below .*: free some or give another"):
        DATASETS[name].load("train", CONFIG, str(tmp_path))
    assert len(asked) == 1


def test_jpegs_come_as_their_decoder_says(tmp_path):
    Image.fromarray(photo("train", 0)).convert("L").save(tmp_path / "x.jpg")
    image = TFDSImages([record(image=(tmp_path / "x.jpg").read_bytes())], "photos/train")[0]["target_image"]
    assert image.shape == (12, 10, 1)
