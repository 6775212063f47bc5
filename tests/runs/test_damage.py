"""The newest whole checkpoint on the disk is where a run goes on, whatever the others and TensorFlow's own file say."""

import contextlib
import os
import pathlib
import random
import re

import numpy as np
import pytest
import tensorflow as tf
from saved_models import RUN, everything, scramble

from gan_zoo.errors import UserError
from gan_zoo.runs import checkpoint_files, damage
from gan_zoo.runs.checkpoints import Checkpoints, latest_step, restore_networks
from gan_zoo.runs.damage import damage_of

_RANDOM = random.Random(os.environ.get("GAN_ZOO_SEED", "0"))  # another seed draws other damage; all of it must be found


@pytest.fixture
def two(models, tmp_path):
    """The folder of two checkpoints, and what the first one holds."""
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    scramble(models[0], 1)
    checkpoints.save(1)
    first = everything(models[0])
    scramble(models[0], 2)
    checkpoints.save(2)
    return tmp_path / "checkpoints", first


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cut(data: bytes) -> bytes:
    return data[: _RANDOM.randrange(len(data))]


def flipped(data: bytes) -> bytes:
    # The last bytes of an index are its footer, of which a part is filling.
    place = _RANDOM.randrange(len(data) - 48)
    return data[:place] + bytes([data[place] ^ 1 << _RANDOM.randrange(8)]) + data[place + 1 :]


@pytest.mark.parametrize("suffix", ["data-00000-of-00001", "index"])
@pytest.mark.parametrize("spoil", [cut, flipped, lambda data: b"", None], ids=["cut", "flipped", "empty", "missing"])
def test_a_damaged_one_is_named_and_the_one_before_is_taken(models, two, capfd, spoil, suffix) -> None:
    folder, first = two
    file = folder / f"step-2.{suffix}"
    file.write_bytes(spoil(file.read_bytes())) if spoil else file.unlink()
    before = files(folder)
    checkpoints = Checkpoints(folder.parent, models[0], RUN)
    assert checkpoints.restore_latest() == latest_step(folder.parent) == 1
    assert restore_networks(models[1], folder.parent) == 1
    for value, now in zip(first, everything(models[0]), strict=True):
        np.testing.assert_array_equal(value, now)
    assert files(folder) == before  # nothing is deleted
    said = capfd.readouterr().err
    if (spoil, suffix) == (None, "index"):  # without it there is no checkpoint
        return
    assert said.count("\n") == 1 and re.match(r"warning: checkpoint \S+step-2 is damaged \(.+\): taking the one", said)
    with pytest.raises(UserError, match=r"step-2 is damaged \(.*\): take another one"):
        restore_networks(models[1], folder.parent, "2")
    # Where the run comes by again, a whole one takes its place; until then it does not count.
    checkpoints.save(2)
    assert latest_step(folder.parent) == 2 and damage_of(str(folder / "step-2")) is None


def test_any_flipped_bit_of_an_index_is_seen(two) -> None:
    data = (two[0] / "step-2.index").read_bytes()
    assert damage._damage_of_table(data) is None
    for _ in range(300):
        assert damage._damage_of_table(flipped(data)) and damage._damage_of_table(cut(data))


def test_a_run_whose_checkpoints_are_all_damaged_does_not_start_again(models, two) -> None:
    folder, _ = two
    for file in folder.glob("step-*.index"):
        file.write_bytes(file.read_bytes()[:-1])
    before = files(folder)
    with pytest.raises(UserError, match=r"no checkpoint in .* is whole \(its index is cut short\): bring one back"):
        Checkpoints(folder.parent, models[0], RUN).restore_latest()
    assert files(folder) == before


