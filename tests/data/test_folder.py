"""The user's own folders: each layout, each way in which files can be wrong."""

import os
import types
import unicodedata

import numpy as np
import pytest
from PIL import Image

from datasets import DATASETS, folder
from gan_zoo.data.pipeline import training_stream
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, encode_png

A_TO_B = types.SimpleNamespace(direction="a_to_b")
B_TO_A = types.SimpleNamespace(direction="b_to_a")


def plain(value, width=16, height=16, channels=3, dtype=np.uint8):
    return np.full((height, width, channels), value, dtype)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".png":
        path.write_bytes(encode_png(image))
    else:
        Image.fromarray(image.squeeze()).save(path)


def values(example):
    return int(example["input_image"].mean().round()), int(example["target_image"].mean().round())


def pair(value):
    return np.concatenate([plain(value), plain(value + 100)], 1)


def test_side_by_side(tmp_path):
    for index in range(3):
        write(tmp_path / "train" / f"pair {index} é.png", pair(10 * index))
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert [values(source[index]) for index in range(len(source))] == [(0, 100), (10, 110), (20, 120)]
    assert source[0]["input_image"].shape == (16, 16, 3)
    assert values(folder.load("train", B_TO_A, str(tmp_path))[1]) == (110, 10)


@pytest.mark.parametrize(
    ("a", "b"), [("trainA", "trainB"), ("train/a", "train/b"), ("train/A", "train/B"), ("TRAINa", "TrainB")]
)
def test_two_folders(tmp_path, a, b):
    # Equal names pair first: "x.png" belongs to "x.png" though there is an "x.jpg" too.
    for name_a, name_b, value in [("é 1.png", "é 1.jpg", 0), ("x.png", "x.png", 20), ("x.jpg", "x.jpg", 40)]:
        write(tmp_path / a / name_a, plain(value))
        write(tmp_path / b / name_b, plain(value + 100))
    (tmp_path / a / "Thumbs.db").write_bytes(b"no image")
    (tmp_path / a / "._x.png").write_bytes(b"no image")
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert sorted(values(example) for example in source) == [(0, 100), (20, 120), (40, 140)]
    assert sorted(values(example) for example in folder.load("train", B_TO_A, str(tmp_path)))[0] == (100, 0)
    assert not source.rejected


def test_accents_pair_in_either_spelling(tmp_path):
    write(tmp_path / "trainA" / unicodedata.normalize("NFC", "é.png"), plain(1))
    write(tmp_path / "trainB" / unicodedata.normalize("NFD", "é.png"), plain(2))
    assert values(folder.load("train", A_TO_B, str(tmp_path))[0]) == (1, 2)


