"""A run that moves and grows: the same examples elsewhere, more of them, another rate; and one that starts another."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from run_arrays import arrays
from small_run import save_run, small
from tiny_runs import TINY, assert_one_line, run_train, use_eight_pictures

from gan_zoo.runs.loading import take_weights
from gan_zoo.runs.record import Run

QUIET = ("--sample_every=0", "--evaluate_every=0")
TINY_SETTINGS = [f"--set={key}={value}" for key, value in TINY["pix2pix"].items()]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Four pairs of noise."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "train").mkdir()
    for index in range(4):
        pair(index).save(folder / "train" / f"{index}.png")
    return folder


def pair(index: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(index).integers(0, 256, (32, 64, 3), np.uint8))


def words(workdir, photos, steps: int, *more: str) -> list[str]:
    run = ["--model=pix2pix", "--dataset=folder", f"--data_dir={photos}", f"--workdir={workdir}", f"--steps={steps}"]
    return [*run, *TINY_SETTINGS, *QUIET, *more]


def kernels(of_run: dict[str, np.ndarray]) -> list[str]:
    """What a checkpoint calls the generator's kernels, by the shortest way to them."""
    start = "optimizers/generator/_trainable_variables/"
    return [name for name, value in of_run.items() if name.startswith(start) and value.ndim == 4]


def going_on(*arguments) -> str:
    result = run_train(*arguments)
    assert result.code == 0, result
    return result.out


def test_the_same_examples_elsewhere_are_the_same_run_to_the_bit(photos, tmp_path) -> None:
    going_on(*words(tmp_path / "stays", photos, 4))
    going_on(*words(tmp_path / "moves", photos, 2))
    shutil.copytree(photos, tmp_path / "elsewhere")
    said = going_on(*words(tmp_path / "moves", tmp_path / "elsewhere", 4))
    assert f"changed from here on: data_dir was {str(photos)!r}, now {str(tmp_path / 'elsewhere')!r}" in said
    expected, actual = arrays(tmp_path / "stays"), arrays(tmp_path / "moves")
    assert all(np.array_equal(expected[name], actual[name]) for name in expected)
    history = [{"step": 2, "changes": {"data_dir": [str(photos), str(tmp_path / "elsewhere")], "steps": [2, 4]}}]
    assert Run.read(tmp_path / "moves").history == history
    assert Run.read(tmp_path / "stays").history == []

    # Other examples there: refused, unless the user says so; the history grows.
    for name, size in (("3.png", "the names or sizes of the training files"), ("4.png", "examples was 4, now 5")):
        pair(9).resize((96, 48)).save(tmp_path / "elsewhere" / "train" / name)
        assert_one_line(
            run_train(*words(tmp_path / "moves", tmp_path / "elsewhere", 5)), 2, size, "or --resume_with=data to go on"
        )
    said = going_on(*words(tmp_path / "moves", tmp_path / "elsewhere", 5, "--resume_with=data"))
    assert "the number of training examples was 4, now 5" in said
    first, second = Run.read(tmp_path / "moves").history
    assert [first] == history and second["changes"].keys() == {"num_examples", "fingerprint", "steps"}
    assert "nothing to do" in going_on(*words(tmp_path / "moves", tmp_path / "elsewhere", 5))


