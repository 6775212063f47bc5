"""Files of a run that a stranger has edited: data of the right types, or nothing; and none is written elsewhere."""

import json
import os

import pytest
from small_run import small
from tiny_runs import assert_one_line, run_train, use_eight_pictures

from gan_zoo.errors import UserError
from gan_zoo.evaluation.records import read_records
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.record import Run
from gan_zoo.runs.workdir import refuse_links
from gan_zoo.training.health_log import read_lines
from gan_zoo.training.plateau import Plateau

DEEP = "[" * 100_000
LINE = {"step": 3, "figures": {"l1": {"value": 0.5, "better": "lower"}}, "measures": {}, "warnings": {}}


@pytest.mark.parametrize("inner", ["checkpoints", "samples", "health.jsonl", ".health.jsonl.partial", "logs/events"])
def test_a_link_that_leads_out_is_refused_before_anything_is_written(inner, tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    (home / "step-1.index").write_text("mine")
    (run / "logs").mkdir(parents=True)
    config = small("pix2pix").config
    Run(model="pix2pix", dataset="eight", data_dir=None, settings=config.to_dict()).write(run)
    (run / inner).symlink_to(home)
    result = run_train("--model=pix2pix", "--dataset=eight", f"--workdir={run}")
    assert_one_line(result, 2, f"{run / inner} leads out of the run's folder")
    assert (home / "step-1.index").read_text() == "mine" and len(os.listdir(home)) == 1


def test_links_inside_and_to_the_folder_itself_are_fine(tmp_path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "newest").symlink_to(tmp_path / "run" / "checkpoints")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert refuse_links(tmp_path / "link") is None is refuse_links(tmp_path / "not yet there")
    (tmp_path / "run" / "newest").unlink()
    (tmp_path / "run" / "newest").symlink_to(tmp_path)  # the same folder, once a link leads out of it
    with pytest.raises(UserError, match="leads out of the run's folder"):
        refuse_links(tmp_path / "link")


@pytest.mark.parametrize(
    "record",
    [DEEP, "[]", "1", '{"step": "../../x"}', '{"step": "1", "metric": "l1", "value": 0}', "9" * 5000, '{"step": [1]}'],
)
def test_a_pointer_to_the_best_one_is_a_step_that_is_there(models, tmp_path, record) -> None:
    run = Run(model="bicyclegan", dataset="eight", data_dir=None, settings={})
    checkpoints = Checkpoints(tmp_path, models[0], run)
    checkpoints.mark_best(1, "l1", 0.5)
    assert best_record(tmp_path)["step"] == 1
    (tmp_path / "checkpoints" / "best" / "best.json").write_text(record)
    assert best_record(tmp_path) is None


@pytest.mark.parametrize(
    "bad", [DEEP, "[]", "9" * 5000, "{}", json.dumps(LINE | {"step": "4"}), json.dumps(LINE | {"figures": {"l1": 1}})]
)
def test_lines_of_checks_end_where_they_are_none(tmp_path, bad) -> None:
    (tmp_path / "health.jsonl").write_text("\n".join([json.dumps(LINE), bad, json.dumps(LINE)]))
    assert read_lines(tmp_path) == [LINE]


WHOLE = {"format": 1, "about": {}, "figures": [], "missing": {}, "warnings": [], "skipped": {}, "values": {}}


@pytest.mark.parametrize(
    "change",
    [
        {"about": []},
        {"figures": {}},
        {"figures": [{"name": "l1"}]},
        {"figures": ["l1"]},
        {"values": {"l1": 0}},
        {"missing": 1},
    ],
)
def test_records_of_evaluations_are_looked_at_before_they_are_believed(tmp_path, change) -> None:
    file = tmp_path / "step_1.json"
    file.write_text(json.dumps(WHOLE))
    assert read_records(tmp_path) == [WHOLE]
    for text in (json.dumps(WHOLE | change), '{"format": 1}', DEEP):
        file.write_text(text)
        with pytest.raises(UserError, match=r"step_1\.json is damaged .*: remove it$"):
            read_records(tmp_path)


def test_the_policy_takes_its_numbers_and_nothing_else() -> None:
    plateau = Plateau(0.5)
    state = json.loads(plateau.serialize())
    plateau.deserialize(json.dumps(state | {"rate": 0.25, "serialize": "mine", "patience": -1}))
    assert plateau.rate == 0.25 and plateau.patience == 5 and json.loads(plateau.serialize())["rate"] == 0.25
    for text in (DEEP, "{}", '{"rate": "x", "best": 1, "bad_epochs": 0}'):
        with pytest.raises(UserError, match="the learning rate's state is damaged"):
            plateau.deserialize(text)
