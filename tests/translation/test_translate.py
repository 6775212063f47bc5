"""translate.py: the generator's answers for files of any size and kind, bad ones among them."""

import errno
import os
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_run import picture, read, run_translate, save_run, small_model

from gan_zoo.data import picture_files
from gan_zoo.errors import UserError
from gan_zoo.images import encode_png, to_channels
from gan_zoo.translation import painted_files, painting, translating
from gan_zoo.translation.contact_sheet import SHEET_ROWS, ContactSheet


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on colour images and one on grey ones, which has no encoder."""
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder / "colour", small_model())
    save_run(folder / "grey", small_model(seed=1, input_channels=1, objective="noise"))
    return folder


@pytest.fixture(scope="module")
def translator():
    return small_model().translators["translate"]


class PaintZ:
    """A translator that answers with z as a colour."""

    input_channels = output_channels = latent_dim = 3
    size_multiple, scale, encode, cycle, chroma, takes_seed, tile_overlap = 8, 1, None, None, None, False, None
    labels = ()
    function = staticmethod(lambda image, z: tf.tanh(z)[:, tf.newaxis, tf.newaxis, :] + 0.0 * image)


class Negate:
    """A translator without z."""

    input_channels = output_channels = 3
    size_multiple, latent_dim, scale, encode, cycle, chroma, takes_seed = 8, 0, 1, None, None, None, False
    tile_overlap = input_classes = None
    labels = ()
    function = staticmethod(lambda image: -image)


def test_a_folder_with_good_and_bad_files(runs, tmp_path, capsys):
    source, output = tmp_path / "Bilder für alle", tmp_path / "out"
    source.mkdir()
    good = {"schwarze Schuhe.png": picture(40, 33, 1), "café.PNG": picture(20, 70), "mit alpha.png": picture(32, 32, 4)}
    for name, image in good.items():
        (source / name).write_bytes(encode_png(image))
    bad = {
        "cut.png": (encode_png(picture(40, 40))[:900], "truncated"),
        "zero.jpg": (b"", "empty"),
        "text.jpg": (b"hello", "not a"),
        "tiny.png": (encode_png(picture(3, 3)), "3x3"),
    }
    for name, (data, _) in bad.items():
        (source / name).write_bytes(data)
    os.symlink(tmp_path / "nowhere", source / "broken link.png")
    (source / "notes.txt").write_text("not an image, and not meant as one")
    (source / ".hidden.png").write_text("nor this")

    code, out, err = run_translate(
        capsys, f"--workdir={runs / 'colour'}", f"--input={source}", f"--output={output}", "--num_samples=2", "--sync"
    )
    assert code == 1
    lines = err.splitlines()
    assert len(lines) == len(bad) + 1 and any("broken link.png: a link that leads nowhere" in line for line in lines)
    for name, (_, reason) in bad.items():
        assert [line for line in lines if f"/{name}: " in line and reason in line], name
    assert all(name in out for name in good) and "contact_sheet.png" in out
    expected = {f"{name.rsplit('.', 1)[0]}_sample_{number}.png" for name in good for number in (1, 2)}
    assert {path.name for path in output.iterdir()} == expected | {"contact_sheet.png"}
    for name, image in good.items():
        made = [read(output / f"{name.rsplit('.', 1)[0]}_sample_{number}.png") for number in (1, 2)]
        assert made[0].shape == (*image.shape[:2], 3)
        assert (made[0] != made[1]).any()


def assert_alike(first: np.ndarray, second: np.ndarray) -> None:
    """Two computations of one picture: what lies between two grey values may be rounded to either, which is seldom."""
    differences = np.abs(first.astype(int) - second)
    assert differences.max() <= 1 and differences.mean() < 1e-3


def test_pictures_are_the_generators(runs, translator, tmp_path, capsys):
    image, style = picture(50, 37), picture(64, 20, 4)
    for name, array in [("a.png", image), ("style.png", style)]:
        (tmp_path / name).write_bytes(encode_png(array))
    code, _, err = run_translate(
        capsys,
        f"--workdir={runs / 'colour'}",
        f"--input={tmp_path / 'a.png'}",
        f"--output={tmp_path}",
        f"--encode={tmp_path / 'style.png'}",
        "--num_samples=3",
        "--interpolate=4",
        "--seed=9",
        "--sync",
    )
    assert (code, err) == (0, "")
    draw = tf.function(lambda *inputs: translating.translate(translator, *inputs))
    mu, _ = translating.encode(translator, to_channels(style, 3)[np.newaxis])
    random = translating.sample_z(9, 3, 3).numpy()
    for title, z in [("encoded", mu[0]), *((f"sample_{number}", random[number - 1]) for number in (1, 2, 3))]:
        expected = draw(tf.constant(image)[tf.newaxis], tf.constant(z)[tf.newaxis])[0]
        assert_alike(read(tmp_path / f"a_{title}.png"), expected.numpy())

    strip = read(tmp_path / "a_interpolation.png")
    assert strip.shape == (50, 4 * 37 + 3 * 2, 3)
    assert_alike(strip[:, :37], read(tmp_path / "a_sample_1.png"))
    assert_alike(strip[:, -37:], read(tmp_path / "a_sample_2.png"))
    with Image.open(tmp_path / "a_interpolation.webp") as animation:
        assert (animation.n_frames, animation.size) == (6, (37, 50))  # there in 4 frames, back in 2
        animation.seek(3)
        last = np.asarray(animation.convert("RGB")).mean((0, 1))
    # WebP smooths the noise of an untrained network, but keeps its mean colour.
    first_colour, last_colour = (strip[:, start : start + 37].mean((0, 1)) for start in (0, 3 * 39))
    assert np.abs(last - last_colour).max() < 0.3 * np.abs(last - first_colour).max()

    sheet = read(tmp_path / "contact_sheet.png")
    assert 50 < sheet.shape[0] < 80 and sheet.shape[1] >= 6 * 37  # titles; input, style, encoded, three samples


def test_own_z_depend_on_seed_and_name_alone():
    image = picture(8, 8)

    def draw(name, **settings):
        return [p.tobytes() for p in painting.Painter("", PaintZ, **settings).translations(image, name).values()]

    first = draw("a.png", num_samples=2)
    assert first == draw("a.png", num_samples=3)[:2]
    others = [draw("b.png"), draw("a.png", seed=1), draw("a.png", sync=True)]
    assert len({*first, *(samples[0] for samples in others)}) == 5
    assert draw("a.png", sync=True) == draw("b.png", sync=True)


@pytest.mark.parametrize("sides", [(75, 90), (20, 12), (16, 40)])
def test_a_style_is_read_at_the_training_size_as_pil_resizes(sides):
    seen = types.SimpleNamespace(image_size=32, encode=lambda image: (image, image))
    style = 100 + picture(*sides) // 5  # so weak that the cubic overshoots no limit
    found, _ = translating.encode(seen, style[np.newaxis])
    expected = np.asarray(Image.fromarray(style).resize((32, 32), Image.Resampling.BICUBIC))
    # PIL rounds after each direction, by half a grey level: the second one makes up to 0.7 of the first's.
    assert np.abs((found[0] + 1) * 127.5 - expected).max() < 1.2
    sharp, _ = translating.encode(seen, 255 * (picture(20, 12)[np.newaxis] // 128))
    assert (np.min(sharp), np.max(sharp)) == (-1, 1)  # where it does overshoot


def test_the_way_between_two_z():
    start, end = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    way = painting.interpolate(start, end, 5)
    np.testing.assert_allclose(way[[0, -1]], [start, end], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 3, rtol=1e-6)
    angles = np.arctan2(way[:, 1], way[:, 0])
    np.testing.assert_allclose(np.diff(angles), np.pi / 8, rtol=1e-5)
    np.testing.assert_allclose(painting.interpolate(np.array([1.0]), np.array([-3.0]), 3), [[1], [-1], [-3]])


def test_several_runs_side_by_side(runs, tmp_path, capsys):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.png", "a.jpg"):
        Image.fromarray(picture(64, 64)).save(source / name)
    workdirs = f"{runs / 'colour'},{runs / 'grey'}"
    code, _, _ = run_translate(
        capsys, f"--workdir={workdirs}", f"--input={source}", f"--output={output}", "--num_samples=1"
    )
    assert code == 0
    made = {str(path.relative_to(output)) for path in output.rglob("*.png")}
    of_runs = {f"{run}/{name}_sample_1.png" for run in ("colour", "grey") for name in ("a.png", "a.jpg")}
    assert made == of_runs | {"contact_sheet.png"}
    sheet = read(output / "contact_sheet.png")
    inputs, first, second = sheet[-64:, :64], sheet[-64:, 64 + 12 : 128 + 12], sheet[-64:, -64:]
    np.testing.assert_array_equal(inputs, read(source / "a.png"))
    np.testing.assert_array_equal(first, read(output / "colour" / "a.png_sample_1.png"))
    np.testing.assert_array_equal(second, read(output / "grey" / "a.png_sample_1.png"))
    assert painting.titles(["x/run", "y/run", "z"]) == ["run_1", "run_2", "z"]
    assert painting.titles(["x/run", "y/run", "run_1"]) == ["run_2", "run_3", "run_1"]


def test_all_bad_pictures_are_named_and_make_no_sheet(runs, tmp_path, capsys):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("1.jpg", "2.jpg"):
        (source / name).write_text("hello")
    code, out, err = run_translate(capsys, f"--workdir={runs / 'colour'}", f"--input={source}", f"--output={output}")
    assert (code, out, len(err.splitlines())) == (1, "", 2)
    assert all(f"not translated: {source / name}: not a" in err for name in ("1.jpg", "2.jpg"))
    assert not output.exists()


def test_what_one_file_lacks_is_no_trouble_of_the_others(tmp_path, monkeypatch):
    long, longest = "n" * 235 + ".png", "m" * 245 + ".png"  # with `_translation` 251 and 261 bytes, of 255 at most
    for name, side in [(long, 32), (longest, 32), ("large.png", 64)]:
        (tmp_path / name).write_bytes(encode_png(picture(side, side)))
    os.mkfifo(tmp_path / "pipe.png")
    painter = painting.Painter("run", Negate)
    translations = painter.translations

    def limited(image, *more):
        if image.shape[0] > 32:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return translations(image, *more)

    monkeypatch.setattr(painter, "translations", limited)
    output = tmp_path / "out"
    bad = painted_files.paint_files(picture_files.find_images(tmp_path)[0], [painter], output, lambda line: None)
    assert {path.name: reason for path, reason in bad.items()} == {
        "large.png": "not enough memory to translate 64x64 pixels",
        longest: "its translations cannot be written: File name too long",
    }
    assert {path.name for path in output.iterdir()} == {long.replace(".png", "_translation.png"), "contact_sheet.png"}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(painted_files, "write_png", full)
    with pytest.raises(OSError, match="No space"):
        painted_files.paint_files(picture_files.find_images(tmp_path)[0], [painter], output, lambda line: None)


def test_the_sheet_stays_small():
    sheet = ContactSheet(["run"])
    for _ in range(SHEET_ROWS + 5):
        sheet.add(picture(600, 300), [{"sample 1": picture(600, 300)}])
    height, width, _ = sheet.picture().shape
    assert SHEET_ROWS * 256 < height < SHEET_ROWS * 262 and width < 2 * 128 + 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input={in}/none"], "there is no"),
        (["--input={in}/empty"], "no file in"),
        (["--input={in}/pipe.png"], "there is no file or folder"),
        (["--input="], "--input is empty"),
        (["--input={in}/good.png", "--workdir="], "--workdir is empty"),
        (["--input={in}/good.png", "--workdir={runs}/colour,"], "--workdir is empty"),
        (["--input={in}/good.png", "--output=" + "n" * 300], "File name too long"),
        (["--input={in}/good.png", "--output={in}/text.jpg"], "a file stands where a folder"),
        (["--input={in}/good.png", "--output={in}/text.jpg/out"], "a file stands where a folder"),
        (["--input={in}/good.png", "--output=/proc/out"], "/proc/out"),
        (["--input={in}/good.png", "--seed=-1"], "--seed=-1"),
        (["--input={in}/bad", "--output={in}/../in/bad"], "another folder than --input"),
        (["--input={in}/good.png", "--encode={in}/text.jpg"], "--encode: "),
        (["--input={in}/good.png", "--encode={in}/good.png", "--workdir={runs}/grey"], "no encoder"),
        (["--input={in}/good.png", "--num_samples=0"], "nothing to do"),
        (["--input={in}/good.png", "--cycle"], "--cycle: the model of colour knows no way back"),
        (["--input={in}/good.png", "--translator=back"], "this model has translate"),
        (["--input={in}/good.png", "--interpolate=1"], "--interpolate=1"),
        (["--input={in}/good.png", "--workdir={in}"], "config.json does not exist"),
    ],
)
def test_refusals_take_one_line(runs, tmp_path, capsys, arguments, message):
    places = {"in": tmp_path / "in", "runs": runs}
    for folder in ("empty", "bad"):
        (places["in"] / folder).mkdir(parents=True)
    for name in ("text.jpg", "bad/1.jpg", "bad/2.jpg"):
        (places["in"] / name).write_text("hello")
    (places["in"] / "good.png").write_bytes(encode_png(picture(32, 32)))
    os.mkfifo(places["in"] / "pipe.png")
    defaults = [f"--workdir={runs / 'colour'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *defaults, *(argument.format_map(places) for argument in arguments))
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "out").exists()


def test_a_translator_without_z():
    image = picture(21, 30)
    made = painting.Painter("run", Negate).translations(image, "a.png")
    np.testing.assert_array_equal(made["translation"], 255 - image)
    with pytest.raises(UserError, match="no z"):
        painting.Painter("run", Negate, num_frames=3)
    with pytest.raises(UserError, match="a_to_b, b_to_a"):
        painting.pick_translator({"a_to_b": Negate, "b_to_a": Negate}, "c")
    assert painting.pick_translator({"a_to_b": Negate, "b_to_a": PaintZ}, "b_to_a") == ("b_to_a", PaintZ)
    assert painting.pick_translator({"a_to_b": Negate, "b_to_a": PaintZ}, None) == ("a_to_b", Negate)
