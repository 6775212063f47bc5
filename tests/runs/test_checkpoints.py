"""What a checkpoint brings back, and into what it does not fit."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from saved_models import CONFIG, RUN, Disk, everything, new_model, scramble

from gan_zoo.errors import NonFiniteError, UserError
from gan_zoo.learning.image_pool import ImagePool
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.runs.checkpoints import Checkpoints, latest_checkpoint, latest_step, restore_networks
from gan_zoo.runs.loading import load_run
from gan_zoo.training.plateau import Plateau
from gan_zoo.training.setup import build_model


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
    monkeypatch.setattr("gan_zoo.runs.checkpoints.shutil.disk_usage", lambda path: Disk(4 * 4_000_000))
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
