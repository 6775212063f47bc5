"""The checkpoint called `best`: one at a time, whole whenever it is there, and found again."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from tiny_runs import TINY

from gan_zoo.errors import UserError
from gan_zoo.models import MODELS
from gan_zoo.runs import checkpoint_files
from gan_zoo.runs.checkpoint_files import best_record
from gan_zoo.runs.checkpoints import Checkpoints, restore_networks
from gan_zoo.runs.record import Run
from gan_zoo.training.health_log import HealthLog

RUN = Run(model="pix2pix", dataset="eight", data_dir=None, settings={})


@pytest.fixture(scope="module")
def model():
    built = MODELS["pix2pix"](MODELS["pix2pix"].config_class.from_dict(TINY["pix2pix"]))
    built.compile()
    return built


@pytest.fixture
def checkpoints(model, tmp_path) -> Checkpoints:
    return Checkpoints(tmp_path, model, RUN)


def paint(model, value: float) -> None:
    bias = model.generator.trainable_variables[-1]
    bias.assign(tf.fill(bias.shape, value))


def painted(model) -> float:
    return float(np.ravel(model.generator.trainable_variables[-1])[0])


def files(tmp_path) -> list[str]:
    return sorted(os.listdir(tmp_path / "checkpoints" / "best"))


def test_the_best_one_outlives_the_last_three_and_there_is_one_only(model, checkpoints, tmp_path) -> None:
    assert best_record(tmp_path) is None
    for step in range(1, 8):
        paint(model, float(step))
        checkpoints.save(step)
        if step in (1, 2):
            checkpoints.mark_best(step, "l1", 1.0 / step)
    assert best_record(tmp_path) == {"step": 2, "metric": "l1", "value": 0.5}
    assert files(tmp_path) == ["best.json", "step-2.data-00000-of-00001", "step-2.index"]
    for checkpoint in ("best", "2"):
        paint(model, 0.0)
        assert restore_networks(model, tmp_path, checkpoint) == 2 and painted(model) == 2.0
    assert restore_networks(model, tmp_path) == 7
    with pytest.raises(UserError, match=r"--checkpoint=3: give latest, best, or the step .* there: 2, 5, 6, 7"):
        restore_networks(model, tmp_path, "3")


def test_it_is_saved_where_it_is_not_and_hard_linked(model, checkpoints, tmp_path) -> None:
    paint(model, 3.0)
    checkpoints.mark_best(3, "psnr", 20.0)
    index = "step-3.index"
    assert os.path.samefile(tmp_path / "checkpoints" / index, tmp_path / "checkpoints" / "best" / index)
    paint(model, 4.0)  # what comes after in the same step is the same checkpoint
    checkpoints.save(3)
    assert restore_networks(model, tmp_path, "best") == 3 and painted(model) == 3.0


def test_without_one_the_error_says_what_there_is(model, checkpoints, tmp_path) -> None:
    checkpoints.save(1)
    with pytest.raises(UserError, match=r"^--checkpoint=best: no check has marked one in this run; give latest, .*1$"):
        restore_networks(model, tmp_path, "best")


@pytest.mark.parametrize("killed_at", range(6))
def test_a_kill_in_the_middle_leaves_a_whole_one(model, checkpoints, tmp_path, monkeypatch, killed_at) -> None:
    """Stopped before each change on the disk: the pointer is the old or the new one, and once more ends it."""
    paint(model, 1.0)
    checkpoints.mark_best(1, "l1", 0.5)
    paint(model, 2.0)
    checkpoints.save(2)
    done = 0

    def may_die(change):
        def changed(*arguments, **options):
            nonlocal done
            if done == killed_at:
                raise KeyboardInterrupt
            done += 1
            return change(*arguments, **options)

        return changed

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        # Two files, each linked and renamed; best.json renamed; the old files removed.
        patch.setattr(checkpoint_files.os, "link", may_die(os.link))
        patch.setattr(checkpoint_files.os, "replace", may_die(os.replace))
        patch.setattr(checkpoint_files.pathlib.Path, "unlink", _unlink_that_may_die(may_die))
        checkpoints.mark_best(2, "l1", 0.25)
    step = best_record(tmp_path)["step"]
    assert step == (1 if killed_at < 5 else 2)
    assert restore_networks(model, tmp_path, "best") == step and painted(model) == step
    again = Checkpoints(tmp_path, model, RUN)
    assert again.restore_latest() == 2
    again.mark_best(2, "l1", 0.25)
    assert files(tmp_path) == ["best.json", "step-2.data-00000-of-00001", "step-2.index"]
    assert restore_networks(model, tmp_path, "best") == 2 and painted(model) == 2.0


def _unlink_that_may_die(may_die):
    unlink = checkpoint_files.pathlib.Path.unlink
    removing = may_die(unlink)

    def unlinked(path, missing_ok=False) -> None:
        # Partial files are swept along the way; only the removal of the old checkpoint counts.
        (unlink if missing_ok else removing)(path, missing_ok=missing_ok)

    return unlinked


def test_a_damaged_pointer_is_no_pointer(model, checkpoints, tmp_path) -> None:
    checkpoints.mark_best(1, "l1", 0.5)
    file = tmp_path / "checkpoints" / "best" / "best.json"
    for text in ("", "[]", json.dumps({"step": 9})):
        file.write_text(text)
        assert best_record(tmp_path) is None


def test_room_is_asked_for_it_once(model, checkpoints, tmp_path, monkeypatch) -> None:
    size = os.path.getsize(checkpoints.save(1) + ".data-00000-of-00001")

    class Free:
        free = int(3.5 * size)  # three more of the last ones, and a best one

    monkeypatch.setattr("gan_zoo.runs.checkpoints.shutil.disk_usage", lambda path: Free)
    checkpoints.check_space()
    with pytest.raises(UserError, match="4 checkpoints"):
        checkpoints.check_space(best=True)
    checkpoints.mark_best(1, "l1", 0.5)
    checkpoints.check_space(best=True)


def test_nothing_is_written_into_a_folder_that_is_not_ours_any_more(model, tmp_path) -> None:
    def refuse() -> None:
        raise UserError("is trained by another process")

    ours = Checkpoints(tmp_path, model, RUN)
    ours.save(1)
    log = HealthLog(tmp_path, 1)
    log.append({"step": 1})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    theirs = Checkpoints(tmp_path, model, RUN, confirm=refuse)
    for write in (
        lambda: theirs.save(2),
        lambda: theirs.keep(1),
        lambda: theirs.mark_best(1, "l1", 0.5),
        lambda: HealthLog(tmp_path, 1, confirm=refuse),
    ):
        with pytest.raises(UserError, match="another process"):
            write()
    log._confirm = refuse
    with pytest.raises(UserError, match="another process"):
        log.append({"step": 2})
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_small_files_are_on_the_disk_before_they_have_their_names(tmp_path, monkeypatch) -> None:
    """A machine that loses its power must not be left with an empty config.json."""
    done = []
    sync, replace = checkpoint_files.sync, os.replace
    monkeypatch.setattr(checkpoint_files, "sync", lambda path: (done.append(path.name), sync(path)))
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append(f"-> {new.name}"), replace(old, new)))
    RUN.write(tmp_path)
    assert done == [".config.json.partial", "-> config.json", tmp_path.name] and Run.read(tmp_path) == RUN
    done.clear()
    (tmp_path / "health.jsonl").write_text("cut sho")
    HealthLog(tmp_path, 0)
    assert done == [".health.jsonl.partial", "-> health.jsonl", tmp_path.name]
    monkeypatch.setattr(checkpoint_files, "sync", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        RUN.write(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "health.jsonl"]
