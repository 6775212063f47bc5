"""The notebooks: clean in git, and they run from their first to their last cell."""

import base64
import io
import json
import re

import nbformat
import numpy as np
import pytest
from notebook_runs import FILTERS, NOTEBOOKS, ROOT, code_cells, execute, read, run
from PIL import Image

from gan_zoo.models import MODELS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_are_stripped(path):
    nbformat.validate(read(path))
    for cell in code_cells(read(path)):
        assert cell.outputs == [] and cell.execution_count is None


def test_the_models_for_drawings_have_one_and_they_begin_alike():
    of_models = {"bicyclegan", "pix2pix", "cyclegan"}
    of_models |= {"colorization_train", "colorization_test", "super_resolution"}
    assert {path.stem for path in NOTEBOOKS} == of_models | {"evaluation", "depixelation", "generative_models"}
    assert len({code_cells(read(path))[0].source for path in NOTEBOOKS}) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_clone_address_stands_in_one_place(path):
    notebook = read(path)
    assert code_cells(notebook)[0].source.startswith('CLONE_ADDRESS = "https://')
    assert sum(cell.source.count("://github.com") for cell in notebook.cells) == 1


DIFFERENCE = r"-log likelihood - KL\(p \|\| q\): between (\S+) and (\S+)\nthe mean of -log p is (\S+)\n"


def test_generative_models_run():
    text, pictures, tables = execute(
        "generative_models", "STEPS, PICTURE_STEPS, WIDTH, BATCH_SIZE, SEEDS = 8, 6, 8, 16, 1"
    )
    # The density, maximum likelihood, the GAN, the ring, the picture, two with VAEs, the family.
    assert len(pictures) == 8
    # Of 10,000 examples 0.002 is to be expected, the integral of sqrt(2 P (1 - P) / (pi 10,000)) over the range.
    (distance,) = re.findall(r"^W1 to p: (\S+) of the range for the examples themselves$", text, re.M)
    assert 0.0005 < float(distance) < 0.005
    minima = dict(re.findall(r"^least (.+): at a mean of (\S+)$", text, re.M))
    # Steps of 0.02, and the examples' mean is 0.01 from p's.
    assert abs(float(minima["-log likelihood of the examples"]) - float(minima["KL(p || q)"])) < 0.05
    least, greatest, entropy = map(float, re.search(DIFFERENCE, text).groups())
    # At the ends 0.05 is to be expected: the examples' mean, 0.01 from p's, by the slope of 5 that log q has there.
    assert entropy - 0.15 < least < greatest < entropy + 0.15
    (share,) = re.findall(r"^the examples: 8 modes, (\S+) of the points on one$", text, re.M)
    assert abs(float(share) - (1 - np.exp(-4.5))) < 0.0043  # three deviations in the plane; four of 10,000 examples
    assert re.search(r"^w1_gan 0\.\d+$", text, re.M) and re.search(r"^modes_plain \[[0-8]\]$", text, re.M)
    (table,) = (each for each in tables if each.startswith("| model |"))
    for name in MODELS:
        (row,) = (line for line in table.splitlines() if line.startswith(f"| [{name}](../gan_zoo/models/"))
        assert "](https://arxiv.org/" in row, row
        for link in re.findall(r"\]\(([^h)][^)]*)\)", row):
            assert (ROOT / "notebooks" / link).exists(), link


def test_bicyclegan_runs(tmp_path):
    workdir = tmp_path / "a run"
    text, pictures, html = run(
        "bicyclegan", workdir, "--set discriminator_layers=1", "BASE_FILTERS, NUM_DRAWINGS, NUM_SAMPLES = 4, 2, 3"
    )
    assert "step_3.png" in text
    assert len(pictures) == 4  # of training, of random z, of styles, of the interpolation
    assert pictures[3].shape == (32, 8 * 32 + 7 * 2, 3)
    assert any("image/webp" in each for each in html)
    with Image.open(workdir / "interpolation.webp") as animation:
        # The frames are equal after three steps, and then stored as one.
        assert (animation.format, animation.size) == ("WEBP", (32, 32))


def test_pix2pix_runs(tmp_path):
    text, pictures, _ = run(
        "pix2pix", tmp_path / "a run", FILTERS, "NUM_DRAWINGS, NUM_SAMPLES, IMAGE_SIZE = 2, 3, 64"
    )  # with dropout
    assert "step_3.png" in text
    _, curves, seeds = pictures  # the first is that of training
    assert curves.shape[1] > 3 * curves.shape[0]  # four losses, side by side
    # Two rows of drawing, truth and three seeds, below titles that may be wider than they.
    assert seeds.shape[0] > 2 * 64 + 2 and seeds.shape[1] >= 5 * 64 + 4 * 2


