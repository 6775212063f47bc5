"""A model whose outputs are larger than its inputs, through every script: nothing assumes that the two are equal."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from evaluate_run import figures, read_record, run_evaluate
from imported_runs import run as run_import
from PIL import Image
from set5 import SET5, needs_set5
from small_run import read, run_translate
from tiny_runs import run_train

import command_line
import export
from gan_zoo.bicubic import enlarged, reduced
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.data.single import SingleSource
from gan_zoo.images import to_float, to_uint8
from gan_zoo.metrics.psnr import psnr, psnr_y
from gan_zoo.runs.loading import load_run
from gan_zoo.translation.translating import translate

SCALE = 4
SETTINGS = ("base_filters=2", "num_blocks=1", "discriminator_filters=2", "content=pixels", "pretrain_epochs=1")
VALIDATION = [(50, 43), (48, 64), (37, 40)]  # height, width


def photo(height: int, width: int) -> np.ndarray:
    """A slope with some noise on it: small pictures of it say something about large ones."""
    rows, columns = np.mgrid[:height, :width]
    slope = np.stack([rows * 5, columns * 3, rows + columns], -1) % 256
    return (0.9 * slope + np.random.default_rng(height).integers(0, 25, slope.shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> pathlib.Path:
    """The folder of a run that has learnt for three steps, beside `photos`."""
    folder = tmp_path_factory.mktemp("larger")
    for split, sizes in (("train", [(40, 50)] * 4), ("val", VALIDATION)):
        (folder / "photos" / split).mkdir(parents=True)
        for number, size in enumerate(sizes):
            Image.fromarray(photo(*size)).save(folder / "photos" / split / f"{number}.png")
    words = ["--model=srgan", "--dataset=folder", f"--data_dir={folder / 'photos'}", f"--workdir={folder / 'run'}"]
    words += ["--steps=3", "--batch_size=2", "--image_size=32", "--evaluate_every=3", "--sample_every=3"]
    result = run_train(*words, *(word for setting in SETTINGS for word in ("--set", setting)))
    assert result.code == 0, result
    assert "check at step 3, epoch 2: psnr_y_border" in result.out
    return folder / "run"


def test_samples_and_checks_of_training(trained) -> None:
    grid = read(trained / "samples" / "step_3.png")
    # Titles; rows of input, truth and output, all of 32 px, with 2 px between them.
    assert grid.shape[1] >= 3 * 32 + 2 * 2 and grid.shape[0] == 14 + 3 * 32 + 2 * 2
    large = grid[14 : 14 + 32, :32]
    assert large.std() > 5  # the small input, enlarged: it fills its cell
    (line,) = (json.loads(text) for text in (trained / "health.jsonl").read_text().splitlines())
    assert {"l1", "psnr", "psnr_y_border", "psnr_y_border/bicubic", "ssim_y_border"} <= line["figures"].keys()


def test_whole_pictures_are_measured(trained, offline) -> None:
    result = run_evaluate(f"--workdir={trained}", f"--output={trained.parent / 'evaluation'}")
    assert result.code == 0, result
    record = read_record(trained.parent / "evaluation", 3)
    assert record["about"]["preprocess"] == "whole" and record["about"]["num_images"] == len(VALIDATION)
    (translator,) = load_run(trained)[1].translators.values()
    values = {"psnr": [], "psnr_y_border/bicubic": []}
    for height, width in VALIDATION:
        truth = photo(height, width)[np.newaxis, : height - height % SCALE, : width - width % SCALE]
        small = to_uint8(reduced(to_float(truth), SCALE))
        values["psnr"].append(psnr(translate(translator, small).numpy(), truth)[0])
        interpolated = enlarged(small.numpy()[0], SCALE)[np.newaxis]
        inner = [image[:, SCALE:-SCALE, SCALE:-SCALE] for image in (interpolated, truth)]
        values["psnr_y_border/bicubic"].append(psnr_y(*inner)[0])
    for name, of_images in values.items():
        assert figures(record)[name] == pytest.approx(np.mean(of_images), abs=1e-3), name
    assert "psnr_<wbr>y_<wbr>border" in (trained.parent / "evaluation" / "report.html").read_text()


def test_translations_and_their_sheet(trained, tmp_path, capsys) -> None:
    small = photo(9, 13)
    Image.fromarray(small).save(tmp_path / "small.png")
    # An alpha channel is laid over white, as everywhere.
    Image.fromarray(np.concatenate([small, np.full_like(small[..., :1], 255)], -1)).save(tmp_path / "alpha.png")
    code, _, err = run_translate(capsys, f"--workdir={trained}", f"--input={tmp_path}", f"--output={tmp_path / 'out'}")
    assert code == 0, err
    large = read(tmp_path / "out" / "small_translation.png")
    assert large.shape == (36, 52, 3)
    np.testing.assert_array_equal(read(tmp_path / "out" / "alpha_translation.png"), large)
    sheet = read(tmp_path / "out" / "contact_sheet.png")
    assert sheet.shape[0] == 14 + 2 * 36 + 2  # titles, and both columns in the larger size


def test_the_export_gives_larger_pictures(trained, tmp_path) -> None:
    words = ["export.py", f"--workdir={trained}", f"--output={tmp_path / 'model'}"]
    with pytest.raises(SystemExit) as leaving:
        command_line.run(export.main, export.define_flags(), export.USAGE, argv=words)
    assert not leaving.value.code
    served = tf.saved_model.load(tmp_path / "model" / "3").signatures["serving_default"]
    (translator,) = load_run(trained)[1].translators.values()
    images = tf.constant(np.stack([photo(9, 13), photo(9, 13)[::-1]]))
    answer = served(image=images)["translation"]
    assert answer.shape == (2, 36, 52, 3)
    np.testing.assert_array_equal(answer, translate(translator, images))


class Pictures:
    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> np.ndarray:
        return photo(*self.sizes[index])


def test_whole_pictures_lose_what_is_more_than_a_multiple_below_and_to_the_right(trained) -> None:
    config = load_run(trained)[1].config
    source = SingleSource(Pictures((50, 43), (48, 12), (16, 40)))
    batches = evaluation_batches(
        source, config, batch_size=8, size_multiple=SCALE, min_side=16, skip_small=True, whole=True
    )
    first, second = (to_uint8(batch["target_image"]).numpy() for batch in batches)
    np.testing.assert_array_equal(first, photo(50, 43)[np.newaxis, :48, :40])
    np.testing.assert_array_equal(second, photo(16, 40)[np.newaxis])  # 48x12 was too small


@needs_set5
def test_set5_through_the_scripts(tmp_path, offline) -> None:
    """The figures that a plain computation gave for the released weights, and the papers' for interpolation."""
    weights = SET5.parent / "weights" / "srgan_x4" / "netG_epoch_4_100.pth"
    words = ["--set", "discriminator_filters=2"]
    assert run_import(f"--weights={weights}", f"--workdir={tmp_path / 'run'}", *words).code == 0
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "val").symlink_to(SET5 / "HR")
    data = ["--dataset=folder", f"--data_dir={tmp_path / 'photos'}"]
    metrics = "--metrics=psnr,psnr_y_border,ssim_y_border"
    result = run_evaluate(f"--workdir={tmp_path / 'run'}", *data, metrics)
    assert result.code == 0, result
    values = figures(read_record(tmp_path / "run" / "evaluation", 0))
    assert values["psnr"] == pytest.approx(28.68, abs=0.02)
    assert values["psnr_y_border"] == pytest.approx(30.66, abs=0.02)
    assert values["psnr_y_border/bicubic"] == pytest.approx(28.43, abs=0.02)
