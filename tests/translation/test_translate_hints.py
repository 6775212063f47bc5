"""A user's hints on their way to the generator: pictures of points, brought to its size, by file and in an export."""

import numpy as np
import pytest
import tensorflow as tf
from small_run import picture, read, run_translate, save_run, small

from gan_zoo.data.picture_files import find_hints, read_hints
from gan_zoo.errors import UserError
from gan_zoo.export import saved_model
from gan_zoo.images import BadImage, encode_png, to_float
from gan_zoo.lab import rgb_to_lab, to_network
from gan_zoo.translation import painting, translating
from gan_zoo.translation.chroma import colorized
from gan_zoo.translation.contact_sheet import ContactSheet


def model(**settings):
    """The smallest generator that there is; one pixel of it sees 21 x 21."""
    return small("colorization", generator_type="res_unet", num_downs=1, norm="none", **settings)


def hints_of(height: int, width: int, points: dict[tuple[int, int], tuple[int, int, int]]) -> np.ndarray:
    """`[H, W, 4]` uint8, opaque at points (row, column) of these colours; elsewhere colours that must not count."""
    hints = picture(height, width, 4)
    hints[..., 3] = 127
    for place, colour in points.items():
        hints[place] = [*colour, 128]
    return hints


def ab_of(colour: tuple[int, int, int]) -> np.ndarray:
    return to_network(rgb_to_lab(to_float(np.array(colour, np.uint8))))[1].numpy()


RED, BLUE, GREEN = (220, 40, 30), (20, 60, 230), (30, 200, 40)


def test_no_point_is_lost_on_the_way_down() -> None:
    seen = []

    def predict(lightness: tf.Tensor, hints: tf.Tensor) -> tf.Tensor:
        seen.append(hints.numpy())
        return tf.zeros([*lightness.shape[:3], 2])

    # 100 x 300 becomes 60 x 180, so that of five pixels in a line one, two and two have their middles in the same one.
    # Then 2 rows and 6 columns are reflected at each border.
    points = {(0, 0): RED, (53, 178): RED, (54, 179): BLUE, (55, 178): GREEN, (99, 299): BLUE}
    hints = np.stack([hints_of(100, 300, points), hints_of(100, 300, {})])
    grey = tf.random.stateless_uniform([2, 100, 300, 1], [0, 0], -1, 1)
    colorized(predict, grey, working_size=180, size_multiple=32, hints=tf.constant(hints))
    assert seen[0].shape == (2, 64, 192, 3)
    expected = np.zeros([2, 60, 180, 3])
    for place, colours in {(0, 0): [RED], (32, 107): [RED, BLUE], (33, 107): [GREEN], (59, 179): [BLUE]}.items():
        expected[0][place] = [*np.mean([ab_of(colour) for colour in colours], 0), 1]
    expected = np.pad(expected, [(0, 0), (2, 2), (6, 6), (0, 0)], "reflect")
    np.testing.assert_allclose(seen[0], expected, rtol=0, atol=1e-6)

    # Smaller than the network's size: as they are.
    colorized(predict, grey[:, :16, :40], working_size=64, size_multiple=8, hints=tf.constant(hints[:, :16, :40]))
    assert seen[1].shape == (2, 16, 40, 3) and seen[1][..., 2].sum() == 1 and seen[1][0, 0, 0, 2] == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="as large as the image"):
        colorized(predict, grey, working_size=64, size_multiple=8, hints=tf.constant(hints[:, :99]))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder / "hints", model(hints=True), name="colorization")
    save_run(folder / "plain", model(), name="colorization")
    return folder


def places(folder) -> list[str]:
    return [f"--input={folder / 'in'}", f"--output={folder / 'out'}"]


