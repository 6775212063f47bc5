"""config.json after somebody's hands: one line and exit code 2 for whatever is in it, and never a traceback."""

import copy
import json
import os
import random

import pytest
from tiny_runs import TINY, assert_one_line, run_train, use_eight_pictures

from gan_zoo.errors import UserError
from gan_zoo.models.pix2pix import Pix2PixConfig
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.record import Run

RUN = Run(
    model="pix2pix", dataset="eight", data_dir="/x", num_examples=8, domain_counts=[3, 4], origins={"seed": "flag"},
    settings=Pix2PixConfig.from_dict(TINY["pix2pix"]).to_dict(),
)  # fmt: skip
JUNK = [None, True, -1, 2**70, 1.5, 1e308, "", "x", "a\0b", "../..", [], [[]], {}, {"x": {"y": []}}, [1, "x"], "\ud800"]
_RANDOM = random.Random(os.environ.get("GAN_ZOO_SEED", "0"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: text.replace(": 8,", f": {'9' * 5000},", 1), "a number of thousands of digits"),
        (lambda text: text.replace(": 8,", f": {'9' * 4000},", 1), "num_examples is not a number of examples or null"),
        (lambda text: text.replace('"settings": {', '"settings": [], "x": {'), "'x' is unknown"),
        (lambda text: "null", "it holds no names with values"),
        (lambda text: json.dumps(json.loads(text) | {"settings": None}), "settings is not settings by name"),
        (lambda text: json.dumps(json.loads(text) | {"settings": {"seed": {"a": 1}}}), "settings is not settings by"),
        (lambda text: json.dumps(json.loads(text) | {"model": ["pix2pix"]}), "model is not a text"),
        (lambda text: json.dumps(json.loads(text) | {"data_dir": "a\0b"}), "data_dir is not a path or null"),
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda text: "\x00\xff" * 10, "damaged"),
    ],
)
def test_damage_is_one_line(change, words, tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    RUN.write(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-1.index").touch()
    file = tmp_path / "config.json"
    file.write_text(change(file.read_text()), encoding="latin-1")
    for refuse in (lambda: Run.read(tmp_path), lambda: load_run(tmp_path)):
        with pytest.raises(UserError, match=r"config\.json is damaged") as refused:
            refuse()
        assert words in str(refused.value) and len(str(refused.value)) < 400 + len(str(tmp_path))
    result = run_train("--model=pix2pix", "--dataset=eight", f"--workdir={tmp_path}")
    assert_one_line(result, 2, "config.json is damaged", words)


def test_any_wrong_type_anywhere_is_refused_or_read(tmp_path) -> None:
    """Draws its own damage: of a hundred files that somebody has edited none is a traceback."""
    read = 0
    for _ in range(100):
        record = copy.deepcopy(json.loads(RUN.to_json()))
        table = record[_RANDOM.choice(["settings", "origins", "versions"])] if _RANDOM.random() < 0.5 else record
        table[_RANDOM.choice([*table, "new"])] = _RANDOM.choice(JUNK)
        (tmp_path / "config.json").write_text(json.dumps(record))
        try:
            run = Run.read(tmp_path)
            Pix2PixConfig.from_dict(run.settings)
            assert RUN.differences(run) is not None and Run.from_json(run.to_json()) == run
            read += 1
        except UserError as error:
            assert "\n" not in str(error).strip()
    assert 0 < read < 50  # what fits by chance is read


def test_the_record_in_a_checkpoint_is_looked_at_too() -> None:
    assert Run.from_json(RUN.to_json()) == RUN
    for text in ("[" * 100_000, "9" * 5000, "[]", ""):
        with pytest.raises(UserError):
            Run.from_json(text)
