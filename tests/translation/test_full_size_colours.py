"""Colours for pictures of any size: the L stays what it was, pixel by pixel; only ab comes from a smaller picture."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from small_run import picture, read, run_translate, save_run, seeded_translator, small
from tiny_runs import EightPictures

from gan_zoo.data.single import SingleView
from gan_zoo.errors import UserError
from gan_zoo.evaluation.output import Settings
from gan_zoo.evaluation.records import read_records
from gan_zoo.evaluation.runs import evaluate_run
from gan_zoo.export import saved_model
from gan_zoo.images import decode_image, encode_png, to_channels, to_float
from gan_zoo.lab import rgb_to_lab, to_grey
from gan_zoo.models.base import Translator
from gan_zoo.translation import painting, translating
from gan_zoo.translation.chroma import colorized
from gan_zoo.translation.contact_sheet import ContactSheet

# L of what comes out, in eight bits: each channel is off by half a level at most, and a level is at most 0.45 of L.
ROUNDING = 0.25


def faint(lightness: tf.Tensor) -> tf.Tensor:
    """ab by the lightness where it is: faint colours, which sRGB has for L of 30 to 80."""
    return tf.concat([0.2 * lightness, 0.1 - 0.2 * lightness], -1)


def translator(predict=faint, image_size: int = 64) -> Translator:
    sizes = {"input_channels": 1, "output_channels": 3, "image_size": image_size, "size_multiple": 32}
    return Translator(function=lambda image: image, chroma=predict, networks={}, **sizes)


def plain_model():
    """The smallest generator that there is."""
    return small("colorization", generator_type="res_unet", num_downs=1, norm="none")


def lab_of(image) -> np.ndarray:
    """Of `[H, W, C]` bytes."""
    return rgb_to_lab(to_float(to_channels(np.asarray(image), 3))).numpy()


def colours(height: int, width: int) -> np.ndarray:
    """Of a photo: everything is there, but neither black nor white."""
    return picture(height, width) // 2 + 64


def ramp(height: int, width: int) -> tf.Tensor:
    """Grey, brighter from pixel to pixel, to the right and downwards."""
    across, down = (np.linspace(-0.22, 0.25, side, dtype=np.float32) for side in (width, height))
    return tf.constant((across + down[:, np.newaxis])[np.newaxis, ..., np.newaxis])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_photo_keeps_its_own_l(channels) -> None:
    image = colours(200, 300)[..., :channels]
    made = translating.translate(translator(), image[np.newaxis])[0].numpy()
    assert made.shape == (200, 300, 3) and made.dtype == np.uint8
    inside = (made.min(-1) > 0) & (made.max(-1) < 255)
    assert inside.mean() > 0.9 and lab_of(made)[..., 1:].std() > 2.0
    np.testing.assert_allclose(lab_of(made)[inside, 0], lab_of(image)[inside, 0], rtol=0, atol=ROUNDING)


def test_an_edge_stays_sharp() -> None:
    image = np.full((200, 300, 1), 90, np.uint8)
    image[:, 151:] = 160
    seen = []
    made = translating.translate(translator(lambda x: seen.append(x.shape) or faint(x)), image[np.newaxis])[0]
    assert seen == [(1, 64, 64, 1)]  # 43 x 64, padded
    steps, true_steps = (np.diff(lab_of(each)[..., 0], axis=1) for each in (made, image))
    assert true_steps[0, 150] > 25 and (true_steps != 0).sum() == 200
    np.testing.assert_allclose(steps, true_steps, rtol=0, atol=2 * ROUNDING)


def test_colours_lie_where_they_were_predicted() -> None:
    image = ramp(120, 300)
    _, a, b = np.moveaxis(rgb_to_lab(colorized(faint, image, working_size=64, size_multiple=32)).numpy(), -1, 0)
    lightness = rgb_to_lab(tf.repeat(image, 3, -1)).numpy()[..., 0] / 50 - 1
    inner = np.s_[:, 8:-8, 8:-8]  # at the picture's ends there is nothing to interpolate with
    # In 4.7 times as small a picture, of a curve that is nearly straight; a shift by one pixel is worth 0.03 and more.
    np.testing.assert_allclose(a[inner], 110 * 0.2 * lightness[inner], atol=0.02)
    np.testing.assert_allclose(b[inner], 110 * (0.1 - 0.2 * lightness[inner]), atol=0.02)


def test_small_pictures_are_predicted_as_they_are() -> None:
    (its,) = plain_model().translators.values()
    grey = tf.random.stateless_uniform([1, 32, 24, 1], [0, 0], -0.6, 0.6)
    made = colorized(its.chroma, grey, working_size=32, size_multiple=its.size_multiple)
    np.testing.assert_allclose(made, its.function(grey), atol=1e-5)  # resized by factors of 1 and 0


def test_saturation_scales_the_colours() -> None:
    sizes = {"working_size": 64, "size_multiple": 32}
    made = [colorized(faint, ramp(40, 150), **sizes, saturation=factor) for factor in (0.0, 1.0, 2.0)]
    inside = np.abs(made[2]).max(-1) < 1  # nothing was clipped
    assert inside.mean() > 0.9
    grey, plain, double = (rgb_to_lab(rgb).numpy()[inside] for rgb in made)
    # The white that lab.py rounds to six digits is worth 0.01.
    assert np.abs(grey[..., 1:]).max() < 0.02 and np.abs(plain[..., 1:]).max() > 5
    for other in (grey, double):
        np.testing.assert_allclose(other[..., 0], plain[..., 0], atol=2e-3)
    np.testing.assert_allclose(double[..., 1:], 2 * plain[..., 1:], atol=0.02)

    image = colours(40, 150)
    made = painting.Painter("run", translator(), saturation=0.0).translations(image, "a.png")["translation"]
    assert np.ptp(made.astype(int), axis=-1).max() <= 1
    np.testing.assert_allclose(made[..., :1], (to_grey(to_float(image)) + 1) * 127.5, atol=0.51)


def test_16_bit_grey_keeps_its_fine_steps() -> None:
    image = np.linspace(30000, 36000, 64 * 64).astype(np.uint16).reshape(64, 64, 1)
    seen = []

    def grey(lightness: tf.Tensor) -> tf.Tensor:
        seen.append(lightness.numpy())
        return tf.zeros([*lightness.shape[:3], 2])

    made = translating.translate(translator(grey), image[np.newaxis])[0].numpy()
    assert len(np.unique(seen[0])) > 3000  # of 24 steps in eight bits
    wrong = made[..., :1] != np.round(image / 257)
    assert wrong.mean() < 0.01  # where half a level lies between two floats


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "colours"
    save_run(folder, plain_model(), name="colorization")
    return folder


def test_files_and_the_sheet(run, tmp_path, capsys) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    pictures = {"a.png": colours(40, 70), "b.png": colours(30, 90)[..., :1].astype(np.uint16) * 257}
    for name, image in pictures.items():
        (source / name).write_bytes(encode_png(image))
    places = [f"--workdir={run}", f"--input={source}", f"--output={output}"]
    assert run_translate(capsys, *places, "--saturation=0.5")[::2] == (0, "")
    (its,) = plain_model().translators.values()
    for name, image in pictures.items():
        made = read(output / name.replace(".", "_translation."))
        expected = translating.translate(its, tf.constant(image)[tf.newaxis], saturation=0.5)[0]
        assert made.shape == (*image.shape[:2], 3) and np.abs(made - expected.numpy().astype(int)).max() <= 1

    sheet = read(output / "contact_sheet.png")
    first = sheet[14:54]  # below the titles; columns of 90, that of the truth, between them 2
    cells = [first[:, column * 92 + 10 : column * 92 + 80] for column in range(3)]
    np.testing.assert_array_equal(cells[2], pictures["a.png"])
    np.testing.assert_array_equal(cells[1], read(output / "a_translation.png"))
    assert np.ptp(cells[0], axis=-1).max() == 0
    np.testing.assert_allclose(lab_of(cells[0])[..., 0], lab_of(pictures["a.png"])[..., 0], atol=ROUNDING)
    assert sheet.shape[1] == 3 * 90 + 2 * 2 and (sheet[56:, 184:] == 255).all()  # no truth for b

    code, _, err = run_translate(capsys, *places, "--saturation=-1")
    assert code == 2 and "--saturation" in err and err.count("\n") == 1
    for wrong in (np.nan, np.inf):
        with pytest.raises(UserError, match=f"--saturation={wrong}: give a number of 0 or more"):
            painting.Painter("run", translator(), saturation=wrong)
    with pytest.raises(UserError, match="--saturation: the model of run has no colours"):
        painting.Painter("run", seeded_translator(), saturation=2.0)


def test_a_sheet_of_several_painters() -> None:
    sheet = ContactSheet(["one", "other"], of_grey=True)
    images = [colours(20, 30)[..., :1], colours(24, 60)]
    for image in images:
        sheet.add(image, [{"translation": to_channels(image, 3)}] * 2)
    shown = sheet.picture()
    np.testing.assert_array_equal(shown[-24:, -60:], images[1])
    assert (shown[-46:-26, -60:] == 255).all()
    sheet = ContactSheet(["one", "other"], of_grey=True)
    sheet.add(images[0], [{"translation": images[0]}] * 2)
    assert sheet.truths == [None] and sheet.picture().shape[1] < shown.shape[1] - 60  # no column for no truth


def test_an_export_does_the_same(tmp_path) -> None:
    (its,) = plain_model().translators.values()
    loaded = tf.saved_model.load(str(saved_model.export({"translate": its}, tmp_path, 1))).signatures
    image = colours(45, 70)
    painter = painting.Painter("run", its)
    for given in (image, image[..., :1]):
        expected = painter.translations(given, "a.png")["translation"].astype(int)
        assert expected.std(axis=-1).max() > 20
        answer = loaded["serving_default"](image=tf.constant(given)[tf.newaxis])["translation"][0]
        data = loaded["translate_bytes"](image_bytes=tf.constant([encode_png(given)]))["translation_bytes"][0]
        for made in (answer.numpy(), decode_image(data.numpy())):
            assert made.shape == (45, 70, 3) and np.abs(made - expected).max() <= 1
    with pytest.raises(tf.errors.InvalidArgumentError):
        loaded["serving_default"](image=tf.zeros([1, 32, 32, 4], tf.uint8))


@dataclasses.dataclass
class OneGrey(EightPictures):
    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        images = super().__getitem__(index)
        return {key: np.repeat(image[..., :1], 3, -1) if index == 1 else image for key, image in images.items()}

    def path_of(self, index: int) -> str:
        return f"{index}.png"


def test_grey_truths_are_left_out_of_an_evaluation_and_are_no_damage(run, tmp_path) -> None:
    settings = Settings(names=["l1"], num_images=None, num_samples=None, seed=0, batch_size=4, weights_dir=None)

    def evaluated(**pictures) -> tuple[bool, list[str]]:
        def source(*_):
            return SingleView(OneGrey(**pictures)), {"dataset": "eight", "data_dir": None, "split": "val"}

        lines: list[str] = []
        return evaluate_run(run, source, settings, output=tmp_path, say=lines.append).whole, lines

    count = "1 grey picture has no colours to compare with: left out"
    usable, lines = evaluated(count=2)
    assert usable and lines.count(count) == 1 and not any(line.startswith("skipped") for line in lines)
    record = read_records(tmp_path)[-1]
    assert (record["skipped"], record["about"]["num_images"], record["about"]["num_grey"]) == ({}, 1, 1)
    usable, lines = evaluated(count=4, bad=(2,))
    assert not usable and lines.count(count) == 1
    assert [line for line in lines if line.startswith("skipped")] == ["skipped: 2.png: truncated"]
    with pytest.raises(UserError, match="no good examples; pictures in colour are needed"):
        evaluated(count=4, bad=(0, 2, 3))
