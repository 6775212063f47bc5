"""Label maps as inputs, from the first look at a data set to the export: `input_classes` makes a channel of each."""

import io
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from evaluate_run import figures, read_record, run_evaluate
from PIL import Image
from small_run import read, run_translate, small
from tiny_runs import TINY, assert_one_line, run_train

import command_line
import export
import gan_zoo
from gan_zoo.data.examples import ExampleReader
from gan_zoo.data.label_maps import label_picture, recognised
from gan_zoo.data.resizing import Resizing
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.images import to_float
from gan_zoo.lab import rgb_to_lab
from gan_zoo.models.class_maps import seen
from gan_zoo.models.pix2pix import Pix2PixConfig
from gan_zoo.training.validation import Validation

CLASSES = 19
WORDS = ("--model=pix2pix", "--dataset=folder", "--sample_every=2", "--evaluate_every=2", "--checkpoint_minutes=99")
SETTINGS = TINY["pix2pix"] | {"dropout": False, "base_filters": 2, "discriminator_filters": 2}
PALETTE = np.random.default_rng(1).integers(0, 256, 768).astype(np.uint8)


def label_map(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """`[H, W]` uint8: areas of all classes, the largest number among them."""
    numbers = np.random.default_rng(seed).permutation(np.arange(20) % CLASSES).reshape(4, 5)
    rows, columns = (np.arange(side) * parts // side for side, parts in ((height, 4), (width, 5)))
    return numbers[rows][:, columns].astype(np.uint8)


def png(numbers: np.ndarray, palette: bool) -> bytes:
    image, data = Image.fromarray(numbers), io.BytesIO()
    if palette:
        image.putpalette(PALETTE.tobytes())
    image.save(data, "PNG")
    return data.getvalue()


def words_of(folder: pathlib.Path, *more: str) -> list[str]:
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    return [*WORDS, f"--data_dir={folder / 'data'}", *settings, *more]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> pathlib.Path:
    """A folder with `data`, the maps grey or with a palette, and a `run` of two steps on them, stopped between."""
    folder = tmp_path_factory.mktemp("classes")
    for split, count in (("train", 3), ("val", 2)):
        for side in "AB":
            (folder / "data" / f"{split}{side}").mkdir(parents=True)
        for index in range(count):
            numbers = label_map(index)
            (folder / "data" / f"{split}A" / f"{index}.png").write_bytes(png(numbers, palette=index % 2 == 1))
            photo = Image.fromarray(label_picture(numbers)).resize((48, 40), Image.Resampling.BICUBIC)
            photo.save(folder / "data" / f"{split}B" / f"{index}.png")
    words = words_of(folder, "--set", f"input_classes={CLASSES}", f"--workdir={folder / 'run'}")
    for steps in (1, 2):
        result = run_train(*words, f"--steps={steps}")
        assert result.code == 0 and "label maps" not in result.out and not result.err, result
    return folder


def test_a_data_set_of_label_maps_is_recognised(trained) -> None:
    words = ["--steps=1", "--sample_every=0", "--evaluate_every=0", f"--workdir={trained / 'unsaid'}"]
    result = run_train(*words_of(trained), *words)
    notes = [line for line in result.out.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: input_image: label maps, by the look of 5 examples, of the classes 0 to 18: --set input_classes=19 "
        "gives the networks a channel for each of them"
    ]


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(0).integers(0, 40, (40, 48, 1), np.uint8),  # dark noise
        np.where(label_map(0) > 9, 255, 0).astype(np.uint8)[..., np.newaxis],  # a drawing
        label_map(0)[..., np.newaxis] * np.uint8(13),  # few levels of grey, up to white
        np.repeat(label_map(0)[..., np.newaxis], 3, -1),
    ],
    ids=["noise", "drawing", "grey", "colour"],
)
def test_other_pictures_are_not(image) -> None:
    source = [{"input_image": image, "target_image": image}] * 3
    assert recognised(source, Pix2PixConfig()) == []
    assert recognised([{"input_image": label_map(0)[..., np.newaxis]}], Pix2PixConfig())


def test_colours_of_classes_are_far_apart() -> None:
    lab = rgb_to_lab(to_float(label_picture(np.arange(35)))).numpy()
    distances = np.linalg.norm(lab[:, np.newaxis] - lab, axis=-1) + 1000 * np.eye(35)
    assert distances[:20, :20].min() > 8 and distances.min() > 4  # 2 is what one can just tell apart