def test_another_rate_and_schedule_where_the_user_says_so(tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    run = ["--model=pix2pix", "--dataset=eight", f"--workdir={tmp_path}", *QUIET]
    going_on(*run, "--steps=1")
    other = ["--set=learning_rate=0.5", "--set=schedule=cosine"]
    assert_one_line(
        run_train(*run, "--steps=2", *other), 2, "learning_rate was 0.0002, now 0.5", "schedule was 'linear', now",
        "or --resume_with=learning_rate,schedule to go on",
    )  # fmt: skip
    result = run_train(*run, "--steps=2", *other, "--resume_with=schedule")
    assert_one_line(result, 2, "or --resume_with=schedule,learning_rate to go on")
    for more in (["--seed=1"], ["--set=schedule=plateau"]):  # what cannot change, whatever is said
        result = run_train(*run, "--steps=2", "--set=learning_rate=0.5", *more, "--resume_with=learning_rate,schedule")
        assert_one_line(result, 2, f"{more[0].split('=')[-2].removeprefix('--')} was ")
        assert "resume_with" not in result.err
    assert_one_line(run_train(*run, "--resume_with=seed"), 2, "--resume_with=seed is unknown; there are data, learning")
    before = arrays(tmp_path)
    said = going_on(*run, "--steps=2", *other, "--resume_with=learning_rate,schedule")
    assert "changed from here on: learning_rate was 0.0002, now 0.5" in said
    assert Run.read(tmp_path).history[0]["changes"]["schedule"] == ["linear", "cosine"]
    # Adam moves each weight by about its rate, and no further.
    name = kernels(before)[0]
    moved = np.abs(arrays(tmp_path)[name] - before[name])
    assert 0.1 < np.median(moved) < 1.0


def test_a_plateau_goes_on_from_the_new_rate(tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    run = ["--model=pix2pix", "--dataset=eight", f"--workdir={tmp_path}", *QUIET, "--set=schedule=plateau"]
    going_on(*run, "--steps=1", "--set=learning_rate=0.25")
    going_on(*run, "--steps=2", "--set=learning_rate=0.125", "--resume_with=learning_rate")
    reader = tf.train.load_checkpoint(str(tmp_path / "checkpoints" / "step-2"))
    assert reader.get_tensor("optimizers/generator/_learning_rate/.ATTRIBUTES/VARIABLE_VALUE") == 0.125


@pytest.mark.parametrize("name", TINY)
def test_weights_of_another_run_for_every_model(name, tmp_path) -> None:
    before, after = small(name), small(name)
    for network in after.networks.values():
        for variable in network.weights:
            variable.assign(tf.zeros_like(variable))
    save_run(tmp_path, before, step=3, name=name)
    assert take_weights(after, tmp_path) == 3
    for part, network in before.networks.items():
        pairs = zip(network.weights, after.networks[part].weights, strict=True)
        assert all(np.array_equal(old, new) for old, new in pairs)


def test_a_new_run_from_the_weights_of_another(tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    save_run(tmp_path / "first", small("pix2pix"), step=7, name="pix2pix")
    run = ["--model=pix2pix", "--dataset=eight", f"--workdir={tmp_path / 'run'}", *QUIET]
    start = [*run, "--set=learning_rate=0", "--steps=1"]
    result = run_train(*start, f"--init_from={tmp_path / 'first'}", "--set=base_filters=8")
    assert_one_line(
        result, 2, f"--init_from={tmp_path / 'first'} does not fit: generator: ", "there, [4, 4, 3, 8] here", "more"
    )
    assert_one_line(run_train(*start, f"--init_from={tmp_path}"), 2, "config.json does not exist")
    assert not (tmp_path / "run").exists()
    said = going_on(*start, f"--init_from={tmp_path / 'first'}")
    assert f"starting with the weights of {tmp_path / 'first'} at step 7" in said
    # A step at a rate of 0 changes no kernel; its optimizers have begun anew.
    old, new = arrays(tmp_path / "first"), arrays(tmp_path / "run")
    assert len(kernels(old)) > 5 and all(np.array_equal(old[name], new[name]) for name in kernels(old))
    assert new["optimizers/generator/_iterations/.ATTRIBUTES/VARIABLE_VALUE"] == 1
    assert Run.read(tmp_path / "run").history == [{"step": 0, "init_from": str(tmp_path / "first"), "of_step": 7}]
    # The same command goes on, and one without it; from another run it cannot.
    going_on(*start[:-1], "--steps=2", f"--init_from={tmp_path / 'first'}")
    assert "nothing to do" in going_on(*start[:-1], "--steps=2")
    assert_one_line(
        run_train(*start, f"--init_from={tmp_path}"), 2, f"has begun with the weights of {tmp_path / 'first'}"
    )
