"""Learning-rate policies against rates recorded from the authors' code, epoch by epoch."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.learning.optimizers import FusedAdam
from gan_zoo.learning.schedules import EpochSchedule, TurnSchedule, cosine_factor, epoch_factors
from gan_zoo.training.setup import count_steps, learning_rate_schedule

RECORDED = json.loads((pathlib.Path(__file__).parents[1] / "parity" / "lr_policies.json").read_text())


@pytest.mark.parametrize("policy", ["linear", "step"])
def test_policies_equal_the_authors(policy) -> None:
    # 200 epochs, from 2e-4: linear 100 + 100, step every 50. Both sides compute in float64.
    rates = 2e-4 * epoch_factors(policy, 200, decay_fraction=0.5, decay_every=50)
    np.testing.assert_allclose(rates, RECORDED[policy], rtol=1e-12)


def test_cosine_equals_the_authors() -> None:
    # Recorded over 200 epochs with a half period of 100, and by a recursion that PyTorch steps through: hence 1e-9.
    rates = 2e-4 * cosine_factor(np.arange(200), 100)
    np.testing.assert_allclose(rates, RECORDED["cosine"], rtol=1e-9, atol=2e-4 * 1e-12)
    # A run's own half period is its length: it ends where the recorded one has its first minimum.
    np.testing.assert_allclose(2e-4 * epoch_factors("cosine", 100), RECORDED["cosine"][:100], rtol=1e-9)


def test_constant_and_unknown() -> None:
    np.testing.assert_array_equal(epoch_factors("constant", 3), [1, 1, 1])
    for policy in ("zigzag", "plateau"):
        with pytest.raises(ValueError, match=policy):
            epoch_factors(policy, 3)


def test_a_rate_lasts_a_data_epoch_and_the_last_for_good() -> None:
    schedule = EpochSchedule([0.4, 0.2, 0.1], steps_per_epoch=3)
    rates = [float(schedule(step)) for step in range(11)]
    np.testing.assert_allclose(rates, np.float32([0.4] * 3 + [0.2] * 3 + [0.1] * 5), rtol=0)
    again = EpochSchedule.from_config(schedule.get_config())
    assert float(again(tf.constant(4, tf.int64))) == np.float32(0.2)


def test_an_optimizer_that_joins_later_has_the_rates_of_the_run() -> None:
    schedule = EpochSchedule([0.4, 0.2, 0.1], steps_per_epoch=3)
    late = schedule.rest(1, factor=0.5)
    np.testing.assert_array_equal([float(late(step)) for step in range(6)], np.float32([0.1] * 3 + [0.05] * 3))
    assert schedule.rest(9).rates.tolist() == [0.1]  # where it never joins


def test_the_optimizer_follows_the_schedule() -> None:
    # Adam's first moves with a constant gradient are the rate itself (epsilon is 1e-8 of it).
    variable = tf.Variable([0.0])
    optimizer = FusedAdam(EpochSchedule([0.4, 0.1], steps_per_epoch=2))
    optimizer.build([variable])
    moves = []
    for _ in range(4):
        before = float(variable[0])
        optimizer.apply([tf.constant([1.0])], [variable])
        moves.append(before - float(variable[0]))
    np.testing.assert_allclose(moves, [0.4, 0.4, 0.1, 0.1], rtol=1e-3)


def test_steps_and_epochs_of_a_run() -> None:
    assert count_steps(Config(batch_size=4, epochs=3), 18) == (4, 12)
    assert count_steps(Config(batch_size=4, epochs=3, steps=5), 18) == (4, 5)
    assert count_steps(Config(batch_size=32, epochs=3), 18) == (1, 3)
    # 10 steps of 4 an epoch are 3 data epochs, of which decay_fraction=1 lets all decay: 3/4, 2/4, 1/4.
    schedule = learning_rate_schedule(Config(decay_fraction=1.0, learning_rate=1.0), 10, 4)
    np.testing.assert_allclose(schedule.rates, [0.75, 0.5, 0.25])
    assert schedule.steps_per_epoch == 4
    for factor in (0.1, 0.5):
        by_steps = Config(schedule="step", decay_every=2, decay_factor=factor, learning_rate=1.0)
        np.testing.assert_allclose(learning_rate_schedule(by_steps, 10, 4).rates, [1.0, 1.0, factor])


@pytest.mark.parametrize(
    ("length", "places", "steps"),
    [(3, [0], [0, 3, 6, 9]), (3, [1, 2], [1, 2, 4, 5, 7, 8]), (2, [0, 0], [0, 0, 2, 2, 4]), (1, [0, 0], [0, 0, 1, 1])],
)
def test_who_takes_turns_has_the_rate_of_the_runs_step(length, places, steps) -> None:
    of_run = EpochSchedule(np.arange(20.0), 1)
    schedule = TurnSchedule(of_run, length, places)
    for each in (schedule, TurnSchedule.from_config(schedule.get_config())):
        assert [float(each(tf.constant(count))) for count in range(len(steps))] == steps
