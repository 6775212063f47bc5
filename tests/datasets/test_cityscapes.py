"""`cityscapes` from an official download, made here in small."""

import shutil
import types
from pathlib import Path

import numpy as np
import pytest

from datasets import DATASETS
from datasets.definition import load_for
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, write_png

SCENES = {"train": ("aachen/aachen_000000_000019", "ulm/ulm_000001_000019"), "val": ("bonn/bonn_000000_000019",)}
CITYSCAPES = DATASETS["cityscapes"]


def _config(direction: str = "b_to_a") -> types.SimpleNamespace:
    return types.SimpleNamespace(direction=direction)


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, image)


def _photo(number: int) -> np.ndarray:
    return np.full((8, 16, 3), 10 + number, np.uint8)


def _labels(number: int) -> np.ndarray:
    return np.full((8, 16, 4), (100 + number, 0, 0, 255), np.uint8)  # as the official ones: opaque, with alpha


@pytest.fixture
def download(tmp_path) -> Path:
    for split, scenes in SCENES.items():
        for number, scene in enumerate(scenes):
            _write(tmp_path / "leftImg8bit" / split / f"{scene}_leftImg8bit.png", _photo(number))
            _write(tmp_path / "gtFine" / split / f"{scene}_gtFine_color.png", _labels(number))
            # What else the packages hold.
            _write(tmp_path / "gtFine" / split / f"{scene}_gtFine_labelIds.png", _photo(0))
            (tmp_path / "gtFine" / split / f"{scene}_gtFine_polygons.json").write_text("{}")
    return tmp_path


def test_labels_become_photos_and_back(download):
    source = CITYSCAPES.load("train", _config(), str(download))
    assert source.kind == CITYSCAPES.kind == "paired" and len(source) == 2 and not source.rejected
    for number in (1, 0):
        np.testing.assert_array_equal(source[number]["input_image"], _labels(number))
        np.testing.assert_array_equal(source[number]["target_image"], _photo(number))
    there = CITYSCAPES.load("train", _config("a_to_b"), str(download))[1]
    np.testing.assert_array_equal(there["input_image"], _photo(1))
    assert CITYSCAPES.recommended["pix2pix"]["direction"] == "b_to_a"


def test_the_test_pictures_have_no_labels(download, capsys):
    _write(download / "leftImg8bit" / "test" / "berlin" / "berlin_000000_000019_leftImg8bit.png", _photo(0))
    assert len(CITYSCAPES.load("val", _config(), str(download))) == 1
    assert "note:" not in capsys.readouterr().err
    assert "bonn" in CITYSCAPES.load("test", _config(), str(download)).files[0][0]
    assert "no labels for the split 'test': using 'val'" in capsys.readouterr().err
    with pytest.raises(UserError, match="no split 'dev'; it has train, val"):
        CITYSCAPES.load("dev", _config(), str(download))


def test_pictures_are_read_when_they_are_asked_for(download):
    (download / "leftImg8bit" / "train" / "aachen" / "aachen_000000_000019_leftImg8bit.png").write_bytes(b"cut")
    source = CITYSCAPES.load("train", _config(), str(download))
    with pytest.raises(BadExample, match=r"aachen_000000_000019_leftImg8bit\.png"):
        source[0]
    assert source[1]


def test_missing_partners_are_rejected(download):
    (download / "gtFine" / "train" / f"{SCENES['train'][0]}_gtFine_color.png").unlink()
    _write(download / "gtFine" / "train" / "ulm" / "ulm_7_gtFine_color.png", _labels(0))
    (download / "gtFine" / "train" / "ulm" / "._ulm_8_gtFine_color.png").write_bytes(b"macOS' own")
    source = CITYSCAPES.load("train", _config(), str(download))
    assert [Path(path).name for path in source.files[0]] == [
        "ulm_000001_000019_leftImg8bit.png",
        "ulm_000001_000019_gtFine_color.png",
    ]
    assert [(Path(bad.path).name, bad.reason) for bad in source.rejected] == [
        ("aachen_000000_000019_leftImg8bit.png", "no gtFine picture of the same scene"),
        ("ulm_7_gtFine_color.png", "no leftImg8bit picture of the same scene"),
    ]


def test_each_package_in_a_folder_of_its_name(download):
    for package in ("leftImg8bit", "gtFine"):
        (download / f"{package}_trainvaltest").mkdir()
        shutil.move(download / package, download / f"{package}_trainvaltest" / package)
    assert len(CITYSCAPES.load("train", _config(), str(download))) == 2


def test_without_pairs(download):
    source = load_for(CITYSCAPES, "unpaired", "train", _config("a_to_b"), str(download))
    assert source.kind == "unpaired" and len(source) == 2
    np.testing.assert_array_equal(source.domains["input_image"][1], _photo(1))
    np.testing.assert_array_equal(source.domains["target_image"][0], _labels(0))


@pytest.mark.parametrize("missing", ["data_dir", "all", "gtFine", "leftImg8bit"])
def test_what_is_missing_is_said_in_one_line(missing, download):
    if missing in ("gtFine", "leftImg8bit"):
        shutil.rmtree(download / missing)
    data_dir = {"data_dir": None, "all": str(download / "elsewhere")}.get(missing, str(download))
    with pytest.raises(UserError) as caught:
        CITYSCAPES.load("train", _config(), data_dir)
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "https://www.cityscapes-dataset.com",
        "gtFine_trainvaltest.zip (241 MB)",
        "leftImg8bit_trainvaltest.zip (11 GB)",
        "--data_dir" if missing == "data_dir" else str(Path(data_dir, missing.replace("all", "leftImg8bit"), "train")),
    ):
        assert part in message
