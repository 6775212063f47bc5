"""Labels of sets of tensorflow-datasets: sets that are made here, and what TFDS says of those that are not there."""

import types

import numpy as np
import pytest
import tensorflow_datasets as tfds

from datasets import DATASETS, find_dataset, tfds_images
from datasets.definition import load_for
from datasets.tfds_images import tfds_definition
from gan_zoo.errors import UserError

HAIR = ("Black_Hair", "Brown_Hair")


class GanZooLabels(tfds.core.GeneratorBasedBuilder):
    """Pictures that are as bright as their class, of which one has two examples alone, and as wide as their index."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(names=["cat", "dog", "owl"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index in range(30):
            label = 1 if index < 2 else 2 * (index % 2)
            yield index, {"image": np.full((20, 30 + index, 3), 40 * label, np.uint8), "label": label}


class GanZooAttributes(GanZooLabels):
    def _info(self):
        attributes = dict.fromkeys((*HAIR, "Male"), np.bool_)
        features = {"image": tfds.features.Image(), "attributes": attributes}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self):
        for index in range(10):
            image = np.zeros((20, 30, 3), np.uint8)
            image[5:15, 10:20] = index
            attributes = {name: bool(index >> bit & 1) for bit, name in enumerate((*HAIR, "Male"))}
            yield index, {"image": image, "attributes": attributes}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(tmp_path_factory.mktemp("tfds"))


def loaded(definition, data_dir, split="train", **changes):
    values = {"classes": None, "attributes": None, "exclusive": None} | changes
    chosen = types.SimpleNamespace(**values)
    filled = definition.label_settings(chosen, data_dir)
    for key, value in filled.items():
        setattr(chosen, key, value)
    return load_for(definition, "labelled", split, chosen, data_dir), filled


def test_classes(data_dir, capfd) -> None:
    definition = find_dataset("tfds:gan_zoo_labels")
    assert definition.serves("labelled") and definition.serves("single")
    source, filled = loaded(definition, data_dir)
    assert filled == {"classes": "cat,dog,owl"} and len(source) == 27 and source.kind == "labelled"
    for index in range(27):
        level = int(source[index]["target_image"][0, 0, 0])
        np.testing.assert_array_equal(source[index]["label"], np.eye(3)[level // 40])
    assert "gan_zoo_labels has few images to learn some labels from: cat 1" in capfd.readouterr().err
    two, _ = loaded(definition, data_dir, classes="owl,dog")
    levels = [int(two[index]["target_image"][0, 0, 0]) for index in range(len(two))]
    assert {*levels} <= {40, 80} and levels.count(80) >= 12
    np.testing.assert_array_equal([two.label_of(index).argmax() for index in range(len(two))], np.array(levels) == 40)
    with pytest.raises(UserError, match="classes=owl,emu: gan_zoo_labels has no emu; there are cat, dog, owl"):
        loaded(definition, data_dir, classes="owl,emu")
    assert load_for(definition, "single", "train", types.SimpleNamespace(), data_dir)[0].keys() == {"target_image"}


def test_attributes_of_the_middle_of_pictures(data_dir) -> None:
    definition = tfds_definition("gan_zoo_attributes", labelled=True, centre=10, attributes=("Male", "Black_Hair"))
    source, filled = loaded(definition, data_dir)
    assert filled == {"attributes": "Male,Black_Hair", "exclusive": ""}
    for index in range(len(source)):
        image = source[index]["target_image"]
        number = int(image[0, 0, 0])
        assert image.shape == (10, 10, 3) and (image == number).all()
        np.testing.assert_array_equal(source.label_of(index), [number >> 2 & 1, number & 1])
    hair, filled = loaded(definition, data_dir, attributes="Brown_Hair,Black_Hair")
    assert filled["exclusive"] == "Black_Hair,Brown_Hair" and hair.labels == ("Brown_Hair", "Black_Hair")
    with pytest.raises(UserError, match="has no Beard; there are Black_Hair, Brown_Hair, Male"):
        loaded(definition, data_dir, attributes="Beard")


@pytest.mark.parametrize(("name", "size"), [("celeb_a", "2 GB"), ("mnist", "up to 12 MB"), ("svhn_cropped", "2 GB")])
def test_the_named_sets_know_their_labels_and_say_how_large_they_are(name, size, tmp_path, monkeypatch, capsys) -> None:
    definition = DATASETS[name]
    asked = []
    monkeypatch.setattr(tfds_images, "prepare", lambda builder: asked.append(capsys.readouterr().err) or 1 / 0)
    with pytest.raises(UserError, match="cannot be prepared: division by zero"):
        loaded(definition, str(tmp_path))
    assert f"a download of {size}" in asked[0]
    config = types.SimpleNamespace(classes=None, attributes=None, exclusive=None)
    filled = definition.label_settings(config, str(tmp_path))
    if name == "celeb_a":
        assert filled["attributes"] == "Black_Hair,Blond_Hair,Brown_Hair,Male,Young"
        assert filled["exclusive"] == "Black_Hair,Blond_Hair,Brown_Hair"
        config.attributes = "Smiling,Beard"
        with pytest.raises(UserError, match=r"celeb_a has no Beard; there are 5_o_Clock_Shadow, .*Smiling.*, Young"):
            definition.label_settings(config, str(tmp_path))
    else:
        assert filled == {"classes": "0,1,2,3,4,5,6,7,8,9"}


def test_sets_without_labels_say_so(tmp_path) -> None:
    assert not DATASETS["coco"].serves("labelled") and not DATASETS["div2k"].serves("labelled")
    definition = find_dataset("tfds:div2k/bicubic_x8")
    with pytest.raises(UserError, match="has no attributes, nor other labels"):
        loaded(definition, str(tmp_path))
