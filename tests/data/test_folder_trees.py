"""Folders as disks, disk stations and links make them: each picture once, sides of sub-folders, one-sided splits."""

import os
import types

import numpy as np
import pytest

from datasets import folder
from gan_zoo.data.folders import list_pictures
from gan_zoo.data.picture_files import find_images
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, write_png

A_TO_B = types.SimpleNamespace(direction="a_to_b")


def write(path, value=0, width=16):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((16, width, 3), value, np.uint8))


def names(root, **options):
    return [os.path.relpath(path, root) for path in list_pictures(root, **options)]


def test_pairs_meet_by_their_path_below_the_side(tmp_path):
    for number, scene in enumerate(("", "one/", "two/")):  # equal names in each: the last part alone would not do
        for index in range(2):
            write(tmp_path / "trainA" / f"{scene}{index}.png", 10 * number + index)
            write(tmp_path / "trainB" / f"{scene}{index}.png", 100 + 10 * number + index)
    source = folder.load("train", A_TO_B, str(tmp_path))
    means = [(example["input_image"].mean(), example["target_image"].mean()) for example in source]
    assert sorted(means) == [(value, 100 + value) for value in (0, 1, 10, 11, 20, 21)]
    assert not source.rejected
    domains = folder.load_unpaired("train", A_TO_B, str(tmp_path)).domains.values()
    assert list(map(len, domains)) == [6, 6]


def test_pairs_side_by_side_lie_in_sub_folders_too(tmp_path):
    write(tmp_path / "train" / "one" / "x.png", width=32)
    write(tmp_path / "train" / "y.png", width=32)
    assert len(folder.load("train", A_TO_B, str(tmp_path))) == 2


def test_folders_of_thumbnails_are_passed_over(tmp_path, capsys):
    for index in range(12):
        write(tmp_path / "2020" / f"{index:02}.png", index)
        write(tmp_path / "2020" / ".thumbnails" / f"{index:02}.png", index)
        write(tmp_path / "2020" / "@eaDir" / f"{index:02}.png" / "SYNO_THUMB.png", index)
        write(tmp_path / "__MACOSX" / "2020" / f"{index:02}.png", index)
    sizes = [len(folder.load_single(split, A_TO_B, str(tmp_path))) for split in ("train", "val")]
    assert sum(sizes) == 12
    assert len(names(tmp_path)) == 12


def test_pictures_in_none_but_hidden_folders_are_said(tmp_path):
    write(tmp_path / "@photos" / "x.png")
    with pytest.raises(UserError, match=r"no PNG, .* images below .*; .*@photos was passed over, as are all folders"):
        folder.load_single("train", A_TO_B, str(tmp_path))


def test_each_file_once_by_where_it_really_is(tmp_path):
    write(tmp_path / "photos" / "a.png")
    write(tmp_path / "photos" / "inside" / "b.png")
    (tmp_path / "photos" / "self").symlink_to(".")
    (tmp_path / "photos" / "inside" / "up").symlink_to("..")
    (tmp_path / "photos" / "loop").symlink_to("loop")
    (tmp_path / "photos" / "z.png").symlink_to("a.png")
    (tmp_path / "photos" / "inside" / "other").symlink_to(tmp_path / "elsewhere")
    write(tmp_path / "elsewhere" / "c.png")
    found = list_pictures(tmp_path / "photos")
    good = [os.path.relpath(path, tmp_path / "photos") for path, bad in found.items() if bad is None]
    assert good == ["a.png", "inside/b.png", "inside/other/c.png"]
    assert [(os.path.basename(bad.path), bad.reason) for bad in found.values() if bad] == [
        ("loop", "a link that leads nowhere")
    ]
    # A picture may be the partner of several.
    for index in range(3):
        write(tmp_path / "trainA" / f"{index}.png", index)
        (tmp_path / "trainB").mkdir(exist_ok=True)
        (tmp_path / "trainB" / f"{index}.png").symlink_to(tmp_path / "photos" / "a.png")
    assert len(folder.load("train", A_TO_B, str(tmp_path))) == 3


