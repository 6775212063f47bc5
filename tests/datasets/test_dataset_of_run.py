"""A config.json from anybody opens only what is shipped: no builder, no feature class out of a folder is imported."""

import json
import pathlib
import sys
import types

import pytest
import tensorflow_datasets as tfds
from small_run import save_run, small

import command_line
import evaluate
from datasets import dataset_of_run, find_dataset
from datasets.definition import load_for
from gan_zoo.errors import UserError
from gan_zoo.runs.record import Run

CONFIG = types.SimpleNamespace(direction="a_to_b")
INFO = {
    "name": "evil",
    "version": "1.0.0",
    "fileFormat": "array_record",
    "splits": [{"name": "train", "numBytes": "1", "shardLengths": ["1"]}],
}


@pytest.fixture
def trap(tmp_path, monkeypatch) -> pathlib.Path:
    """A prepared data set whose feature class, when it is imported, leaves a mark."""
    (tmp_path / "trap_class.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "trap_class", raising=False)
    return tmp_path


def prepare(folder: pathlib.Path, name: str, version: str = "1.0.0") -> None:
    prepared = folder / "data" / name / version
    prepared.mkdir(parents=True)
    (prepared / "dataset_info.json").write_text(json.dumps(INFO | {"name": name, "version": version}))
    (prepared / "features.json").write_text(json.dumps({"pythonClassName": "trap_class.Feature"}))


@pytest.mark.parametrize(
    "name",
    [
        "evil",
        "evil:1.0.0",
        "evil/all",
        "huggingface:evil",
        "kaggle:evil",
        "mnist:1.0.0",
        "mnist/x=1",
        "../evil",
        "",
        "m\nx",
    ],
)
def test_what_is_not_shipped_is_refused_without_an_import(trap, name) -> None:
    prepare(trap, "evil")
    prepare(trap, "mnist")
    with pytest.raises(
        UserError, match=r"opening it would run code of whoever made the run; if you trust it, .*--data"
    ):
        load_for(dataset_of_run(f"tfds:{name}"), "single", "train", CONFIG, str(trap / "data"))
    assert not (trap / "sprung").exists()


def test_a_shipped_set_in_a_folder_of_traps_imports_nothing(trap) -> None:
    version = str(tfds.builder_cls("mnist").VERSION)
    prepare(trap, "mnist", version)
    with pytest.raises(UserError):  # there are no records in it
        load_for(dataset_of_run("tfds:mnist"), "single", "val", CONFIG, str(trap / "data"))
    assert not (trap / "sprung").exists()
    with pytest.raises(UserError, match="has no configuration big"):
        load_for(dataset_of_run("tfds:mnist/big"), "single", "val", CONFIG, str(trap / "data"))


def test_a_shipped_set_without_features_in_its_code_gets_none_from_the_folder(trap, monkeypatch) -> None:
    class Bare(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")
        name = "bare"

        def _info(self):
            return tfds.core.DatasetInfo(builder=self)

        _split_generators = _generate_examples = None

    Bare.__abstractmethods__ = frozenset()
    Bare.__module__ = "tensorflow_datasets.bare"
    prepare(trap, "bare")
    monkeypatch.setattr(tfds, "builder_cls", lambda name: Bare)
    with pytest.raises(
        UserError, match=r"names the class trap_class\.Feature, which would be imported; if you trust it"
    ):
        load_for(dataset_of_run("tfds:bare"), "single", "train", CONFIG, str(trap / "data"))
    assert not (trap / "sprung").exists()


def test_evaluating_a_strangers_run_imports_nothing_unless_the_user_says_so(trap, capsys) -> None:
    prepare(trap, "evil")
    model = small("colorization")
    save_run(trap / "run", model, name="colorization")
    Run(model="colorization", dataset="tfds:evil", data_dir=str(trap / "data"), settings=model.config.to_dict()).write(
        trap / "run"
    )

    def run(*words: str) -> str:
        argv = ["evaluate.py", f"--workdir={trap / 'run'}", *words]
        with pytest.raises(SystemExit) as leaving:
            command_line.run(evaluate.main, evaluate.define_flags(), evaluate.USAGE, argv=argv)
        assert leaving.value.code == 2
        return capsys.readouterr().err

    said = run()
    assert (
        said.count("\n") == 1 and "tfds:evil stands in the run's config.json" in said and "--dataset=tfds:evil" in said
    )
    assert not (trap / "sprung").exists()
    run("--dataset=tfds:evil")  # as the user wants it: the trap is real
    assert (trap / "sprung").exists()


def test_what_is_here_is_found_and_the_rest_is_named() -> None:
    assert dataset_of_run("shapes") is find_dataset("shapes")
    with pytest.raises(
        UserError, match=r"names the data set 'os\.system', which is unknown: give --dataset, .* shapes"
    ):
        dataset_of_run("os.system")
