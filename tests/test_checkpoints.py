"""What a checkpoint brings back, what it refuses to save, and what a crash or a full disk leaves."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from tiny_runs import TINY_BICYCLEGAN

from gan_zoo.checkpoints import Checkpoints, latest_checkpoint, latest_step, restore_networks
from gan_zoo.config import Run
from gan_zoo.errors import NonFiniteError, UserError
from gan_zoo.image_pool import ImagePool
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.models.loading import load_run
from gan_zoo.plateau import Plateau
from gan_zoo.training import build_model

# Dropout needs six halvings.
CONFIG = BicycleGANConfig.from_dict(
    TINY_BICYCLEGAN | {"image_size": 64, "base_filters": 2, "discriminator_scales": 1, "seed": 1}
)
RUN = Run(model="bicyclegan", dataset="eight", data_dir=None, settings=CONFIG.to_dict())


def new_model(**changes) -> BicycleGAN:
    model = build_model(BicycleGAN, BicycleGANConfig.from_dict(CONFIG.to_dict() | changes))
    model.compile()
    return model


def scramble(model: BicycleGAN, seed: int) -> None:
    """Gives everything that a checkpoint must hold values of its own."""
    random = np.random.default_rng(seed)
    parts = [*model.networks.values(), *model.optimizers.values()]
    for variable in [*(variable for part in parts for variable in part.variables), *model.seed_states]:
        values = random.integers(1, 1000, variable.shape)
        variable.assign(values.astype(np.dtype(variable.dtype)))


def everything(model: BicycleGAN) -> list[np.ndarray]:
    parts = [*model.networks.values(), *model.optimizers.values()]
    return [np.array(v) for part in parts for v in part.variables] + [np.array(v) for v in model.seed_states]


@pytest.fixture(scope="module")
def models():
    return new_model(), new_model(seed=2)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".index"))


def test_everything_comes_back(models, tmp_path) -> None:
    model, other = models
    assert model.seed_states, "this size has dropout"
    scramble(model, 1)
    scramble(other, 2)
    Checkpoints(tmp_path, model, RUN).save(17)
    checkpoints = Checkpoints(tmp_path, other, RUN)
    assert checkpoints.restore_latest() == 17
    assert checkpoints.restored_run == RUN
    for saved, restored in zip(everything(model), everything(other), strict=True):
        np.testing.assert_array_equal(saved, restored)
    assert latest_step(tmp_path) == 17


class WithState(BicycleGAN):
    """The same model with variables beside its networks."""

    def __init__(self, config: BicycleGANConfig) -> None:
        super().__init__(config)
        self.pool = ImagePool(2, (4, 4, 3), (config.seed, 1), name="pool")

    @property
    def extra_state(self) -> dict[str, tf.Variable]:
        return {f"pool_{name}": variable for name, variable in self.pool.variables.items()}


@pytest.fixture(scope="module")
def models_with_state():
    found = build_model(WithState, CONFIG), build_model(WithState, CONFIG)
    for model in found:
        model.compile()
    return found


def test_state_beside_the_networks_comes_back_and_goes_on(models_with_state, tmp_path) -> None:
    model, other = models_with_state
    before, after = Plateau(0.5), Plateau(0.25)
    before.update(0.1)
    for step in range(9):  # more than the pool holds
        if step == 5:
            Checkpoints(tmp_path, model, RUN, before).save(5)
            assert Checkpoints(tmp_path, other, RUN, after).restore_latest() == 5
            assert after.serialize() == before.serialize()
        index = tf.constant([2 * step, 2 * step + 1], tf.int64)
        images = tf.random.stateless_uniform([2, 4, 4, 3], [step, 1])
        returned = model.pool.query(images, index)
        if step >= 5:
            np.testing.assert_array_equal(other.pool.query(images, index), returned)
    np.testing.assert_array_equal(model.pool.images, other.pool.images)


def test_state_beside_the_networks_is_guarded_and_counted(models_with_state, tmp_path, monkeypatch) -> None:
    model, big = models_with_state[0], tf.zeros([10, 100, 100, 10])
    model.pool.images.assign(tf.fill([2, 4, 4, 3], np.inf))
    with pytest.raises(NonFiniteError, match="step 4"):
        Checkpoints(tmp_path, model, RUN).save(4)
    model.pool.images.assign(tf.zeros([2, 4, 4, 3]))
    monkeypatch.setattr(WithState, "extra_state", {"big": tf.Variable(big)})
    monkeypatch.setattr("gan_zoo.checkpoints.shutil.disk_usage", lambda path: _Free(4 * 4_000_000))
    with pytest.raises(UserError, match=r"4 checkpoints of [4-9]\.\d MB"):
        Checkpoints(tmp_path, model, RUN).check_space()


def test_a_checkpoint_from_before_there_was_other_state_fits(models, models_with_state, tmp_path) -> None:
    model = models[0]
    # What was saved until then, by its keys.
    old = tf.train.Checkpoint(
        networks=dict(model.networks),
        optimizers=dict(model.optimizers),
        seed_states=list(model.seed_states),
        step=tf.Variable(7, dtype=tf.int64),
        run=Checkpoints(tmp_path, model, RUN)._record,
    )
    tf.train.CheckpointManager(old, str(tmp_path / "checkpoints"), 3, checkpoint_name="step").save(checkpoint_number=7)
    assert Checkpoints(tmp_path, models[1], RUN).restore_latest() == 7
    # A model that has such state, or a run with a policy that does, cannot go on without it.
    with_state = Checkpoints(tmp_path, models_with_state[1], RUN)
    with_plateau = Checkpoints(tmp_path, models[1], RUN, Plateau(0.5))
    for checkpoints in (with_state, with_plateau):
        with pytest.raises(UserError, match="step-7 does not fit"):
            checkpoints.restore_latest()
    # To translate, it is not needed.
    assert restore_networks(models_with_state[1], tmp_path) == 7


def test_the_last_three_stay_and_the_kept_ones(models, tmp_path) -> None:
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    kept = None
    for step in range(1, 7):
        checkpoints.save(step)
        if step == 2:
            kept = everything(models[0])
            checkpoints.keep(step)
        scramble(models[0], step)
    folder = tmp_path / "checkpoints"
    assert names(folder) == ["step-4.index", "step-5.index", "step-6.index"]
    assert names(folder / "kept") == ["step-2.index"] and len(list((folder / "kept").iterdir())) == 2
    # A kept one is whole: copied back as the newest, it gives the weights of its time.
    status = tf.train.Checkpoint(networks=dict(models[1].networks)).restore(str(folder / "kept" / "step-2"))
    status.expect_partial().assert_existing_objects_matched()
    for variable, value in zip(models[1].generator.variables, kept, strict=False):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_keeping_without_hard_links(models, tmp_path, monkeypatch) -> None:
    def no_link(*_: object) -> None:
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "link", no_link)
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    checkpoints.save(1)
    checkpoints.keep(1)
    assert names(tmp_path / "checkpoints" / "kept") == ["step-1.index"]


def test_a_new_process_goes_on_counting(models, tmp_path) -> None:
    for step in (1, 2, 3, 4):
        Checkpoints(tmp_path, models[0], RUN).save(step)
    assert names(tmp_path / "checkpoints") == ["step-2.index", "step-3.index", "step-4.index"]


def test_what_a_crash_leaves_is_removed(models, tmp_path) -> None:
    Checkpoints(tmp_path, models[0], RUN).save(5)
    folder = tmp_path / "checkpoints"
    (folder / "step-9_temp").mkdir()
    (folder / "step-9_temp" / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
    (folder / "step-9.data-00000-of-00001").write_bytes(b"half")
    (folder / "step-9.index").write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    assert latest_step(tmp_path) == 5
    assert Checkpoints(tmp_path, models[0], RUN).restore_latest() == 5
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint",
        "notes.txt",
        "step-5.data-00000-of-00001",
        "step-5.index",
    ]


def test_what_a_crash_leaves_before_the_first_checkpoint_is_removed(models, tmp_path) -> None:
    folder = tmp_path / "checkpoints"
    (folder / "step-9_temp").mkdir(parents=True)
    (folder / "step-9.data-00000-of-00001").write_bytes(b"half")
    assert Checkpoints(tmp_path, models[0], RUN).restore_latest() == 0
    assert list(folder.iterdir()) == []
    # A copy that forgot the file which names the newest: nothing that was learnt may be removed.
    Checkpoints(tmp_path, models[0], RUN).save(5)
    (folder / "checkpoint").unlink()
    assert Checkpoints(tmp_path, models[0], RUN).restore_latest() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["step-5.data-00000-of-00001", "step-5.index"]


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
    assert names(tmp_path / "checkpoints") == ["step-3.index"]


@pytest.mark.parametrize(
    ("suffix", "length"), [("data-00000-of-00001", 100), ("data-00000-of-00001", 0), ("index", 50)]
)
def test_damage_is_named(models, tmp_path, suffix, length) -> None:
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    checkpoints.save(1)
    checkpoints.save(2)
    file = tmp_path / "checkpoints" / f"step-2.{suffix}"
    file.write_bytes(file.read_bytes()[:length])
    for restore in (checkpoints.restore_latest, lambda: restore_networks(models[1], tmp_path)):
        with pytest.raises(UserError, match=r"step-2 is damaged .* remove its files to go on from the one before"):
            restore()
    for path in (tmp_path / "checkpoints").glob("step-2.*"):
        path.unlink()
    assert checkpoints.restore_latest() == 1


def test_another_models_checkpoint_is_refused(models, tmp_path) -> None:
    Checkpoints(tmp_path, models[0], RUN).save(1)
    for changes, what in (
        ({"encoder_type": "resnet"}, "step-1 does not fit"),
        ({"latent_dim": 5}, "step-1 does not fit these settings: repeat those of the run"),
    ):
        other = new_model(**changes)
        with pytest.raises(UserError, match=what):
            Checkpoints(tmp_path, other, RUN).restore_latest()
        with pytest.raises(UserError, match=what):
            restore_networks(other, tmp_path)


def test_without_a_checkpoint(models, tmp_path) -> None:
    assert latest_checkpoint(tmp_path) is None and latest_step(tmp_path) == 0
    assert Checkpoints(tmp_path, models[0], RUN).restore_latest() == 0
    with pytest.raises(UserError, match=r"no checkpoint in .*: train first"):
        restore_networks(models[0], tmp_path)


def test_load_run_needs_the_workdir_alone(models, tmp_path) -> None:
    Checkpoints(tmp_path, models[0], RUN).save(1)
    RUN.write(tmp_path)
    moved = tmp_path / "moved elsewhere"
    moved.mkdir()
    for path in [tmp_path / "config.json", tmp_path / "checkpoints"]:
        shutil.move(path, moved)
    run, model, step = load_run(moved)
    assert run == RUN and step == 1
    image, z = tf.random.uniform([1, 64, 64, 3], -1, 1), tf.random.normal([1, 3])
    expected = models[0].translators["translate"].function(image, z)
    np.testing.assert_array_equal(model.translators["translate"].function(image, z), expected)
    (moved / "config.json").write_text(RUN.to_json().replace('"bicyclegan"', '"tricyclegan"', 1))
    with pytest.raises(UserError, match="model 'tricyclegan'; known are bicyclegan"):
        load_run(moved)


def test_any_checkpoint_that_is_still_there_can_be_used(models, tmp_path) -> None:
    checkpoints = Checkpoints(tmp_path, models[0], RUN)
    bias = models[0].generator.trainable_variables[1]
    for step in (1, 2, 3, 4, 5):  # the last three stay, and the first for good
        bias.assign(tf.fill(bias.shape, float(step)))
        checkpoints.save(step)
        if step == 1:
            checkpoints.keep(step)
    for checkpoint, step in (("latest", 5), ("4", 4), ("1", 1)):
        assert restore_networks(models[1], tmp_path, checkpoint) == step
        np.testing.assert_array_equal(models[1].generator.trainable_variables[1], tf.fill(bias.shape, float(step)))
    with pytest.raises(UserError, match=r"--checkpoint=2: give latest, or the step .* there: 1, 3, 4, 5"):
        restore_networks(models[1], tmp_path, "2")


def test_space_is_asked_for_before_it_is_needed(models, tmp_path, monkeypatch) -> None:
    checkpoints = Checkpoints(tmp_path / "not yet there", models[0], RUN)
    checkpoints.check_space()
    size = os.path.getsize(_saved(checkpoints) + ".data-00000-of-00001")
    for free, fits in ((2 * size, False), (4 * size, True)):  # one is there, three more have to fit
        monkeypatch.setattr("gan_zoo.checkpoints.shutil.disk_usage", lambda path, free=free: _Free(free))
        if fits:
            checkpoints.check_space()
        else:
            with pytest.raises(UserError, match=r"no space left on the disk: 3 checkpoints of [\d.]+ MB"):
                checkpoints.check_space()


class _Free:
    def __init__(self, free: int) -> None:
        self.free = free


def _saved(checkpoints: Checkpoints) -> str:
    return checkpoints.save(1)


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
