"""The labels of `shapes` and of the user's own folder, and how a user chooses among them."""

import json
import types

import numpy as np
import pytest
from PIL import Image
from tiny_runs import TINY, assert_one_line, run_train

import train
from datasets import DATASETS
from datasets.definition import load_for
from datasets.shapes import HUE_NAMES, HUES, SILHOUETTES, TEXTURES, ShapesSource
from datasets.shapes.measures import hue_difference, hue_of
from gan_zoo.errors import UserError
from gan_zoo.images import encode_png


def config(**changes):
    values = {"image_size": 24, "load_scale": 1.0, "seed": 0, "direction": "b_to_a", "classes": None}
    values |= {"input_channels": 3, "target_channels": 3, "attributes": None, "exclusive": None}
    return types.SimpleNamespace(**(values | changes))


def loaded(name, split="val", data_dir=None, **changes):
    """A split with the settings of its labels filled in, as train.py does, and those."""
    definition, chosen = DATASETS[name], config(**changes)
    filled = definition.label_settings(chosen, data_dir)
    for key, value in filled.items():
        setattr(chosen, key, value)
    return load_for(definition, "labelled", split, chosen, data_dir), filled


def test_shapes_as_classes_of_what_is_asked_for(monkeypatch) -> None:
    source, filled = loaded("shapes", image_size=48)
    assert filled == {"classes": ",".join(HUE_NAMES)} and source.labels == HUE_NAMES and source.kind == "labelled"
    shapes = ShapesSource("val", 48)
    for index in range(12):
        example = source[index]
        assert example.keys() == {"target_image", "label"}  # of the coloured side, whatever the direction
        np.testing.assert_array_equal(example["target_image"], shapes[index]["target_image"])
        (hue,) = np.flatnonzero(example["label"])
        assert abs(hue_difference(hue_of(example["target_image"], shapes.foreground(index))[0], HUES[hue])) < 1
        np.testing.assert_array_equal(source.label_of(index), example["label"])
    for name, factor, names in (("pattern", "texture", TEXTURES), ("silhouette", "silhouette", SILHOUETTES)):
        source, filled = loaded("shapes", classes=name)
        assert filled["classes"] == ",".join(names) and len(source) == 200
        assert all(source.label_of(index).argmax() == shapes[index][factor] for index in range(20))
    two, _ = loaded("shapes", classes="blue,red")
    hues = [int(shapes[index]["hue"]) for index in range(200)]
    assert len(two) == hues.count(0) + hues.count(4) and two.labels == ("blue", "red")
    first = next(index for index in range(200) if hues[index] in (0, 4))
    assert two.label_of(0).tolist() == ([0.0, 1.0] if hues[first] == 0 else [1.0, 0.0])


def test_shapes_as_attributes() -> None:
    source, filled = loaded("shapes", attributes="pattern,red,blue,fish")
    assert filled == {
        "attributes": "plain,stripes,dots,checks,red,blue,fish",
        "exclusive": "red,blue;plain,stripes,dots,checks",
    }
    shapes = ShapesSource("val", 24)
    for index in range(20):
        example = shapes[index]
        expected = [*np.eye(4)[example["texture"]], example["hue"] == 0, example["hue"] == 4]
        np.testing.assert_array_equal(source.label_of(index), [*expected, example["silhouette"] == 7])
    assert loaded("shapes", attributes="red,blue", exclusive="")[1]["exclusive"] == ""


