"""CONTRIBUTING.md keeps its word: its model and its data set run where it says, and its map leaves nothing out."""

import ast
import importlib
import pathlib
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import test_architecture
import test_zoo
import tiny_models
from small_run import run_translate
from tiny_runs import TINY, assert_one_line, run_train

import command_line
import datasets
import export
from datasets import DATASETS
from gan_zoo import models
from gan_zoo.images import encode_png
from gan_zoo.models import MODELS

ROOT = pathlib.Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TEMPLATES = dict(re.findall(r"`([a-z_/]+\.py)`:\n\n```python\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL))
MODEL_FILE, DATASET_FILE = "gan_zoo/models/simple_gan.py", "datasets/discs.py"
MAP = TEXT[TEXT.index("| where |") :].split("\n\n")[0]
SETTINGS = {"image_size": 32, "batch_size": 2, "base_filters": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> pathlib.Path:
    """The templates as files, in a folder that Python takes for a part of the packages that they belong to."""
    folder = tmp_path_factory.mktemp("templates")
    for name, code in TEMPLATES.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(code, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", autouse=True)
def in_the_zoo(folder):
    """Both stand where CONTRIBUTING says, each with its line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "__path__", [*models.__path__, str(folder / "gan_zoo" / "models")])
        patch.setattr(datasets, "__path__", [*datasets.__path__, str(folder / "datasets")])
        for module, table in (("gan_zoo.models.simple_gan", MODELS), ("datasets.discs", DATASETS)):
            patch.setitem(sys.modules, module, None)  # forgotten again afterwards
            del sys.modules[module]
            package, name = module.rsplit(".", 1)
            patch.setattr(sys.modules[package], name, importlib.import_module(module), raising=False)
            key, value = re.search(rf'in `(?:MODELS|DATASETS)`, `"({name})": ([A-Za-z_.]+)`', TEXT).groups()
            patch.setitem(table, key, getattr(sys.modules[module], value.split(".")[-1]))
        patch.setitem(TINY, "simple_gan", SETTINGS)
        yield


def test_there_are_two_templates() -> None:
    assert list(TEMPLATES) == [MODEL_FILE, DATASET_FILE]


def test_they_keep_the_rules_of_the_house(folder) -> None:
    modules = test_architecture.imported_modules(folder / MODEL_FILE)
    rooms = {name.split(".")[1] for name in modules if name.startswith("gan_zoo.")}
    assert rooms <= test_architecture.ALLOWED["models"] | {"models"}
    test_architecture.test_data_sets_know_only_what_examples_are_made_of(folder / DATASET_FILE)
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", ROOT / "pyproject.toml", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_zoo_takes_the_model(tmp_path) -> None:
    model, gradients = tiny_models.built("simple_gan"), {}
    before = {name: [np.array(v) for v in net.trainable_variables] for name, net in model.networks.items()}
    apply = model.apply_gradients

    def remember(name: str, values: list[tf.Tensor]) -> None:
        gradients[name] = [np.array(value) for value in values]
        apply(name, values)

    model.apply_gradients = remember
    logs = model.train_step(tiny_models.noise_batch(model.config))
    stepped = ("simple_gan", model, logs, gradients, before)
    test_zoo.test_losses_have_names_and_are_finite(stepped)
    test_zoo.test_every_trainable_weight_moves(stepped)
    test_zoo.test_translators_do_what_they_say(stepped)
    test_zoo.test_weights_go_round_through_a_checkpoint(stepped, tmp_path)


def discs(split: str, **settings) -> Any:
    config = MODELS["simple_gan"].config_class(**{"image_size": 32, "load_scale": 1.0} | settings)
    return DATASETS["discs"].load(split, config, None)


def test_the_model_learns_what_it_says() -> None:
    model = tiny_models.built("simple_gan")
    batch = tiny_models.noise_batch(model.config)
    input_image, target_image = batch["input_image"], batch["target_image"]

    def logits(image: tf.Tensor) -> np.ndarray:
        return model.discriminator(tf.concat([input_image, image], axis=-1)).numpy()

    def losses(image: tf.Tensor) -> dict[str, float]:
        return {
            "gan": np.mean((logits(image) - 1) ** 2),
            "l1": 100 * np.mean(np.abs(image - target_image)),
            "discriminator_real": np.mean((logits(target_image) - 1) ** 2),
            "discriminator_fake": np.mean(logits(image) ** 2),
        }

    fake_image, weights = model.generator(input_image), model.discriminator.get_weights()
    before = losses(fake_image)
    logs = {name: float(loss) for name, loss in model.train_step(batch).items()}
    assert logs == pytest.approx(before, rel=1e-4)  # float32, sums in another order

    def total(values: dict[str, float], *names: str) -> float:
        return sum(values[name] for name in names)

    # Each network has gone downhill, the other one as it was; rounding makes a hundredth of that step.
    judged = ("discriminator_real", "discriminator_fake")
    assert total(losses(fake_image), *judged) < 0.9999 * total(before, *judged)
    model.discriminator.set_weights(weights)
    drawn = ("gan", "l1")
    assert total(losses(model.generator(input_image)), *drawn) < 0.9999 * total(before, *drawn)


def test_a_run_from_training_to_export(eagerly, tmp_path, capsys) -> None:
    words = ["--model=simple_gan", "--dataset=discs", f"--workdir={tmp_path / 'run'}"]
    words += [f"--set={key}={value}" for key, value in SETTINGS.items()]
    tf.config.run_functions_eagerly(False)  # in a graph, once
    first = run_train(*words, "--steps=2")
    assert first.code == 0 and "400 training examples" in first.out, first
    tf.config.run_functions_eagerly(True)
    resumed = run_train(*words, "--steps=3")
    assert resumed.code == 0 and "step 3/3" in resumed.out and "step 1/" not in resumed.out, resumed
    assert (tmp_path / "run" / "samples" / "step_3.png").exists()

    (tmp_path / "circle.png").write_bytes(encode_png(discs("test", load_scale=1.2)[0]["input_image"]))
    places = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'circle.png'}", f"--output={tmp_path / 'out'}"]
    assert run_translate(capsys, *places)[::2] == (0, "")
    assert (tmp_path / "out" / "circle_translation.png").exists()

    with pytest.raises(SystemExit) as leaving:
        argv = ["export.py", f"--workdir={tmp_path / 'run'}"]
        command_line.run(export.main, export.define_flags(), export.USAGE, argv=argv)
    assert not leaving.value.code
    answer = tf.saved_model.load(tmp_path / "run" / "export" / "3").signatures["serving_default"]
    assert answer(image=np.zeros([1, 40, 50, 3], np.uint8))["translation"].shape == (1, 40, 50, 3)


def test_a_size_that_does_not_fit_is_refused(tmp_path) -> None:
    words = ["--model=simple_gan", "--dataset=discs", f"--workdir={tmp_path / 'run'}", "--image_size=40"]
    assert_one_line(run_train(*words), 2, "image_size=40", "32")


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_the_discs_are_what_they_are_called(direction) -> None:
    sources = {split: discs(split, image_size=64, direction=direction) for split in ("train", "val", "test")}
    assert {split: len(source) for split, source in sources.items()} == {"train": 400, "val": 20, "test": 20}
    example, again = (sources["train"][7] for _ in range(2))
    assert all(np.array_equal(example[key], again[key]) for key in example)
    assert not np.array_equal(example["target_image"], sources["val"][7]["target_image"])
    circle, disc = example.values() if direction == "a_to_b" else reversed(example.values())
    assert (circle.shape, disc.shape) == ((64, 64, 1), (64, 64, 3)) and circle.dtype == disc.dtype == np.uint8
    coloured = (disc != 255).any(axis=-1)
    (colour,) = np.unique(disc[coloured], axis=0)
    # Red tells the radius: 0.4 of the image is 255, and the area is that of the circle, to a pixel at its rim.
    radius = 64 * 0.4 * colour[0] / 255
    assert abs(np.sqrt(coloured.sum() / np.pi) - radius) < 0.5


def named_in_the_map() -> set[str]:
    """The files and folders that the rows of the map begin with, from the root."""
    names = set()
    for row in MAP.splitlines()[2:]:
        room = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            room = name.rstrip("/").rpartition("/")[0] or room
            names.add(name if "/" in name or not room else f"{room}/{name}")
    return names


def test_the_map_shows_every_file_and_folder_of_the_library() -> None:
    paths = [path for path in (ROOT / "gan_zoo").iterdir() if path.suffix == ".py" or path.is_dir()]
    places = {f"gan_zoo/{path.name}{'/' * path.is_dir()}" for path in paths}
    places -= {"gan_zoo/__init__.py", "gan_zoo/__pycache__/"}
    assert places <= named_in_the_map()
    for name in named_in_the_map():
        assert (ROOT / name).exists(), name


def test_the_map_names_every_script() -> None:
    assert {path.name for path in ROOT.glob("*.py")} <= set(re.findall(r"`([a-z_]+\.py)`", MAP))


def test_what_the_text_says_of_the_base_class_is_there() -> None:
    tree = ast.parse((ROOT / "gan_zoo" / "models" / "base.py").read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names |= {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    offered = TEXT.split("What the base class offers")[1].split("## ")[0]
    words = {"total", "latent_dim", "takes_seed", "cycle", "input_key", "target_key", "extra_state", "data_kind"}
    for name in words | {"validation_l1"}:
        assert name in names and f"`{name}" in offered, name
