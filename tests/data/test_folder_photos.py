"""Photos that stand alone in the user's own folders: which of them are for training, and which are held out."""

import types

import numpy as np
import pytest

from datasets import folder
from datasets.definition import load_for
from gan_zoo.errors import UserError
from gan_zoo.images import encode_png

A_TO_B = types.SimpleNamespace(direction="a_to_b")
B_TO_A = types.SimpleNamespace(direction="b_to_a")


def plain(path, value, grey=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((16, 12 + value % 5, 3), value, np.uint8)
    image[..., 0] += 0 if grey else 50
    path.write_bytes(encode_png(image))


def values(source):
    return [int(example["target_image"][0, 0, 1]) for example in source]


def test_photos_in_a_folder_named_after_a_split(tmp_path):
    for value, name in enumerate(["b/2.png", "a.png", "b/c/3.png", ".hidden/4.png", "b/.5.png", "c/6.png"]):
        plain(tmp_path / "Train" / name, value)
    (tmp_path / "Train" / "b" / "empty.jpg").write_bytes(b"")
    (tmp_path / "Train" / "notes.txt").write_text("no image")
    (tmp_path / "Train" / "c" / "round").symlink_to(tmp_path / "Train")
    source = folder.load_single("train", A_TO_B, str(tmp_path))
    assert (source.kind, values(source)) == ("single", [1, 0, 2, 5])
    assert source.path_of(2) == str(tmp_path / "Train" / "b" / "c" / "3.png")
    assert [(bad.path, bad.reason) for bad in source.rejected] == [
        (str(tmp_path / "Train" / "b" / "empty.jpg"), "an empty file")
    ]
    with pytest.raises(UserError, match=r"no split 'val'; it has train; expected is pictures in train/"):
        folder.load_single("val", A_TO_B, str(tmp_path))
    plain(tmp_path / "test" / "7.png", 7)
    assert values(load_for(folder.DEFINITION, "single", "val", A_TO_B, str(tmp_path))) == [7]


@pytest.mark.parametrize(("a", "b"), [("trainA", "trainB"), ("train/a", "train/b")])
def test_the_target_side_of_two(tmp_path, a, b):
    for index in range(2):
        plain(tmp_path / a / f"{index}.png", index)
        plain(tmp_path / b / "deep" / f"other {index}.png", 100 + index)
    assert values(folder.load_single("train", A_TO_B, str(tmp_path))) == [100, 101]
    assert values(folder.load_single("train", B_TO_A, str(tmp_path))) == [0, 1]


def test_loose_photos_are_shared_out_by_their_names(tmp_path):
    for index in range(60):
        plain(tmp_path / "here" / f"place {index % 3}" / f"{index} é.png", index)
    parts = {split: folder.load_single(split, A_TO_B, str(tmp_path / "here")) for split in ("train", "val", "test")}
    found = {split: values(source) for split, source in parts.items()}
    assert sorted(found["train"] + found["val"]) == list(range(60)) and found["test"] == found["val"]
    # Of 60 with a chance of 0.1 each, 6 are expected, with a deviation of 2.3. The names are fixed, so is the outcome.
    assert 1 <= len(found["val"]) <= 13
    # The share of a picture does not change with those beside it, or the place of the whole.
    (tmp_path / "here" / "place 2").rename(tmp_path / "gone")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = folder.load_single("val", A_TO_B, str(tmp_path / "there"))
    assert values(moved) == [value for value in found["val"] if value % 3 != 2]


def test_few_loose_photos_are_all_for_training(tmp_path):
    for index in range(9):
        plain(tmp_path / f"{index}.png", index)
    assert len(folder.load_single("train", A_TO_B, str(tmp_path))) == 9
    with pytest.raises(UserError, match=r"no split 'val': its 9 images are all for training"):
        folder.load_single("val", A_TO_B, str(tmp_path))


def test_what_is_missing_or_unclear_is_said(tmp_path):
    for data_dir, message in [
        (None, "needs --data_dir, a folder with pictures in train/"),
        (str(tmp_path / "none"), "is not a folder"),
        (str(tmp_path), "no PNG, JPEG, TIFF, WebP, BMP or GIF images below"),
    ]:
        with pytest.raises(UserError, match=message):
            folder.load_single("train", A_TO_B, data_dir)
    plain(tmp_path / "trainA" / "0.png", 0)
    with pytest.raises(UserError, match=r"trainA has no counterpart, the target of direction=a_to_b"):
        folder.load_single("train", A_TO_B, str(tmp_path))
    plain(tmp_path / "trainB" / "0.png", 0)
    (tmp_path / "train").mkdir()
    with pytest.raises(UserError, match=r"trainB and .*train hold images of 'train'"):
        folder.load_single("train", A_TO_B, str(tmp_path))
    (tmp_path / "trainA").rename(tmp_path / "valA")
    (tmp_path / "trainB").rename(tmp_path / "valB")
    with pytest.raises(UserError, match=r"no PNG, .* images below .*train"):
        folder.load_single("train", A_TO_B, str(tmp_path))