WRONG = [
    ({"classes": "red,purple"}, "classes=red,purple: shapes has no purple; there are red, yellow, green"),
    ({"classes": "red,dots"}, "classes=red,dots: give classes of one of hue, pattern, silhouette"),
    ({"attributes": "Male"}, "attributes=Male: shapes has no Male; there are red, yellow, green"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_an_unknown_label_is_listed_against_those_that_there_are(changes, message) -> None:
    with pytest.raises(UserError, match=message):
        loaded("shapes", **changes)


def write(path, level=0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((16, 16, 3), level, np.uint8)))


def test_a_folder_for_each_class(tmp_path, capsys) -> None:
    for number, name in enumerate(["happy", "Sad face", "angry"]):
        for index in range(3):
            write(tmp_path / "train" / name / "more" / f"{index}.png", 10 * number + index)
        write(tmp_path / "test" / name / "0.png", 100 + number)
    write(tmp_path / "train" / "alone.png")
    write(tmp_path / "train" / "@eaDir" / "thumbnail.png")
    source, filled = loaded("folder", "train", tmp_path)
    assert filled == {"classes": "Sad face,angry,happy"} and len(source) == 9
    found = {int(source[index]["target_image"][0, 0, 0]): source.label_of(index).argmax() for index in range(9)}
    assert found == {0: 2, 1: 2, 2: 2, 10: 0, 11: 0, 12: 0, 20: 1, 21: 1, 22: 1}
    assert [bad.reason for bad in source.rejected] == ["lies in no folder of a class: Sad face, angry, happy"]
    assert "few images to learn some labels from: Sad face 3, angry 3, happy 3" in capsys.readouterr().err
    two, _ = loaded("folder", "val", tmp_path, classes="happy,angry")
    assert [int(two[index]["target_image"][0, 0, 0]) for index in range(len(two))] == [102, 100]
    assert [two.label_of(index).argmax() for index in range(2)] == [1, 0]
    assert two.domain.reading.colour_profiles
    assert not loaded("folder", "val", tmp_path, colour_profiles=False)[0].domain.reading.colour_profiles
    with pytest.raises(UserError, match="has no glad; there are Sad face, angry, happy"):
        loaded("folder", "train", tmp_path, classes="happy,glad")
    with pytest.raises(UserError, match="has no attributes; it has classes: Sad face"):
        loaded("folder", "train", tmp_path, attributes="happy")


def test_folders_of_classes_alone_are_shared_out(tmp_path) -> None:
    for name in ("a", "b"):  # which are no sides of pairs here
        for index in range(20):
            write(tmp_path / name / f"{index}.png")
    parts = [loaded("folder", split, tmp_path)[0] for split in ("train", "val")]
    assert sum(map(len, parts)) == 40 and 0 < len(parts[1]) < 12 and parts[0].labels == ("a", "b")
    write(tmp_path / "val" / "a" / "0.png")
    with pytest.raises(UserError, match="has no split 'train', whose folders say which classes there are"):
        loaded("folder", "val", tmp_path)


def test_attributes_in_a_file_beside_the_pictures(tmp_path) -> None:
    for index in range(5):
        write(tmp_path / "train" / f"{index}.png", index)
    write(tmp_path / "val" / "5.png", 5)
    lines = [
        "6",
        "Black_Hair Blond_Hair Male",
        "0.png  1 -1 -1",
        "1.png -1 1  1",
        "2.png -1 -1 2",
        "train/3.png -1 -1 1",
    ]
    (tmp_path / "list_attr_mine.txt").write_text("\n".join([*lines, "5.png 1 1 1", ""]))
    source, filled = loaded("folder", "train", tmp_path)
    assert filled == {"attributes": "Black_Hair,Blond_Hair,Male", "exclusive": "Black_Hair,Blond_Hair"}
    labels = [source.label_of(index).tolist() for index in range(len(source))]
    assert labels == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert [bad.reason for bad in source.rejected] == [
        "line 5 of list_attr_mine.txt has not 1 or -1 for each of 3 attributes",
        "has no line in list_attr_mine.txt",
    ]
    one, filled = loaded("folder", "val", tmp_path, attributes="Male")
    assert one.label_of(0).tolist() == [1] and filled == {"attributes": "Male", "exclusive": ""}
    with pytest.raises(UserError, match="has no Beard; there are Black_Hair, Blond_Hair, Male"):
        loaded("folder", "train", tmp_path, attributes="Male,Beard")
    (tmp_path / "list_attr_mine.txt").write_text("Male\n0.png 1\n")
    with pytest.raises(UserError, match="expected a line with the count of pictures"):
        loaded("folder", "train", tmp_path)
    (tmp_path / "list_attr_two.txt").write_text("")
    with pytest.raises(UserError, match="say attributes: keep one of them"):
        loaded("folder", "train", tmp_path)


def test_training_fills_in_what_the_data_set_knows(tmp_path, monkeypatch) -> None:
    trained = []
    monkeypatch.setattr(train, "train", lambda *args, **kwargs: trained.append((args, kwargs)) or 0)
    tiny = [f"--set={key}={value}" for key, value in TINY["stargan"].items() if key != "classes"]
    words = ["--model=stargan", "--dataset=shapes", f"--workdir={tmp_path / 'run'}", *tiny]
    result = run_train(*words, "--set=attributes=hue,dots")
    assert result.code == 0 and "exclusive" in result.out, result
    (_, config, run, _), sources = trained[0]
    assert config.attributes == ",".join([*HUE_NAMES, "dots"]) and config.exclusive == ",".join(HUE_NAMES)
    assert (run.origins["attributes"], run.origins["exclusive"]) == ("--set", "data set")
    assert sources["source"].labels == config.label_names and json.dumps(run.settings)
    assert run_train(*words).code == 0 and trained[1][0][1].classes == ",".join(HUE_NAMES)
    assert trained[1][0][2].origins["classes"] == "data set"
    assert_one_line(run_train(*words, "--set=classes=purple"), 2, "shapes has no purple; there are red")
    wrong = run_train("--model=stargan", "--dataset=coco", f"--workdir={tmp_path / 'run'}")
    assert_one_line(wrong, 2, "stargan learns from labelled images", "fitting are shapes, folder, celeb_a, mnist")
    pairs = run_train("--model=stargan", "--dataset=facades", f"--workdir={tmp_path / 'run'}")
    assert_one_line(pairs, 2, "facades has paired ones")


def test_pictures_of_a_folder_that_are_no_pictures_have_no_label(tmp_path) -> None:
    write(tmp_path / "train" / "a" / "0.png")
    write(tmp_path / "train" / "b" / "0.png")
    (tmp_path / "train" / "a" / "empty.png").write_bytes(b"")
    Image.new("L", (16, 16)).save(tmp_path / "train" / "b" / "1.png")
    source, _ = loaded("folder", "train", tmp_path)
    assert len(source) == 3 and [bad.reason for bad in source.rejected] == ["an empty file"]
    assert [source.label_of(index).argmax() for index in range(3)] == [0, 1, 1]