@pytest.mark.parametrize(
    "state",
    [None, b"", bytes(range(256)), b'model_checkpoint_path: "step-1"\nall_model_checkpoint_paths: "step-1"\n', "away"],
)
def test_the_file_of_tensorflow_is_not_asked(models, two, tmp_path_factory, state) -> None:
    """One that names files elsewhere would have them deleted by and by."""
    folder, _ = two
    elsewhere = tmp_path_factory.mktemp("thesis")
    for name in ("step-0.index", "step-0.data-00000-of-00001", "chapter.txt"):
        (elsewhere / name).write_text("mine")
    if state == "away":
        paths = [elsewhere / "step-0", elsewhere / "chapter", "../../thesis/step-0", folder / "step-2"]
        state = f'model_checkpoint_path: "{folder / "step-2"}"\n'.encode()
        state += "".join(f'all_model_checkpoint_paths: "{path}"\n' for path in paths).encode()
    (folder / "checkpoint").unlink() if state is None else (folder / "checkpoint").write_bytes(state)
    checkpoints = Checkpoints(folder.parent, models[0], RUN)
    assert latest_step(folder.parent) == checkpoints.restore_latest() == 2
    for step in (3, 4, 5, 6):
        checkpoints.save(step)
    assert sorted(path.name for path in folder.glob("step-*.index")) == [f"step-{step}.index" for step in (4, 5, 6)]
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "step-6")  # for TensorFlow's own tools
    assert len(list(elsewhere.iterdir())) == 3 and {path.read_text() for path in elsewhere.iterdir()} == {"mine"}


def test_what_may_not_be_read_is_not_called_damaged(models, two, monkeypatch) -> None:
    folder, _ = two
    open_file = pathlib.Path.open

    def refuse(path, *arguments, **options):  # root may read everything
        if path.name.startswith("step-2.data"):
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    monkeypatch.setattr(damage, "_found", {})
    with pytest.raises(UserError, match=r"step-2\.data.* cannot be read \(Permission denied\), so nothing is known"):
        Checkpoints(folder.parent, models[0], RUN).restore_latest()


def test_all_is_on_the_disk_before_anything_says_so(models, tmp_path, monkeypatch) -> None:
    """In the order of the calls: the bytes, their names, the index, its name, and only then what names and removes."""
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    for step in (1, 2, 3):
        checkpoints.save(step)
    calls = []

    def spy(name, function, place):
        def called(*arguments, **options):
            calls.append((name, pathlib.Path(arguments[place]).name))
            return function(*arguments, **options)

        return called

    monkeypatch.setattr(checkpoint_files, "sync", spy("sync", checkpoint_files.sync, 0))
    monkeypatch.setattr(os, "replace", spy("name", os.replace, 1))
    monkeypatch.setattr(pathlib.Path, "unlink", spy("remove", pathlib.Path.unlink, 0))
    checkpoints.save(4)
    places = [calls.index(call) for call in [
        ("sync", "step-4.partial.index"), ("name", "step-4.data-00000-of-00001"), ("name", "step-4.index"),
        ("name", "checkpoint"), ("remove", "step-1.index")]]  # fmt: skip
    assert places == sorted(places) and calls[places[1] + 1] == calls[places[2] + 1] == ("sync", "checkpoints")
    assert calls.index(("sync", "step-4.partial.data-00000-of-00001")) < places[1]


@pytest.mark.parametrize("at", range(9))
def test_a_kill_at_any_change_leaves_the_old_or_the_new_one(models, tmp_path, monkeypatch, at) -> None:
    scramble(models[0], 7)
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    for step in (1, 2, 3):
        checkpoints.save(step)
    done = []

    def dying(function):
        def called(*arguments, **options):
            if len(done) == at:
                raise KeyboardInterrupt
            done.append(function)
            return function(*arguments, **options)

        return called

    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(checkpoint_files, "sync", dying(checkpoint_files.sync))
        patch.setattr(os, "replace", dying(os.replace))
        patch.setattr(pathlib.Path, "unlink", dying(pathlib.Path.unlink))
        checkpoints.save(4)
    assert len(done) == at
    again = Checkpoints(tmp_path, models[1], RUN)
    assert again.restore_latest() in (3, 4)
    for value, now in zip(everything(models[0]), everything(models[1]), strict=True):
        np.testing.assert_array_equal(value, now)
    again.save(5)
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert not [name for name in names if "partial" in name or "tmp" in name] and "step-5.index" in names