@pytest.mark.parametrize("link", ["trainA/x.png", "trainA/x", "trainB/x", "trainA/x.txt"])
@pytest.mark.parametrize("target", ["nowhere", "x"])  # the second leads to itself
def test_a_broken_link_is_named_and_the_rest_is_taken(tmp_path, link, target):
    for side in "AB":
        for index in range(4):
            write(tmp_path / f"train{side}" / f"{index}.png")
    (tmp_path / link).symlink_to(target if target == "nowhere" else os.path.basename(link))
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert len(source) == 4
    reasons = {os.path.relpath(bad.path, tmp_path): bad.reason for bad in source.rejected}
    assert reasons == ({} if link.endswith("txt") else {link: "a link that leads nowhere"})
    assert len(folder.load_unpaired("train", A_TO_B, str(tmp_path))) == 4


def test_what_no_decoder_reads_is_named_with_the_way_out(tmp_path):
    for name in ("phone.heic", "camera.NEF", "drawing.svg", ".DS_Store", "Thumbs.db", "._x.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"something")
    for name in ("scan.tif", "moving.GIF", "photo.JPG"):
        (tmp_path / name).write_bytes(b"something")
    found = list_pictures(tmp_path)
    reasons = {os.path.basename(path): bad and bad.reason.split(":")[0] for path, bad in found.items()}
    assert reasons == {
        "phone.heic": "a HEIC photo, which cannot be read here",
        "camera.NEF": "a camera's raw data, which cannot be read here",
        "drawing.svg": "not a PNG, JPEG, TIFF, WebP, BMP or GIF image",
        "scan.tif": None,
        "moving.GIF": None,
        "photo.JPG": None,
    }


def test_a_side_alone_is_missed_where_its_split_is_asked_for(tmp_path):
    for name, count in (("trainA", 3), ("trainB", 4), ("testA", 2)):
        for index in range(count):
            write(tmp_path / name / f"{index}.png")
    assert len(folder.load("train", A_TO_B, str(tmp_path))) == 3
    assert len(folder.load_unpaired("train", A_TO_B, str(tmp_path))) == 4
    assert len(folder.load_single("train", A_TO_B, str(tmp_path))) == 4
    for load in (folder.load, folder.load_unpaired, folder.load_single):
        for split in ("test", "val"):
            with pytest.raises(UserError, match="testA has no counterpart"):
                load(split, A_TO_B, str(tmp_path))
    os.rename(tmp_path / "trainB", tmp_path / "valB")
    with pytest.raises(UserError, match="trainA has no counterpart"):
        folder.load("train", A_TO_B, str(tmp_path))


@pytest.mark.parametrize(("width", "doubt"), [(129, False), (33, True)])
def test_the_middle_column_of_an_odd_width_is_left_out(tmp_path, capsys, width, doubt):
    image = np.zeros((16, width, 3), np.uint8)
    image[:, : width // 2], image[:, width // 2 + 1 :] = 50, 150
    (tmp_path / "train").mkdir()
    for index in range(3):
        write_png(tmp_path / "train" / f"{index}.png", image)
    for example in folder.load("train", A_TO_B, str(tmp_path)):
        assert example["input_image"].shape == example["target_image"].shape == (16, width // 2, 3)
        assert (example["input_image"] == 50).all() and (example["target_image"] == 150).all()
    said = capsys.readouterr().err
    assert said.count("the middle column is left out") == 1
    assert ("are these pairs side by side?" in said) == doubt


def test_halves_are_still_large_enough_for_a_picture(tmp_path):
    write(tmp_path / "train" / "x.png", width=15)
    with pytest.raises(BadExample, match="halves of 7x16 pixels"):
        folder.load("train", A_TO_B, str(tmp_path))[0]


def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path, monkeypatch):
    for name in ("trainA/0.png", "trainA/one/1.png", "trainA/two/2.png", "trainB/0.png", "trainB/two/2.png"):
        write(tmp_path / name)
    closed = (str(tmp_path / "trainA" / "one"), str(tmp_path / "trainB" / "two"))
    scan = os.scandir

    def scandir(path):
        if os.fspath(path) in closed:
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    source = folder.load("train", A_TO_B, str(tmp_path))
    assert len(source) == 1
    reasons = {os.path.relpath(bad.path, tmp_path): bad.reason for bad in source.rejected}
    assert reasons.pop("trainA/two/2.png").startswith("no partner")
    assert reasons == dict.fromkeys(("trainA/one", "trainB/two"), "a folder that cannot be read: Permission denied")
    good, bad = find_images(tmp_path / "trainA")
    assert len(good) == 2 and list(bad.values()) == ["a folder that cannot be read: Permission denied"]
    with pytest.raises(PermissionError):  # what the user names
        list_pictures(closed[0])
