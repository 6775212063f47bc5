"""Where a translation comes from: sample grids, `translate.py --attention`, and the export."""

import numpy as np
import pytest
import tensorflow as tf
from small_run import picture, read, run_translate, save_run, small, small_model, there_and_back

from gan_zoo.export import saved_model
from gan_zoo.grids import heat_map
from gan_zoo.images import encode_png, to_uint8
from gan_zoo.models.ugatit import UGATIT
from gan_zoo.training.samples import sample_grid
from gan_zoo.translation import translating


@pytest.fixture(scope="module")
def model() -> UGATIT:
    return small("ugatit")


def expected(model: UGATIT, image: np.ndarray, way: str = "a_to_b") -> tuple[np.ndarray, np.ndarray]:
    """Translation and levels of `[B, H, W, 3]` uint8 whose sides are multiples of 4."""
    made, _, strength = model.networks[f"generator_{way}"](image / np.float32(127.5) - 1)
    strength = tf.image.resize(strength, image.shape[1:3]).numpy()
    least, most = strength.min((1, 2, 3), keepdims=True), strength.max((1, 2, 3), keepdims=True)
    return to_uint8(made).numpy(), np.round(255 * (strength - least) / (most - least))


def assert_near(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Kernels that were compiled otherwise may round a value to the level beside."""
    difference = np.abs(np.asarray(ours, np.float32) - theirs)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.02


def test_levels_as_colours() -> None:
    levels = np.uint8([0, 50, 85, 130, 170, 200, 255])[:, np.newaxis]
    colours = [[0, 0, 0], [150, 0, 0], [255, 0, 0], [255, 135, 0], [255, 255, 0], [255, 255, 90], [255, 255, 255]]
    np.testing.assert_array_equal(heat_map(levels), colours)
    assert heat_map(np.zeros((2, 3, 4, 1), np.uint8)).shape == (2, 3, 4, 3)


@pytest.fixture(scope="module")
def workdir(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder / "run", model, name="ugatit")
    return folder / "run"


def test_translate_writes_a_heat_map_beside_each_translation(model, workdir, tmp_path, capsys) -> None:
    image = picture(32, 24)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(encode_png(image))
    flags = ("--attention", "--translator=b_to_a")
    folders = (f"--workdir={workdir}", f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}")
    code, _, err = run_translate(capsys, *folders, *flags)
    assert code == 0, err
    files = {"a_b_to_a.png", "a_b_to_a_attention.png", "contact_sheet.png"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == files
    made, levels = expected(model, image[np.newaxis], "b_to_a")
    assert_near(read(tmp_path / "out" / "a_b_to_a.png"), made[0])
    # A level beside is three levels of a colour.
    colours = read(tmp_path / "out" / "a_b_to_a_attention.png").astype(int)
    assert colours.shape == (32, 24, 3) and np.abs(colours.sum(-1) - 3 * levels[0, ..., 0]).max() <= 3


def test_a_model_without_attention_says_so_in_a_line(tmp_path, capsys) -> None:
    save_run(tmp_path / "run", small_model())
    (tmp_path / "a.png").write_bytes(encode_png(picture(32, 32)))
    folders = (f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}")
    code, _, err = run_translate(capsys, *folders, "--attention")
    assert code == 2 and err == "error: --attention: the model of run has none; ugatit has\n"
    assert not (tmp_path / "out").exists()


def test_a_sample_grid_shows_it_last(model) -> None:
    images = np.stack([picture(32, 32), picture(32, 32)])
    examples = {"input_image": tf.constant(images / np.float32(127.5) - 1)}
    grid = sample_grid(model.translators["a_to_b"], examples, seed=0)
    made, levels = expected(model, images)
    assert grid.shape[0] == 14 + 2 * 32 + 2
    right = heat_map(levels.astype(np.uint8))
    # In the middle of its column, which its title may make wider than the picture.
    places = [x for x in range(grid.shape[1] - 31) if np.abs(grid[14:46, x : x + 32].astype(int) - right[0]).max() <= 3]
    assert len(places) == 1 and places[0] > grid.shape[1] // 2
    assert np.abs(grid[48:80, places[0] : places[0] + 32].astype(int) - right[1]).max() <= 3
    (left,) = [x for x in range(grid.shape[1] - 31) if np.array_equal(grid[14:46, x : x + 32], made[0])]
    assert left < places[0]


def test_the_export_gives_it_with_the_translation(model) -> None:
    translator = model.translators["b_to_a"]
    answer = saved_model.signatures({"b_to_a": translator})["serving_default"]
    image = tf.constant(np.stack([picture(40, 33), picture(40, 33)]))
    exported = answer(image)
    assert set(exported) == {"translation", "attention"}
    made, levels = translating.attended(translator, image)
    assert levels.shape == (2, 40, 33, 1) and levels.dtype == tf.uint8
    assert_near(exported["translation"], made.numpy())
    assert_near(exported["attention"], levels.numpy())
    np.testing.assert_array_equal(made, translating.translate(translator, image))
    other = saved_model.signatures(there_and_back())["serving_default"].get_concrete_function()
    assert set(other.structured_outputs) == {"translation"}