def test_networks_see_a_channel_for_each_class() -> None:
    numbers = label_map(0)
    hot = seen(to_float(numbers[np.newaxis, ..., np.newaxis]), CLASSES).numpy()
    np.testing.assert_array_equal(hot[0], np.eye(CLASSES)[numbers])
    model = small("bicyclegan", input_classes=CLASSES, conditional=True, input_channels=3)
    assert model.generator.inputs[0].shape[-1] == CLASSES and model.config.input_channels == 1
    assert model.discriminator_random.inputs[0].shape[-1] == CLASSES + 3
    image, z = to_float(numbers[np.newaxis, :32, :32, np.newaxis]), tf.ones([1, 3])
    expected = model.generator([tf.constant(hot[:, :32, :32]), z], training=False)
    np.testing.assert_array_equal(model.translators["translate"].function(image, z), expected)
    model.compile()
    batch = {"input_image": tf.repeat(image, 2, 0), "target_image": tf.zeros([2, 32, 32, 3])}
    losses = model.train_step(batch | {"example_index": tf.range(2, dtype=tf.int64)})
    assert all(np.isfinite(value) for value in losses.values())


def test_nothing_comes_between_two_numbers() -> None:
    config = Pix2PixConfig(input_classes=CLASSES, image_size=32)
    numbers = label_map(0, 90, 70)
    source = [{"input_image": numbers[..., np.newaxis], "target_image": label_picture(numbers)}]
    for mode in ("resize_and_crop", "scale_width_and_crop", "none"):
        reader = ExampleReader(source, config, Resizing(mode, 32, 40, 32), SkippedFiles(), seed=0)
        for seed in range(4):
            image, target = reader.prepared(reader.first, np.random.default_rng(seed))
            assert image.shape[:2] == target.shape[:2] and set(np.unique(image)) <= set(range(CLASSES))
            # The middle of the areas has the colour of the class: both were cut and mirrored alike.
            alike = np.abs(label_picture(image[..., 0].astype(int)).astype(float) - target).max(-1) < 12
            assert alike.mean() > 0.4


def test_samples_and_checks_show_colours(trained) -> None:
    grid = read(trained / "run" / "samples" / "step_2.png")
    shown = {tuple(colour) for colour in grid[14 : 14 + 32, :32].reshape(-1, 3)}
    assert shown <= {tuple(colour) for colour in label_picture(np.arange(CLASSES))} and len(shown) > 10
    Validation(gan_zoo.load(trained / "run").translators)


def test_translations_and_evaluation(trained, tmp_path, capsys) -> None:
    data, run = trained / "data" / "valA", trained / "run"
    code, _, err = run_translate(capsys, f"--workdir={run}", f"--input={data}", f"--output={tmp_path / 'out'}")
    assert (code, err) == (0, ""), err
    zoo = gan_zoo.load(run)
    for index in range(2):
        answer = read(tmp_path / "out" / f"{index}_translation.png")
        numbers = label_map(index)
        np.testing.assert_array_equal(zoo.translate(numbers[..., np.newaxis]), answer)
        np.testing.assert_array_equal(np.asarray(zoo.translate(data / f"{index}.png")), answer)
        np.testing.assert_array_equal(np.asarray(zoo.translate(Image.open(data / f"{index}.png"))), answer)
    sheet = {tuple(colour) for colour in read(tmp_path / "out" / "contact_sheet.png")[14:54, :48].reshape(-1, 3)}
    assert sheet <= {tuple(colour) for colour in label_picture(np.arange(CLASSES))}
    with pytest.raises(UserError, match="has the number 19: the classes of input_classes=19 are 0 to 18"):
        zoo.translate(np.full((32, 32, 1), 19, np.uint8))
    with pytest.raises(UserError, match="has 3 channels: with input_classes=19"):
        zoo.translate(np.zeros((32, 32, 3), np.uint8))

    result = run_evaluate(f"--workdir={run}", "--metrics=psnr,l1", f"--output={tmp_path / 'evaluation'}")
    assert result.code == 0, result
    assert len(figures(read_record(tmp_path / "evaluation", 2))) == 2


