"""Pictures that are too large for the memory are named before any of it is taken, and the estimate holds."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from icc_profiles import rgb_profile
from PIL import Image

from datasets import folder
from gan_zoo.data import memory
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.evaluation.folder_batches import FolderBatches
from gan_zoo.images import BadImage, write_png
from gan_zoo.models.base import Translator
from gan_zoo.models.pix2pix import Pix2PixConfig
from gan_zoo.translation import memory as translation_memory
from gan_zoo.translation import trained
from gan_zoo.translation.memory import bytes_per_pixel
from gan_zoo.translation.trained import TrainedModel, way_of

ROOT = Path(__file__).parents[2]
PEAKS = """
import io, re, sys
from pathlib import Path
import numpy as np
from PIL import Image
from gan_zoo.data.resizing import resize_and_crop
from gan_zoo.images import decode_image, encode_png

def peak(data):
    resize_and_crop(decode_image(data), (40, 40), (32, 32))
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

start = peak(encode_png(np.zeros((40, 40, 3), np.uint8)))  # what libraries take for themselves
print(*(peak(Path(path).read_bytes()) - start for path in sys.argv[1:]))
"""


def same(**more) -> Translator:
    sizes = {"input_channels": 3, "output_channels": 3, "image_size": 16, "size_multiple": 8}
    return Translator(function=lambda image: 1.0 * image, networks={}, **sizes, **more)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing says how much memory a process has taken")
def test_the_estimate_is_that_of_a_process(tmp_path) -> None:
    side = 2400
    rows, columns = np.mgrid[:side, :side]
    slope = np.stack([rows // 16, columns // 16, (rows + columns) // 32], -1).astype(np.uint8)
    write_png(tmp_path / "a.png", slope)
    Image.fromarray(slope).save(tmp_path / "b.jpg", icc_profile=rgb_profile())
    files = [tmp_path / "a.png", tmp_path / "b.jpg"]  # the one that takes more is the last
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, *map(str, files)],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        check=True,
    )
    for file, taken in zip(files, map(int, done.stdout.split()), strict=True):
        estimate = memory.bytes_to_decode(file.read_bytes()) * side * side
        assert estimate / 2.5 < taken < estimate, (file.name, taken / side**2)


@pytest.fixture
def little_memory(tmp_path, monkeypatch) -> Path:
    """Two pairs, the input of the second of which is too large for the memory that is free."""
    for side in ("trainA", "trainB"):
        (tmp_path / side).mkdir()
        for name, size in (("a", 40), ("b", 300)):
            write_png(tmp_path / side / f"{name}.png", np.full((size, size, 3), 100, np.uint8))
    monkeypatch.setattr(memory, "SMALL_PIXELS", 10_000)
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000_000)
    return tmp_path


def test_training_and_evaluation_name_it_and_go_on(little_memory, monkeypatch) -> None:
    sentence = "300x300 pixels: to decode them would take 0.0 GB of memory, and 0.0 GB are free: make it smaller"
    config, bad = Pix2PixConfig(image_size=32), SkippedFiles()
    batches = evaluation_batches(folder.load("train", config, str(little_memory)), config, batch_size=2, skipped=bad)
    assert [len(batch["input_image"]) for batch in batches] == [1]
    assert bad._reasons == {str(little_memory / "trainA" / "b.png"): sentence}
    folders = FolderBatches(little_memory / "trainA", little_memory / "trainB")
    assert [batch.names for batch in folders.batches(2)] == [["a"]]
    assert set(folders.skipped.values()) == {sentence}
    monkeypatch.setattr(memory, "available_memory", lambda: None)  # not known
    assert memory.decode_if_room((little_memory / "trainA" / "b.png").read_bytes()).shape == (300, 300, 3)
    with pytest.raises(BadImage, match="not a PNG"):
        memory.decode_if_room(b"x" * 99)


def test_the_api_refuses_it(monkeypatch, little_memory) -> None:
    monkeypatch.setattr(trained, "SMALL_PIXELS", 10_000)
    monkeypatch.setattr(translation_memory, "available_memory", lambda: 1_000_000)
    model = TrainedModel({"translate": way_of(same())}, None, 0)
    assert model.translate(np.zeros((40, 40, 3), np.uint8)).shape[-1] == 3
    with pytest.raises(UserError, match=r"^300x300 pixels would take .* up to .* can be translated here"):
        model.translate(np.zeros((300, 300, 3), np.uint8))
    with pytest.raises(UserError, match=r"^90 pictures of 40x40 pixels would take"):
        model.translate(np.zeros((90, 40, 40, 3), np.uint8))
    with pytest.raises(UserError, match=r"b.png: 300x300 pixels: to decode them"):
        model.translate(little_memory / "trainA" / "b.png")


def test_answers_of_16_bit_count_as_such() -> None:
    """In parts nothing grows with the picture but itself and the answer: as made, and in the numbers of files."""
    translator = same(tile_overlap=4, scale=2)
    channels, out = translator.input_channels, translator.output_channels * translator.scale**2
    assert bytes_per_pixel(translator) == 2 * channels + out
    assert bytes_per_pixel(translator, (False, True)) == 2 * channels + 2 * 2 * out
    assert bytes_per_pixel(translator, (True, True)) == 2 * 2 * channels + 2 * 2 * out