@pytest.mark.parametrize("suffix", [".PNG", ".jpg", ".jpeg", ".webp", ".bmp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_formats(tmp_path, suffix, channels):
    write(tmp_path / "train" / f"x{suffix}", np.concatenate([plain(50, channels=channels)] * 2, 1))
    example = folder.load("train", A_TO_B, str(tmp_path))[0]
    assert example["input_image"].shape[:2] == (16, 16)
    assert np.abs(example["input_image"].astype(int) - 50).max() <= 1


def test_16_bit_and_alpha_reach_the_batch(tmp_path):
    write(tmp_path / "trainA" / "x.png", plain(257 * 20 + 100, dtype=np.uint16))
    transparent = plain(30, channels=4)
    transparent[..., 3] = 0
    write(tmp_path / "trainB" / "x.png", transparent)
    channels = {"input_channels": 1, "target_channels": 3}
    sizes = {"image_size": 16, "load_scale": 1.0, "preprocess": "crop", "batch_size": 1}
    config = types.SimpleNamespace(direction="a_to_b", flip=False, seed=0, **channels, **sizes)
    batch = next(iter(training_stream(folder.load("train", config, str(tmp_path)), config)))
    np.testing.assert_allclose(batch["input_image"], 5240 / 32767.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(batch["target_image"], np.ones((1, 16, 16, 3)))


def test_files_that_are_found_bad_at_the_start(tmp_path):
    for name in ("good", "empty", "alone a", "twice"):
        write(tmp_path / "trainA" / f"{name}.png", plain(0))
        write(tmp_path / "trainB" / f"{name.replace(' a', ' b')}.png", plain(0))
    write(tmp_path / "trainA" / "pair.bmp", plain(0))
    write(tmp_path / "trainB" / "pair.jpg", plain(0))
    write(tmp_path / "trainB" / "twice.jpg", plain(0))
    (tmp_path / "trainB" / "empty.png").write_bytes(b"")
    (tmp_path / "trainA" / "old.ico").write_bytes(b"an icon")
    write(tmp_path / "trainB" / "old.png", plain(0))
    (tmp_path / "trainA" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    write(tmp_path / "trainB" / "gone.png", plain(0))
    os.mkfifo(tmp_path / "trainA" / "pipe.png")
    write(tmp_path / "trainB" / "pipe.png", plain(0))
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert sorted(os.path.basename(paths[0]) for paths in source.files) == ["good.png", "pair.bmp", "twice.png"]
    assert sorted(
        (os.path.relpath(bad.path, tmp_path), bad.reason.split(str(tmp_path))[0]) for bad in source.rejected
    ) == [
        ("trainA/alone a.png", "no partner of that name in "),
        ("trainA/gone.png", "a link that leads nowhere"),
        ("trainA/old.ico", "not a PNG, JPEG, TIFF, WebP, BMP or GIF image"),
        ("trainA/pipe.png", "not a regular file"),
        ("trainB/alone b.png", "no partner of that name in "),
        ("trainB/empty.png", "an empty file"),
        ("trainB/twice.jpg", "no partner of that name in "),
    ]


def test_files_that_are_found_bad_when_read(tmp_path):
    train = tmp_path / "train"
    write(train / "2 narrow.png", plain(0, width=14))
    write(train / "3 small.png", plain(0, width=3, height=3))
    (train / "4 text.jpg").write_text("This is a text.")
    write(train / "5 truncated.jpg", pair(0))
    (train / "5 truncated.jpg").write_bytes((train / "5 truncated.jpg").read_bytes()[:-10])
    reasons = [
        "halves of 7x16 pixels",
        "3x3 pixels",
        "not a PNG",
        "a truncated or damaged JPEG file",
    ]
    source = folder.load("train", A_TO_B, str(tmp_path))
    for index, reason in enumerate(reasons):
        with pytest.raises(BadExample) as caught:
            source[index]
        assert caught.value.reason.startswith(reason)
        assert caught.value.path == str(sorted(train.iterdir())[index])


def test_unreadable_file(tmp_path, monkeypatch):
    write(tmp_path / "train" / "x.png", pair(0))

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    # The superuser may read everything, so taking the permission away would prove nothing there.
    monkeypatch.setattr(folder.Path, "read_bytes", refuse)
    with pytest.raises(BadExample, match=r"x\.png: cannot be read: Permission denied"):
        folder.load("train", A_TO_B, str(tmp_path))[0]


def test_pairs_must_lie_over_each_other(tmp_path):
    for name, side, width, height in [("double", 16, 32, 32), ("rounded", 50, 100, 99), ("wide", 16, 32, 16)]:
        write(tmp_path / "trainA" / f"{name}.png", plain(0, width=side, height=side))
        write(tmp_path / "trainB" / f"{name}.png", plain(0, width=width, height=height))
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert source[0]["target_image"].shape == (32, 32, 3)
    assert source[1]["target_image"].shape == (99, 100, 3)
    with pytest.raises(BadExample, match="different proportions: 16x16 and 32x16 pixels"):
        source[2]


def test_mostly_bad_is_refused_with_the_list(tmp_path):
    for name in ("trainA/x.png", "trainA/z.png", "trainB/y.png", "trainB/z.png"):
        write(tmp_path / name, plain(0))
    skipped = SkippedFiles(tmp_path / "skipped_files.txt")
    with pytest.raises(UserError, match="2 of 3 examples are bad"):
        training_stream(
            folder.load("train", A_TO_B, str(tmp_path)),
            types.SimpleNamespace(image_size=16, load_scale=1.0, preprocess="crop", batch_size=1, seed=0),
            skipped=skipped,
        )
    assert len((tmp_path / "skipped_files.txt").read_text().splitlines()) == 2


def test_domains_that_are_no_pairs_are_refused_at_once(tmp_path):
    write(tmp_path / "trainA" / "horse.png", plain(0))
    write(tmp_path / "trainB" / "zebra.png", plain(0))
    with pytest.raises(UserError, match=r"trainB have no name in common: .* only a model of unpaired images"):
        folder.load("train", A_TO_B, str(tmp_path))


def test_val_and_test_stand_in_for_each_other(tmp_path, capsys):
    write(tmp_path / "train" / "x.png", pair(0))
    with pytest.raises(UserError, match="no split 'val'; it has train;"):
        folder.load("val", A_TO_B, str(tmp_path))
    write(tmp_path / "testA" / "x.png", plain(3))
    write(tmp_path / "testB" / "x.png", plain(4))
    for _ in range(2):
        assert values(folder.load("val", A_TO_B, str(tmp_path))[0]) == (3, 4)
    assert capsys.readouterr().err.count("using 'test'") == 1
    write(tmp_path / "val" / "x.png", pair(5))
    assert values(folder.load("val", A_TO_B, str(tmp_path))[0]) == (5, 105)


def test_what_is_missing_is_said(tmp_path):
    for data_dir, message in [
        (None, "needs --data_dir"),
        (str(tmp_path / "none"), "is not a folder"),
        (str(tmp_path), "has no split 'train'; it has nothing; expected is train/ with side-by-side pairs"),
    ]:
        with pytest.raises(UserError, match=message):
            folder.load("train", A_TO_B, data_dir)
    write(tmp_path / "0.png", pair(0))
    with pytest.raises(UserError, match=r"it has 0\.png; expected"):
        folder.load("train", A_TO_B, str(tmp_path))
    (tmp_path / "train").mkdir()
    with pytest.raises(UserError, match="no PNG, JPEG, TIFF, WebP, BMP or GIF images below"):
        folder.load("train", A_TO_B, str(tmp_path))


def test_unclear_layouts_are_refused(tmp_path):
    write(tmp_path / "train" / "x.png", pair(0))
    write(tmp_path / "trainA" / "x.png", plain(0))
    write(tmp_path / "trainB" / "x.png", plain(0))
    with pytest.raises(UserError, match=r"trainA and .*train hold images of 'train'"):
        folder.load("train", A_TO_B, str(tmp_path))
    (tmp_path / "TrainA").mkdir()
    with pytest.raises(UserError, match="differ in case only"):
        folder.load("train", A_TO_B, str(tmp_path))


def test_it_is_on_the_list():
    assert DATASETS["folder"] is folder.DEFINITION
    assert DATASETS["folder"].kind == "paired"


@pytest.mark.parametrize(("a", "b"), [("trainA", "trainB"), ("train/A", "train/B")])
def test_two_domains_need_no_partners(tmp_path, a, b):
    for index in range(3):
        write(tmp_path / a / f"horse {index}.png", plain(index, width=20 + index))
    for index in range(5):
        write(tmp_path / b / f"zebra {index}.jpg", plain(100 + 10 * index, height=24))
    (tmp_path / b / "empty.png").write_bytes(b"")
    (tmp_path / b / "text.png").write_text("This is a text.")
    source = folder.load_unpaired("train", A_TO_B, str(tmp_path))
    inputs, targets = source.domains["input_image"], source.domains["target_image"]
    assert (source.kind, len(source), len(inputs), len(targets)) == ("unpaired", 6, 3, 6)
    assert [image.shape for image in inputs] == [(16, 20, 3), (16, 21, 3), (16, 22, 3)]
    assert [bad.reason for bad in targets.rejected] == ["an empty file"]
    assert not inputs.rejected
    with pytest.raises(BadExample, match=r"text\.png: not a PNG"):
        targets[0]
    assert targets[5].mean().round() == 140
    swapped = folder.load_unpaired("train", B_TO_A, str(tmp_path))
    assert len(swapped.domains["input_image"]) == 6


def test_side_by_side_pairs_serve_as_domains(tmp_path):
    for index in range(3):
        write(tmp_path / "train" / f"{index}.png", pair(index))
    source = folder.load_unpaired("train", B_TO_A, str(tmp_path))
    assert [image.mean() for image in source.domains["input_image"]] == [100, 101, 102]
    assert [image.mean() for image in source.domains["target_image"]] == [0, 1, 2]


def test_domains_stand_in_and_are_missed_as_pairs(tmp_path):
    write(tmp_path / "trainA" / "x.png", plain(1))
    with pytest.raises(UserError, match="trainA has no counterpart: folders for A and for B are needed"):
        folder.load_unpaired("train", A_TO_B, str(tmp_path))
    (tmp_path / "trainB").mkdir()
    with pytest.raises(UserError, match=r"no PNG, JPEG, TIFF, WebP, BMP or GIF images below .*trainB"):
        folder.load_unpaired("train", A_TO_B, str(tmp_path))
    with pytest.raises(UserError, match="no split 'val'"):
        folder.load_unpaired("val", A_TO_B, str(tmp_path))
    for name in ("valA/a.png", "valB/b.png"):
        write(tmp_path / name, plain(2))
    assert len(folder.load_unpaired("test", A_TO_B, str(tmp_path))) == 1
    with pytest.raises(UserError, match="needs --data_dir"):
        folder.load_unpaired("train", A_TO_B, None)