def test_cyclegan_runs(tmp_path):
    settings = f"{FILTERS} --set num_blocks=1 --set pool_size=4"
    text, pictures, _ = run("cyclegan", tmp_path / "a run", settings, "NUM_EXAMPLES = 2")
    assert "step_3_a_to_b.png" in text and "step_3_b_to_a.png" in text
    assert len(pictures) == 5  # of training, of the losses, of the way there and back; two directions
    for grid in pictures[3:]:
        assert grid.shape[0] > 2 * 32 + 2 and grid.shape[1] >= 3 * 32 + 2 * 2


def test_super_resolution_runs(tmp_path):
    """Of a picture that is there already, in both phases: two sliders, and a third before the truth."""
    for split, count in (("train", 4), ("val", 1), ("test", 1)):  # two steps an epoch
        (tmp_path / split).mkdir()
        for number in range(count):
            picture = np.random.default_rng(number).integers(0, 256, [34, 35, 3], np.uint8)
            Image.fromarray(picture).save(tmp_path / split / f"{number}.png")
    settings = "--set base_filters=4 --set num_blocks=1 --set discriminator_filters=4 --set batch_size=2"
    more = f"STEPS, PRETRAIN_EPOCHS, SHOWN, DATASET, DATA_DIR = 3, 1, 20, 'folder', {str(tmp_path)!r}"
    text, pictures, html = run("super_resolution", tmp_path / "a run", settings, more)
    assert "step_3.png" in text and "8 x 8 -> 32 x 32" in text
    (samples,) = pictures
    assert samples.shape[1] >= 3 * 32
    sliders = [each for each in html if "range" in each]
    assert [re.findall('alt="([^"]+)"', each) for each in sliders] == [
        ["bicubic", "SRResNet"],
        ["SRResNet", "SRGAN"],
        ["SRGAN", "truth"],
    ]
    for slider in sliders:
        for data in re.findall('base64,([^"]+)', slider):
            assert Image.open(io.BytesIO(base64.b64decode(data))).size == (20, 20)


def test_depixelation_runs(tmp_path):
    text, pictures, _ = run(
        "depixelation",
        tmp_path / "a run",
        "--set discriminator_layers=1",
        "NUM_PICTURES, EPOCHS, BASE_FILTERS, NUM_EXAMPLES = 30, 1, 4, 2",
    )
    assert "of 3 unseen pictures are told right" in text and "33/33 pictures" in text and "step_3.png" in text
    assert re.search(r"^mean error inside: mosaic \d+\.\d, pix2pix \d+\.\d$", text, re.M)
    record = json.loads((tmp_path / "a run" / "pairs" / "pairs.json").read_text())
    assert record["pairs"] == {"train": 30, "val": 3, "test": 0}
    seen, _, painted = pictures  # the second is that of training
    assert seen.shape[0] > 2 * 32 + 2 and seen.shape[1] >= 2 * 32 + 2
    assert painted.shape[0] > 2 * 32 + 2 and painted.shape[1] >= 3 * 32 + 2 * 2


def test_evaluation_runs(tmp_path):
    settings = f"{FILTERS} --set generator_type=resnet --set num_blocks=1 --sample_every=0 --evaluate_every=0"
    settings += " --checkpoint_minutes=0"  # a checkpoint each step
    more = (
        "RUNS = {'weak': '--model=pix2pix', 'strong': '--model=pix2pix --set learning_rate=0.05 --set dropout=false'}\n"
        "BATCH_SIZE, NUM_IMAGES, NUM_SAMPLES, NUM_EXAMPLES, WITH_WEIGHTS = 2, 4, 2, 1, False"
    )
    text, pictures, html = run("evaluation", tmp_path / "a run", settings, more)
    for name in ("weak", "strong"):
        folder = tmp_path / "a run" / name / "evaluation"
        assert {path.name for path in folder.iterdir()} == {"step_1.json", "step_2.json", "step_3.json", "report.html"}
        assert f"report: {folder / 'report.html'}" in text
        assert f"the best of {name} by l1: " in text and f"the worst of {name} by l1: " in text
    assert (
        len(re.findall(r"^psnr: strong - weak = \S+ ± \S+; strong's is larger for \d+% of 4 images$", text, re.M)) == 1
    )
    (table,) = (each for each in html if "<table>" in each)
    for name in ("weak", "strong"):
        figures = json.loads((tmp_path / "a run" / name / "evaluation" / "step_3.json").read_text())["figures"]
        for figure in figures:
            assert f"<td>{figure['name']}</td>" in table and f"{figure['value']:.4g}" in table
    assert table.count("<b>") == 3  # psnr, ssim, l1; what the samples tell has only the one with dropout
    assert re.search(r"<td>sample_distance</td><td>higher</td><td>[^<]+</td><td>-</td>", table)
    assert len(pictures) == 5  # the curves, and the best and the worst of each run
    for grid in pictures[1:]:
        assert grid.shape[0] >= 32 and grid.shape[1] >= 4 * 32 + 3 * 2  # drawing, truth, both runs
