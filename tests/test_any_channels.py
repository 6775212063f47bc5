"""A run on arrays of five channels that become two: trained, checked, evaluated, translated and exported."""

import numpy as np
import pytest
import tensorflow as tf
from evaluate_run import figures, read_record, run_evaluate
from PIL import Image
from small_run import read, run_translate, save_run, small
from tiny_runs import TINY, run_train

import gan_zoo
from gan_zoo.errors import UserError
from gan_zoo.export import saved_model
from gan_zoo.images import encode_png
from gan_zoo.runs.loading import load_run
from gan_zoo.training.samples import sample_grid
from gan_zoo.translation import translating
from gan_zoo.translation.contact_sheet import ContactSheet

CHANNELS = {"input_channels": 5, "target_channels": 2}
RESNET = {"generator_type": "resnet", "num_blocks": 1}
KEYS = {"input_image": 5, "target_image": 2}
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """Pairs in which the two channels are means of the five."""
    root = tmp_path_factory.mktemp("arrays")
    for split, count in (("train", 6), ("val", 4)):
        for side in "AB":
            (root / f"{split}{side}").mkdir()
        for index in range(count):
            five = RANDOM.integers(0, 256, (32, 32, 5), np.uint8)
            two = np.stack([five[..., :2].mean(-1), five[..., 2:].mean(-1)], -1).astype(np.uint8)
            np.save(root / f"{split}A" / f"{index}.npy", five)
            pages = [Image.fromarray(np.ascontiguousarray(two[..., n])) for n in range(2)]
            pages[0].save(root / f"{split}B" / f"{index}.tiff", save_all=True, append_images=pages[1:])
    return root


