"""The front door: what `import gan_zoo` gives."""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_run import STEP, picture, save_run, small, small_model
from tiny_runs import EightPictures

import gan_zoo
from gan_zoo.export import saved_model
from gan_zoo.images import write_png
from gan_zoo.metrics import METRICS
from gan_zoo.models import MODELS
from gan_zoo.translation import translating


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A run of a tiny BicycleGAN."""
    folder = tmp_path_factory.mktemp("runs") / "bicyclegan"
    save_run(folder, small_model())
    return folder


@pytest.fixture(scope="module")
def zoo(workdir) -> gan_zoo.TrainedModel:
    return gan_zoo.load(workdir)


@pytest.fixture(scope="module")
def translator(workdir):
    model = small_model()
    return model.translators["translate"]


def expected(translator, image: np.ndarray, z: np.ndarray) -> np.ndarray:
    return translating.translate(translator, image[np.newaxis], z[np.newaxis])[0].numpy()


def test_the_import_brings_nothing_but_names() -> None:
    code = (
        "import sys, gan_zoo; assert set(gan_zoo.__all__) <= set(dir(gan_zoo)); "
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        gan_zoo.lod  # noqa: B018


def test_names_are_listed() -> None:
    assert gan_zoo.list_models() == list(MODELS) and gan_zoo.list_metrics() == list(METRICS)
    assert issubclass(gan_zoo.UserError, ValueError)


def near(answer: np.ndarray, truth: np.ndarray) -> None:
    """Equal but for a grey level that a graph of unknown sizes may round otherwise."""
    assert answer.shape == truth.shape and answer.dtype == truth.dtype
    assert np.abs(answer.astype(int) - truth.astype(int)).max() <= 1


def test_samples_are_those_of_the_export(zoo, translator) -> None:
    image = picture(40, 50)
    z = translating.sample_z(1, 3, 3).numpy()
    answers = zoo.translate(image, num_samples=3, seed=1)
    assert answers.shape == (3, 40, 50, 3) and answers.dtype == np.uint8
    for answer, its in zip(answers, z, strict=True):
        near(answer, expected(translator, image, its))
    np.testing.assert_array_equal(zoo.translate(image, z=z), answers)
    np.testing.assert_array_equal(zoo.translate(image, z=z[1]), answers[1])
    np.testing.assert_array_equal(zoo.translate(image, seed=1), answers[0])
    near(zoo.translate(image), expected(translator, image, np.zeros(3, np.float32)))
    # The i-th picture of several has its own noise, the first that of a picture alone.
    both = zoo.translate(np.stack([image, image]), num_samples=2, seed=1)
    assert both.shape == (2, 2, 40, 50, 3)
    near(both[0], answers[:2])
    assert (both[1] != both[0]).any()
    its = zoo.translate(np.stack([image, image]), z=z[:2])
    near(its, answers[:2])


def test_what_goes_in_comes_out(zoo, tmp_path) -> None:
    image = picture(24, 20)
    answer = zoo.translate(image, seed=3)
    near(zoo.translate(np.stack([image, image[::-1]]), z=np.ones(3))[0], zoo.translate(image, z=np.ones(3)))
    pil = zoo.translate(Image.fromarray(image), seed=3)
    assert isinstance(pil, Image.Image) and pil.size == (20, 24)
    np.testing.assert_array_equal(np.asarray(pil), answer)
    write_png(tmp_path / "a.png", image)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(np.asarray(zoo.translate(path, seed=3)), answer)
    several = zoo.translate(Image.fromarray(image), num_samples=2, seed=3)
    assert [type(each) for each in several] == [Image.Image] * 2
    mixed = zoo.translate([image, Image.fromarray(image[:16]), tmp_path / "a.png"], seed=3)
    np.testing.assert_array_equal(mixed[0], answer)
    assert mixed[1].size == (20, 16) and isinstance(mixed[2], Image.Image)
    assert (np.asarray(mixed[2]) != answer).any()  # the third picture has its own noise


def test_16_bits_stay_16_bits(zoo, translator) -> None:
    image = np.random.default_rng(0).integers(0, 65536, (24, 20, 3), np.uint16)
    answer = zoo.translate(image, z=np.ones(3))
    assert answer.dtype == np.uint16 and len(np.unique(answer)) > 256
    exact = translating.answer(translator, tf.cast(image[np.newaxis], tf.float32) / 32767.5 - 1, tf.ones([1, 3]))[0]
    # Half a level of 65535 for the rounding, and float32's own.
    assert np.abs(answer / 32767.5 - 1 - exact.numpy()).max() < 0.6 / 32767.5 + 1e-5


def test_grey_palettes_and_alpha_are_turned_into_what_the_model_takes(zoo) -> None:
    image = picture(24, 20)
    opaque = np.dstack([image, np.full((24, 20, 1), 255, np.uint8)])
    np.testing.assert_array_equal(zoo.translate(opaque), zoo.translate(image))
    grey = np.repeat(image[..., :1], 3, -1)
    np.testing.assert_array_equal(zoo.translate(image[..., :1]), zoo.translate(grey))
    palette = Image.fromarray(image).convert("P")
    np.testing.assert_array_equal(np.asarray(zoo.translate(palette)), np.asarray(zoo.translate(palette.convert("RGB"))))


def test_the_style_of_a_picture(zoo, translator) -> None:
    style = picture(50, 40)
    mu = zoo.encode(style)
    assert mu.shape == (3,) and mu.dtype == np.float32
    np.testing.assert_allclose(mu, translating.encode(translator, style[np.newaxis])[0][0], atol=1e-5)
    np.testing.assert_allclose(zoo.encode(np.stack([style, style])), [mu, mu], atol=1e-5)
    np.testing.assert_allclose(zoo.encode(Image.fromarray(style)), mu, atol=1e-5)
    assert zoo.translate(picture(24, 24), z=mu).shape == (24, 24, 3)


def test_all_sizes_share_a_trace_and_threads_agree(workdir) -> None:
    zoo = gan_zoo.load(workdir)
    images = [picture(24 + number, 50 - number) for number in range(20)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda image: zoo.translate(image, num_samples=2, seed=5), images))
    for image, answer in zip(images, answers, strict=True):
        near(answer, zoo.translate(image, num_samples=2, seed=5))
    (way,) = zoo._ways.values()
    assert way.answer.experimental_get_tracing_count() == 1


def test_an_export_answers_as_its_run(workdir, zoo, tmp_path) -> None:
    saved_model.export(small_model().translators, tmp_path / "export", 7)
    image, style = picture(40, 50), picture(32, 32)
    for path in (tmp_path / "export", tmp_path / "export" / "7"):
        exported = gan_zoo.load(path)
        assert exported.step == 7 and list(exported.translators) == ["translate"] and exported.config is None
        near(exported.translate(image, num_samples=2, seed=1), zoo.translate(image, num_samples=2, seed=1))
        near(exported.translate(image), zoo.translate(image))
        np.testing.assert_allclose(exported.encode(style), zoo.encode(style), atol=1e-4)  # two graphs
    assert exported.translate(image.astype(np.uint16) * 257).dtype == np.uint16
    with pytest.raises(gan_zoo.UserError, match="7 is one version, 7: give the folder of the versions for 3"):
        gan_zoo.load(tmp_path / "export" / "7", checkpoint=3)
    with pytest.raises(gan_zoo.UserError, match="has no version 8; there are 7"):
        gan_zoo.load(tmp_path / "export", checkpoint=8)
    with pytest.raises(gan_zoo.UserError, match="knows no way back"):
        exported.cycle(image)
    with pytest.raises(gan_zoo.UserError, match=r"refuses it: image: 20x1 pixels: at least 2x2 are needed$"):
        exported.translate(image[:1, :20])


def test_both_directions_of_a_cyclegan(tmp_path) -> None:
    model = small("cyclegan")
    save_run(tmp_path / "run", model, name="cyclegan")
    saved_model.export(model.translators, tmp_path / "export", 1)
    zoo, exported = gan_zoo.load(tmp_path / "run"), gan_zoo.load(tmp_path / "export")
    assert list(zoo.translators) == ["a_to_b", "b_to_a"] == list(exported.translators)
    image = picture(24, 40)
    there = zoo.translate(image, translator="b_to_a")
    near(there, exported.translate(image, translator="b_to_a"))
    assert zoo.translate(image).shape == zoo.cycle(image).shape == (24, 40, 3)
    assert (zoo.translate(image) != there).any()
    with pytest.raises(gan_zoo.UserError, match="translator='b': this model has a_to_b, b_to_a"):
        zoo.translate(image, translator="b")
    for noise in ({"num_samples": 2}, {"seed": 0}, {"z": np.zeros(3)}):
        with pytest.raises(gan_zoo.UserError, match="one answer to a picture"):
            zoo.translate(image, **noise)


def test_dropout_is_drawn_from_the_seed(tmp_path) -> None:
    model = small("pix2pix", image_size=64)
    save_run(tmp_path / "run", model, name="pix2pix")
    saved_model.export(model.translators, tmp_path / "export", 1)
    zoo, exported = gan_zoo.load(tmp_path / "run"), gan_zoo.load(tmp_path / "export")
    image = picture(64, 64)
    answers = zoo.translate(image, num_samples=2, seed=4)
    assert (answers[0] != answers[1]).any()
    near(exported.translate(image, num_samples=2, seed=4), answers)
    near(zoo.translate(image), zoo.translate(image, seed=0))
    with pytest.raises(gan_zoo.UserError, match="its dropout: give a seed"):
        zoo.translate(image, z=np.zeros(3))
    evaluating = gan_zoo.load(tmp_path / "run", inference_mode="eval")
    with pytest.raises(gan_zoo.UserError, match="one answer to a picture"):
        evaluating.translate(image, seed=4)


def test_a_grey_photo_keeps_its_size_and_gets_colours(tmp_path) -> None:
    model = small("colorization")
    save_run(tmp_path, model, name="colorization")
    zoo = gan_zoo.load(tmp_path)
    image = picture(70, 90, 1)
    assert zoo.translate(image).shape == zoo.translate(picture(70, 90)).shape == (70, 90, 3)
    translator = model.translators["translate"]
    near(zoo.translate(image), translating.translate(translator, image[np.newaxis])[0].numpy())


REFUSED = [
    (np.zeros((8, 8, 3), np.float32), {}, "is uint8 or uint16"),
    (np.zeros((8, 8), np.uint8), {}, r"\[H, W, C\]"),
    (np.zeros((0, 8, 3), np.uint8), {}, r"Received: uint8 \[0, 8, 3\]"),
    (np.zeros((8, 8, 5), np.uint8), {}, "images of 3 channels"),
    ("no.png", {}, r"no\.png: No such file"),
    (7, {}, "Received: a int"),
    ([np.zeros((1, 8, 8, 3), np.uint8)], {}, "a list holds single pictures"),
    (np.zeros((8, 8, 3), np.uint8), {"num_samples": 0}, "num_samples=0"),
    (np.zeros((8, 8, 3), np.uint8), {"z": np.zeros(2)}, r"z is \[3\]"),
    (np.zeros((2, 8, 8, 3), np.uint8), {"z": np.zeros((3, 3))}, "one for each of the 2 pictures"),
    (np.zeros((8, 8, 3), np.uint8), {"z": np.zeros(3), "seed": 1}, "leave out num_samples and seed"),
]


@pytest.mark.parametrize(("image", "settings", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_what_does_not_fit_is_refused_in_a_line(zoo, image, settings, message) -> None:
    with pytest.raises(gan_zoo.UserError, match=message) as error:
        zoo.translate(image, **settings)
    assert "\n" not in str(error.value)


def test_checkpoints_by_step_and_by_name(workdir) -> None:
    assert gan_zoo.load(workdir, checkpoint=STEP).step == gan_zoo.load(str(workdir)).step == STEP
    with pytest.raises(gan_zoo.UserError, match="no check has marked one"):
        gan_zoo.load(workdir, checkpoint="best")
    with pytest.raises(gan_zoo.UserError, match="does not exist"):
        gan_zoo.load(workdir / "nothing")


def test_the_readme_does_what_it_says(workdir, tmp_path, monkeypatch) -> None:
    """Its blocks of Python, where their paths lead to a run and to pictures."""
    readme = (pathlib.Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copytree(workdir, tmp_path / "runs" / "bicyclegan_shapes")
    for name in ("drawing.png", "picture.png"):
        write_png(tmp_path / name, picture(24, 24))
    names = {"source": EightPictures(), "held_out": EightPictures(count=2)}
    exec(blocks[0], names)
    assert len(names["pictures"]) == 7
    short = {"steps=1000": "steps=1", "base_filters=32": "base_filters=4, image_size=32"}
    for long, tiny in short.items():
        assert long in blocks[1]
        blocks[1] = blocks[1].replace(long, tiny)
    exec(blocks[1], names)
    assert names["figures"]["l1"].num_images == 2
