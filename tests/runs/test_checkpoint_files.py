"""Which files of a checkpoint there are: the last three and the kept ones, whatever a crash or a full disk leaves."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from saved_models import RUN, Disk, everything, index_files, scramble

from gan_zoo.errors import NonFiniteError, UserError
from gan_zoo.runs.checkpoints import Checkpoints, latest_step


def test_the_last_three_stay_and_the_kept_ones(models, tmp_path) -> None:
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    kept = None
    for step in range(1, 7):
        checkpoints.save(step)
        if step == 2:
            kept = [np.array(variable) for variable in models[0].generator.trainable_variables]
            checkpoints.keep(step)
        scramble(models[0], step)
    folder = tmp_path / "checkpoints"
    assert index_files(folder) == ["step-4.index", "step-5.index", "step-6.index"]
    assert index_files(folder / "kept") == ["step-2.index"] and len(list((folder / "kept").iterdir())) == 2
    # A kept one is whole: copied back as the newest, it gives the weights of its time.
    status = tf.train.Checkpoint(networks=dict(models[1].networks)).restore(str(folder / "kept" / "step-2"))
    status.expect_partial().assert_existing_objects_matched()
    for variable, value in zip(models[1].generator.trainable_variables, kept, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_keeping_without_hard_links(models, tmp_path, monkeypatch) -> None:
    def no_link(*_: object) -> None:
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "link", no_link)
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    checkpoints.save(1)
    checkpoints.keep(1)
    assert index_files(tmp_path / "checkpoints" / "kept") == ["step-1.index"]


def test_a_new_process_goes_on_counting(models, tmp_path) -> None:
    for step in (1, 2, 3, 4):
        Checkpoints(tmp_path, models[0], RUN).save(step)
    assert index_files(tmp_path / "checkpoints") == ["step-2.index", "step-3.index", "step-4.index"]


def test_what_a_crash_leaves_is_removed(models, tmp_path) -> None:
    Checkpoints(tmp_path, models[0], RUN).save(5)
    folder = tmp_path / "checkpoints"
    whole = sorted(path.name for path in folder.iterdir())
    for name in ("step-9_temp", "step-9.partial_temp"):
        (folder / name).mkdir()
        (folder / name / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
    (folder / "kept").mkdir()
    halves = ["step-9.partial.data-00000-of-00001", "step-9.partial.index", "checkpoint.tmp", "checkpoint.tmp8c1f"]
    for name in [*halves, "kept/.step-9.index.partial"]:
        (folder / name).write_bytes(b"half")
    mine = ["notes.txt", "step-five.index", "other-9.partial.index", "step-9.data-00000-of-00001"]
    for name in mine:
        (folder / name).write_text("mine")
    assert latest_step(tmp_path) == 5
    assert Checkpoints(tmp_path, models[0], RUN).restore_latest() == 5
    assert sorted(path.name for path in folder.iterdir()) == sorted([*whole, *mine, "kept"])
    assert list((folder / "kept").iterdir()) == []


def test_keeping_goes_on_where_it_was_stopped(models, tmp_path) -> None:
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    checkpoints.save(5)
    kept = tmp_path / "checkpoints" / "kept"
    checkpoints.keep(5)
    (kept / "step-5.index").rename(kept / ".step-5.index.partial")
    checkpoints.restore_latest()
    assert [path.name for path in kept.iterdir()] == ["step-5.data-00000-of-00001"]
    for _ in range(2):
        checkpoints.keep(5)
        assert sorted(path.name for path in kept.iterdir()) == ["step-5.data-00000-of-00001", "step-5.index"]


@pytest.mark.parametrize("where", ["network", "optimizer"])
def test_weights_that_are_not_finite_are_never_saved(models, tmp_path, where) -> None:
    model = models[0]
    checkpoints = Checkpoints(tmp_path, model, RUN)
    checkpoints.save(3)
    part = model.encoder if where == "network" else model.optimizers["encoder"]
    variable = part.variables[-1]
    before = variable.numpy().copy()
    values = before.copy()
    values.flat[0] = np.nan
    variable.assign(values)
    with pytest.raises(NonFiniteError, match=r"not finite at step 4: the last good checkpoint is .*step-3$"):
        checkpoints.save(4)
    variable.assign(before)
    assert index_files(tmp_path / "checkpoints") == ["step-3.index"]


def test_space_is_asked_for_before_it_is_needed(models, tmp_path, monkeypatch) -> None:
    checkpoints = Checkpoints(tmp_path / "not yet there", models[0], RUN)
    checkpoints.check_space()
    size = os.path.getsize(checkpoints.save(1) + ".data-00000-of-00001")
    for free, fits in ((2 * size, False), (4 * size, True)):  # one is there, three more have to fit
        monkeypatch.setattr("gan_zoo.runs.checkpoints.shutil.disk_usage", lambda path, free=free: Disk(free))
        if fits:
            checkpoints.check_space()
        else:
            with pytest.raises(UserError, match=r"no space left on the disk: 3 checkpoints of [\d.]+ MB"):
                checkpoints.check_space()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_costs_nothing_but_the_new_checkpoint(models, small_disk) -> None:
    checkpoints = Checkpoints(small_disk, models[0], RUN)
    scramble(models[0], 1)
    checkpoints.save(1)
    expected = everything(models[0])
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 8192))
    scramble(models[0], 2)
    with pytest.raises(UserError, match=r"step 2 could not be written .*no space left on the disk.*step-1$"):
        checkpoints.save(2)
    assert sorted(os.listdir(small_disk / "checkpoints")) == [
        "checkpoint",
        "step-1.data-00000-of-00001",
        "step-1.index",
    ]
    assert checkpoints.restore_latest() == 1
    for value, now in zip(expected, everything(models[0]), strict=True):
        np.testing.assert_array_equal(value, now)