@pytest.fixture
def folder(tmp_path):
    """Photos `in/a.png` and `in/b.png` of 40 x 70 and 30 x 90 pixels, and `hints/a.png`."""
    for name in ("in", "hints"):
        (tmp_path / name).mkdir()
    for name, size in (("a", (40, 70)), ("b", (30, 90))):
        (tmp_path / "in" / f"{name}.png").write_bytes(encode_png(picture(*size) // 2 + 64))
    (tmp_path / "hints" / "a.png").write_bytes(encode_png(hints_of(40, 70, {(20, 8): RED})))
    return tmp_path


def test_a_folder_of_hints(runs, folder, capsys) -> None:
    (translator,) = model(hints=True).translators.values()
    hints = read(folder / "hints" / "a.png")
    other = folder / "hints" / "aa.png"
    other.write_bytes(encode_png(hints_of(40, 70, {})))
    code, _, err = run_translate(capsys, f"--workdir={runs / 'hints'}", *places(folder), f"--hints={folder / 'hints'}")
    assert (code, err) == (0, f"hints not used: {other}: no picture has its name\n")
    made = {}
    for name, its in (("a", hints[np.newaxis]), ("b", None)):
        image = read(folder / "in" / f"{name}.png")
        made[name] = read(folder / "out" / f"{name}_translation.png").astype(int)
        expected = translating.translate(translator, tf.constant(image)[tf.newaxis], hints=its)[0].numpy()
        assert np.abs(made[name] - expected).max() <= 1  # a graph's rounding
    # Colours changed around the point, and far from it none. The network's picture is 18 x 32.
    plain = translating.translate(translator, read(folder / "in" / "a.png")[np.newaxis])[0].numpy()
    difference = np.abs(made["a"] - plain).max((0, 2))
    assert difference[:17].min() > 5 and difference[40:].max() <= 1

    sheet = read(folder / "out" / "contact_sheet.png")
    cell = sheet[14:54, 10:80]  # below the titles, in the middle of a column of 90
    np.testing.assert_array_equal(cell[20, 8], RED)
    cell = cell.astype(int)
    assert (np.ptp(cell, axis=-1) > 0).sum() == 1


def test_points_stay_visible_in_a_small_sheet() -> None:
    sheet = ContactSheet(["run"], of_grey=True)
    image = picture(300, 1024, 1)
    sheet.add(image, [{"translation": image}], hints_of(300, 1024, {(299, 1023): GREEN, (0, 0): BLUE}))
    cell = sheet.picture()[14:89, :256]
    np.testing.assert_array_equal(cell[[0, -1], [0, -1]], [BLUE, GREEN])
    assert (np.ptp(cell.astype(int), axis=-1) > 0).sum() == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("plain", "hints"), "--hints: the model of plain takes none"),
        (("hints", "nowhere"), "--hints: there is no file or folder"),
        (("hints", "empty"), "--hints: no file in"),
        (("hints", "others"), "has the name of a picture, such as a.png"),
        (("hints", "twice"), "a.png and a.webp are for the same picture"),
        (("hints", "in"), "in another folder than --input"),
        (("hints", "both"), "a.png could be for a.jpg or a.png: rename one of them"),
        (("hints", "hints/a.png"), "is for one picture: give a folder of files named as the 2 are"),
    ],
)
def test_refusals_take_one_line(runs, folder, capsys, given, message) -> None:
    run, hints = given
    for name in ("empty", "others/c.png", "twice/a.png", "twice/a.webp"):
        path = folder / name
        (path if name == "empty" else path.parent).mkdir(exist_ok=True)
        if name != "empty":
            path.write_bytes(encode_png(hints_of(40, 70, {})))
    if hints == "both":
        (folder / "in" / "a.jpg").write_bytes(b"not read")
        hints = "hints"
    code, _, err = run_translate(capsys, f"--workdir={runs / run}", *places(folder), f"--hints={folder / hints}")
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert not (folder / "out").exists()


BAD = {
    "71x40 pixels, and the picture has 70x40": encode_png(hints_of(40, 71, {})),
    "no transparency": encode_png(picture(40, 70)),
    "not a PNG": b"hello",
}


def test_bad_hints_are_named_and_the_others_are_coloured(runs, folder, capsys) -> None:
    path = folder / "hints" / "a.png"
    for message, data in BAD.items():
        path.write_bytes(data)
        with pytest.raises(BadImage, match=f"its hints, {path}: {message}"):
            read_hints(path, (40, 70, 1))
    code, _, err = run_translate(capsys, f"--workdir={runs / 'hints'}", *places(folder), f"--hints={path.parent}")
    assert code == 1 and err.count("\n") == 1 and f"in/a.png: its hints, {path}: not a PNG" in err
    assert {path.name for path in (folder / "out").iterdir()} == {"b_translation.png", "contact_sheet.png"}


def test_a_file_is_for_the_only_picture(folder) -> None:
    hints, only = folder / "hints" / "a.png", folder / "in" / "b.png"
    assert find_hints(hints, [only]) == ({only: hints}, [])
    with pytest.raises(UserError, match="is the picture itself"):
        find_hints(hints.parent / ".." / "hints" / "a.png", [hints])
    expected = read(hints)
    hints.write_bytes(encode_png(expected.astype(np.uint16) * 257))
    np.testing.assert_array_equal(read_hints(hints, (40, 70, 1)), expected)


def test_an_export_does_the_same(tmp_path) -> None:
    (its,) = model(hints=True).translators.values()
    loaded = tf.saved_model.load(str(saved_model.export({"translate": its}, tmp_path, 1))).signatures
    image, hints = picture(45, 70) // 2 + 64, hints_of(45, 70, {(20, 8): BLUE})
    painter = painting.Painter("run", its, hints=True)
    expected = painter.translations(image, "a.png", hints)["translation"].astype(int)
    inputs = {"image": tf.constant(image)[tf.newaxis]}
    made = loaded["translate_with_hints"](**inputs, hints=tf.constant(hints)[tf.newaxis])["translation"][0]
    plain = loaded["serving_default"](**inputs)["translation"][0].numpy()
    assert np.abs(made - expected).max() <= 1 and np.abs(plain - expected).max() > 5
    none = loaded["translate_with_hints"](**inputs, hints=tf.zeros([1, 45, 70, 4], tf.uint8))["translation"][0]
    np.testing.assert_allclose(none, plain, atol=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="as large as the image"):
        loaded["translate_with_hints"](**inputs, hints=tf.constant(hints)[tf.newaxis, 1:])

    (plain,) = model().translators.values()
    assert "translate_with_hints" not in saved_model.signatures({"translate": plain})
    with pytest.raises(UserError, match="--hints: the model of run takes none"):
        painting.Painter("run", plain, hints=True)


def test_dropout_keeps_its_seed_beside_hints() -> None:
    (its,) = small("colorization", inference_mode="train", image_size=64, hints=True).translators.values()
    image, hints = picture(64, 64)[np.newaxis], hints_of(64, 64, {})[np.newaxis]
    painted = [translating.translate(its, image, tf.constant([seed], tf.int64), hints=hints).numpy() for seed in (3, 4)]
    np.testing.assert_array_equal(painted[0], translating.translate(its, image, tf.constant([3], tf.int64)))
    assert np.abs(painted[0].astype(int) - painted[1]).max() > 5