def test_exports_take_numbers(trained, tmp_path, capsys) -> None:
    argv = ["export.py", f"--workdir={trained / 'run'}", f"--output={tmp_path}"]
    with pytest.raises(SystemExit):
        command_line.run(export.main, export.define_flags(), export.USAGE, argv=argv)
    assert "translate_bytes" in capsys.readouterr().out
    its = tf.saved_model.load(str(tmp_path / "2")).signatures
    zoo, numbers = gan_zoo.load(trained / "run"), label_map(5)
    expected = zoo.translate(numbers[..., np.newaxis])
    answer = its["serving_default"](image=numbers[np.newaxis, ..., np.newaxis])["translation"][0]
    np.testing.assert_array_equal(answer, expected)
    few, image = io.BytesIO(), Image.fromarray(numbers % 16)  # of 4 bits, and with transparency
    image.putpalette(PALETTE[:48].tobytes())
    image.save(few, "PNG", bits=4, transparency=bytes(range(16)))
    files = [png(numbers, palette=False), png(numbers, palette=True), few.getvalue()]
    answers = its["translate_bytes"](image_bytes=tf.constant(files))["translation_bytes"]
    np.testing.assert_array_equal(tf.io.decode_png(answers[0]), expected)
    assert answers[1] == answers[0]
    np.testing.assert_array_equal(tf.io.decode_png(answers[2]), zoo.translate(numbers[..., np.newaxis] % 16))
    jpeg, rgb = io.BytesIO(), io.BytesIO()
    Image.fromarray(numbers).save(jpeg, "JPEG")
    Image.fromarray(label_picture(numbers)).save(rgb, "PNG")
    for bad, sentence in (
        (png(numbers + np.uint8(1), palette=True), "image_bytes.1.: the number 19: the classes are 0 to 18"),
        (jpeg.getvalue(), "image_bytes.1.: a JPEG file"),
        (rgb.getvalue(), "image_bytes.1.: has colours or alpha"),
        (files[1][:-60], "image_bytes.1.: a truncated or damaged file"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
            its["translate_bytes"](image_bytes=tf.constant([files[0], bad]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="image: the number 19"):
        its["serving_default"](image=tf.fill([1, 32, 32, 1], tf.constant(19, tf.uint8)))

    exported = gan_zoo.load(tmp_path)
    path = trained / "data" / "trainA" / "1.png"  # of a palette
    np.testing.assert_array_equal(np.asarray(exported.translate(path)), np.asarray(zoo.translate(path)))
    with pytest.raises(UserError, match="has the number 200"):
        exported.translate(np.full((32, 32, 1), 200, np.uint8))


def test_what_cannot_be_is_one_line(trained, tmp_path, capsys) -> None:
    refused = f"--workdir={tmp_path / 'run'}"
    result = run_train(*words_of(trained, refused, "--set", "input_classes=19", "--set", "input_channels=3"))
    assert_one_line(result, 2, "input_channels has no effect with input_classes=19: leave it out")
    result = run_train(*words_of(trained, refused, "--set", "input_classes=10", "--steps=1"))
    sentence = r"trainA/\d.png: has the number 18: the classes of input_classes=10 are 0 to 9"
    assert result.code == 2 and all(re.search(sentence, line) for line in result.err.splitlines()), result
    assert not (tmp_path / "run" / "checkpoints").exists()
    result = run_train(*words_of(trained, refused, "--set", "input_classes=19", "--direction=b_to_a", "--steps=1"))
    assert result.code == 2 and "has 3 channels (RGB)" in result.err and "trainB" in result.err, result
    (tmp_path / "pairs" / "train").mkdir(parents=True)
    (tmp_path / "pairs" / "train" / "x.png").write_bytes(png(label_map(0), palette=False))
    words = words_of(trained, refused, "--set", "input_classes=19", f"--data_dir={tmp_path / 'pairs'}")
    assert_one_line(run_train(*words), 2, "x.png", "label maps in files of their own")

    bad = tmp_path / "bad.png"
    bad.write_bytes(png(label_map(0) + np.uint8(3), palette=True))
    code, _, err = run_translate(capsys, f"--workdir={trained / 'run'}", f"--input={bad}", f"--output={tmp_path / 'o'}")
    assert code == 1 and err.count("\n") == 1 and f"{bad}: has the number 21" in err