@pytest.fixture(scope="module")
def workdir(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    settings = [
        f"--set={key}={value}" for key, value in {**TINY["pix2pix"], **CHANNELS, **RESNET, "dropout": "false"}.items()
    ]
    words = ["--model=pix2pix", "--dataset=folder", f"--data_dir={arrays}", f"--workdir={folder}", "--steps=2"]
    tf.config.run_functions_eagerly(True)  # for so few steps that is faster
    result = run_train(*words, "--sample_every=2", "--evaluate_every=2", *settings)
    tf.config.run_functions_eagerly(False)
    assert result.code == 0, result
    assert "l1" in result.out and (folder / "samples" / "step_2.png").exists()
    return folder


def test_the_samples_show_the_first_channels_and_say_so(workdir, monkeypatch) -> None:
    _, model, _ = load_run(workdir)
    titles = []
    monkeypatch.setattr("gan_zoo.grids._shortened", lambda title: titles.append(title) or title)
    images = {key: RANDOM.uniform(-1, 1, [2, 32, 32, count]) for key, count in KEYS.items()}
    examples = {key: tf.constant(image, tf.float32) for key, image in images.items()}
    grid = sample_grid(model.translators["translate"], examples, seed=0)
    assert grid.shape[-1] == 3
    assert titles == ["input (channels 1-3 of 5)", "truth (channel 1 of 2)", "output (channel 1 of 2)"]


def test_it_is_evaluated_by_what_takes_such_images(workdir, offline) -> None:
    result = run_evaluate(f"--workdir={workdir}")
    assert (result.code, result.err) == (0, ""), result
    record = read_record(workdir / "evaluation", 2)
    assert set(figures(record)) == {"psnr", "ssim", "l1"}
    assert 0 < figures(record)["l1"] < 1 and not record.get("missing") and not offline
    page = (workdir / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert "<figcaption>input (channels 1-3 of 5)</figcaption>" in page
    assert "<figcaption>output (channel 1 of 2)</figcaption>" in page
    for name, needs in (("colourfulness", "3 channels, not 2"), ("fid_clean", "1 or 3 or 4 channels, not 2")):
        result = run_evaluate(f"--workdir={workdir}", f"--metrics={name}")
        assert result.code == 2 and f"images of {needs}" in result.err, result


def test_arrays_are_translated_to_arrays(workdir, arrays, tmp_path, capsys) -> None:
    result = run_translate(capsys, f"--workdir={workdir}", f"--input={arrays / 'valA'}", f"--output={tmp_path}")
    assert result[0] == 0, result
    names = {f"{index}_translation.npy" for index in range(4)}
    assert {path.name for path in tmp_path.iterdir()} == names | {"contact_sheet.png"}
    _, model, _ = load_run(workdir)
    five = np.load(arrays / "valA" / "1.npy")
    answer = np.load(tmp_path / "1_translation.npy")
    assert answer.dtype == np.uint8 and answer.shape == (32, 32, 2)
    translate = tf.function(lambda image: translating.translate(model.translators["translate"], image))
    np.testing.assert_array_equal(answer, translate(five[np.newaxis])[0])


def test_from_python_an_array_file_comes_back_as_an_array(workdir, arrays) -> None:
    model = gan_zoo.load(workdir)
    path = arrays / "valA" / "1.npy"
    answer = model.translate(path)
    assert isinstance(answer, np.ndarray) and answer.shape == (32, 32, 2)
    np.testing.assert_array_equal(answer, model.translate(np.load(path)))
    with pytest.raises(UserError, match=r"takes images of 5 channels\. Received: 2"):
        model.translate(arrays / "valB" / "1.tiff")


def test_what_does_not_fit_is_named_and_the_rest_translated(tmp_path, capsys) -> None:
    save_run(
        tmp_path / "run", small("pix2pix", dropout=False, input_channels=2, target_channels=1, **RESNET), name="pix2pix"
    )
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    two = RANDOM.integers(0, 256, (40, 33, 2), np.uint8)
    np.save(source / "good.npy", two)
    np.save(source / "three.npy", np.repeat(two[..., :1], 3, axis=-1))
    np.save(source / "float.npy", np.zeros((40, 33, 2)))
    (source / "grey_alpha.png").write_bytes(encode_png(two))
    (source / "colour.png").write_bytes(encode_png(RANDOM.integers(0, 256, (40, 33, 3), np.uint8)))
    code, _, err = run_translate(capsys, f"--workdir={tmp_path / 'run'}", f"--input={source}", f"--output={output}")
    assert code == 1, err
    for name, reason in (
        ("three.npy", "an array of 3 channels, and 2 are needed"),
        ("float.npy", "uint8 or uint16 is needed"),
        ("colour.png", "3 channels, of which no 2 can be made: give a picture that is grey with alpha"),
    ):
        assert any(name in line and reason in line for line in err.splitlines()), (name, err)
    assert len(err.splitlines()) == 3
    answers = [read(output / f"{name}_translation.png") for name in ("good", "grey_alpha")]
    np.testing.assert_array_equal(*answers)
    assert answers[0].shape == (40, 33, 1) and np.std(answers[0]) > 5


def test_the_sheet_says_what_it_shows(monkeypatch) -> None:
    titles = []
    monkeypatch.setattr("gan_zoo.grids._shortened", lambda title: titles.append(title) or title)
    image = RANDOM.integers(0, 256, (20, 20, 5), np.uint8)
    sheet = ContactSheet(["run"], style=image[..., :2])
    sheet.add(image, [{"sample 1": image[..., 1:3]}])
    picture = sheet.picture()
    assert titles == ["input (channels 1-3 of 5)", "style (channel 1 of 2)", "sample 1 (channel 1 of 2)"]
    np.testing.assert_array_equal(sheet.inputs[0][0], image[..., :3])
    np.testing.assert_array_equal(sheet.blocks[0][0][0], np.repeat(image[..., 1:2], 3, axis=-1))
    assert picture.shape[-1] == 3


def test_a_walk_through_z_is_shown_by_its_first_channel(tmp_path, capsys) -> None:
    save_run(tmp_path / "run", small("bicyclegan", target_channels=2, encoder_type="resnet"))
    np.save(tmp_path / "x.npy", RANDOM.integers(0, 65536, (32, 32, 3), np.uint16))
    np.save(tmp_path / "style.npy", RANDOM.integers(0, 256, (32, 32, 2), np.uint8))
    words = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'x.npy'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(
        capsys, *words, "--num_samples=2", "--interpolate=3", f"--encode={tmp_path / 'style.npy'}"
    )
    assert code == 0, err
    names = {"x_sample_1.npy", "x_sample_2.npy", "x_encoded.npy", "x_interpolation.png", "x_interpolation.webp"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"contact_sheet.png"}
    strip = read(tmp_path / "out" / "x_interpolation.png")
    np.testing.assert_array_equal(strip[-32:, -32:, 0], np.load(tmp_path / "out" / "x_sample_2.npy")[..., 0])
    code, _, err = run_translate(capsys, *words, f"--encode={tmp_path / 'x.npy'}")
    assert code == 2 and "--encode" in err and "an array of 3 channels, and 2 are needed" in err


def test_the_export_takes_and_gives_such_images(tmp_path) -> None:
    model = small("pix2pix", dropout=False, **CHANNELS, **RESNET)
    loaded = tf.saved_model.load(str(saved_model.export(model.translators, tmp_path, 1))).signatures
    assert set(loaded) == {"serving_default", "translate_uint16"}
    image = tf.constant(RANDOM.integers(0, 256, (2, 40, 33, 5), np.uint8))
    answer = loaded["serving_default"](image=image)["translation"]
    assert answer.shape == (2, 40, 33, 2)
    np.testing.assert_array_equal(gan_zoo.load(tmp_path).translate(image.numpy()), answer)
    translate = tf.function(lambda image: translating.translate(model.translators["translate"], image))
    np.testing.assert_array_equal(answer, translate(image))


@pytest.mark.parametrize(("there", "back", "pictures"), [(3, 2, False), (2, 3, False), (16, 1, False), (4, 1, True)])
def test_only_pictures_are_translated_as_files(there, back, pictures) -> None:
    translators = small("pix2pix", dropout=False, input_channels=there, target_channels=back, **RESNET).translators
    assert ("translate_bytes" in saved_model.signatures(translators)) == pictures


def test_cyclegan_there_and_back(arrays, tmp_path, capsys, eagerly) -> None:
    model = small("cyclegan", **CHANNELS, lambda_identity=0.0)
    save_run(tmp_path / "run", model, name="cyclegan")
    words = [f"--workdir={tmp_path / 'run'}", f"--input={arrays / 'valB'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *words, "--translator=b_to_a", "--cycle")
    assert code == 0, err
    assert np.load(tmp_path / "out" / "0_b_to_a.npy").shape == (32, 32, 5)
    assert np.load(tmp_path / "out" / "0_b_to_a_cycled.npy").shape == (32, 32, 2)


@pytest.mark.parametrize("name", ["cyclegan", "bicyclegan"])
def test_the_other_models_learn_from_them(name, eagerly) -> None:
    model = small(name, **CHANNELS, **({"lambda_identity": 0.0} if name == "cyclegan" else {}))
    model.compile()
    images = {key: RANDOM.uniform(-1, 1, [2, 32, 32, count]) for key, count in KEYS.items()}
    batch = {key: tf.constant(image, tf.float32) for key, image in images.items()}
    losses = model.train_step(batch | {"example_index": tf.constant([0, 1], tf.int64)})
    assert losses and all(np.isfinite(value) for value in losses.values())
