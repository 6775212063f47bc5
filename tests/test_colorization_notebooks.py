"""The notebooks of colorization: one trains, the other uses the run and compares its checkpoints."""

import io
import json
import pathlib
import random
import re
import shutil
import zipfile

import numpy as np
import pytest
from notebook_runs import execute, run
from PIL import Image

from datasets.shapes import SPLIT_SIZES


@pytest.fixture(scope="module")
def colorization(tmp_path_factory) -> tuple[pathlib.Path, str, list[np.ndarray]]:
    """The workdir of the notebook that trains, what it printed, and its pictures."""
    workdir = tmp_path_factory.mktemp("colorization") / "a run"
    # Large steps, so that the two checkpoints differ.
    settings = "--set discriminator_layers=1 --set learning_rate=0.05"
    more = "SEED, BATCH_SIZE, BASE_FILTERS, PRETRAIN_EPOCHS, CHECK_EVERY = 3, 2, 4, 0, 2"
    text, pictures, _ = run("colorization_train", workdir, settings, more)
    return workdir, text, pictures


def test_colorization_trains(colorization):
    workdir, text, pictures = colorization
    assert "step_3.png" in text and "the best step is 2, with colour_score " in text
    assert json.loads((workdir / "config.json").read_text())["settings"]["seed"] == 3
    newest, row, losses, checks = pictures
    with Image.open(workdir / "samples" / "step_3.png") as picture:
        assert np.array_equal(newest, picture)
    assert row.shape[1] >= 3 * newest.shape[1] + 2 * 12  # steps 0, 2 and 3
    assert losses.shape[1] > 3 * losses.shape[0]  # four side by side
    assert checks.shape[1] > 5 * checks.shape[0]  # the score, its three parts, and PSNR


# What Colab would do: hand over what a dialog has taken from the user, and save a file there.
COLAB = """
import pathlib, sys, types

files = types.SimpleNamespace(
    upload=lambda: {{"photos.zip": pathlib.Path({photos!r}).read_bytes()}},
    download=lambda path: print("downloaded", path),
)
sys.modules["google.colab"] = types.SimpleNamespace(files=files)
PHOTOS, NUM_IMAGES, SATURATION, RESULTS = "upload", 9, 0.0, {results!r}
"""


def test_colorization_is_tested(colorization, tmp_path):
    photos, noise = tmp_path / "photos", np.random.default_rng(0)
    (photos / "more").mkdir(parents=True)
    (photos / "broken.jpg").write_bytes(b"no picture")
    for name, shape in (("grey", (40, 24)), ("more/colour", (24, 40, 3)), ("more/another", (33, 31, 3))):
        Image.fromarray(noise.integers(0, 256, shape, np.uint8)).save(photos / f"{name}.png")
    zipped_photos = shutil.make_archive(str(tmp_path / "photos"), "zip", photos)
    workdir = shutil.make_archive(str(tmp_path / "run"), "zip", colorization[0].parent)

    text, pictures, html = execute(
        "colorization_test",
        f"WORKDIR, RESULTS, SEED = {workdir!r}, {str(tmp_path / 'own.zip')!r}, 5\n"
        "CHECKPOINTS, NUM_IMAGES, NUM_MEASURED = ['best', 3, 'latest'], 2, 3",
        again=COLAB.format(photos=zipped_photos, results=str(tmp_path / "uploaded.zip")),
    )
    assert f"{tmp_path / 'own.zip'}\n" in text and f"downloaded {tmp_path / 'uploaded.zip'}" in text
    assert re.search(r"^not coloured: \S+/broken.jpg: .+$", text, re.M)
    own, uploaded = pictures
    assert own.shape[0] > 2 * 32 + 2 and own.shape[1] >= 4 * 32  # grey, both checkpoints, truth
    assert uploaded.shape[0] > 40 + 24 + 33 + 2 * 2

    own, uploaded = map(unzipped, (tmp_path / "own.zip", tmp_path / "uploaded.zip"))
    stems = [str(number) for number in random.Random(5).sample(range(SPLIT_SIZES["test"]), 2)]
    assert {name for name in own if name.startswith("pictures/")} == {f"pictures/{stem}.png" for stem in stems}
    # The steps 3 and latest are one.
    results = {name for name in own if name.startswith("step_")}
    assert results == {f"{step}/{stem}_translation.png" for step in ("step_2_best", "step_3_latest") for stem in stems}
    for stem in stems:
        pair = [decoded(own[f"{step}/{stem}_translation.png"]) for step in ("step_2_best", "step_3_latest")]
        assert not np.array_equal(*pair)
    assert {"contact_sheet.png", "evaluation/report.html"} <= own.keys()

    for step in ("step_2_best", "step_3_latest"):
        grey = decoded(uploaded[f"{step}/grey_translation.png"])
        assert grey.shape == (40, 24, 3) and np.array_equal(grey, np.repeat(grey[..., :1], 3, -1))
        with Image.open(photos / "grey.png") as picture:
            assert np.abs(grey[..., 0] - np.asarray(picture, int)).max() <= 1
        assert f"{step}/colour_translation.png" in uploaded and f"{step}/another_translation.png" in uploaded

    tables = [each for each in html if "<table>" in each]
    for table, files, count, left_out in zip(tables, (own, uploaded), (3, 2), (0, 1), strict=True):
        for step in (2, 3):
            record = json.loads(files[f"evaluation/step_{step}.json"])
            assert record["about"]["num_images"] == count
            for figure in record["figures"]:
                assert f"<td>{figure['name']}</td>" in table and f"{figure['value']:.4g}" in table
        assert f"of {count} pictures; left out: {left_out} without colours, {left_out} damaged" in text


def unzipped(path: pathlib.Path) -> dict[str, bytes]:
    """The files of an archive by their names below its one folder."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        assert {name.split("/")[0] for name in names} == {path.stem}
        return {name.partition("/")[2]: archive.read(name) for name in names}


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))
