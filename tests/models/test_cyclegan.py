"""CycleGAN beyond the recordings: its pool at resume, its losses in words, what it refuses."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, judge_by_half_squares, noise_batch, tiny_config

from gan_zoo.errors import UserError
from gan_zoo.learning.losses import l1_loss
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.record import Run

STEPS, STOP = 3, 2


def batches(config) -> list[dict[str, tf.Tensor]]:
    batch = noise_batch(config)
    return [{**batch, "example_index": batch["example_index"] + step * config.batch_size} for step in range(STEPS)]


def state(model) -> dict[str, np.ndarray]:
    arrays = {f"{name}/{v.path}": v.numpy() for name, network in model.networks.items() for v in network.variables}
    return arrays | {name: variable.numpy() for name, variable in model.extra_state.items()}


def test_a_resumed_run_meets_the_same_older_fakes(tmp_path) -> None:
    settings = {"pool_size": 2, "learning_rate": 0.01}
    alone = built("cyclegan", **settings)
    data = batches(alone.config)
    run = Run(model="cyclegan", dataset="noise", data_dir=None, settings=alone.config.to_dict())
    for step, batch in enumerate(data):
        if step == STOP:
            Checkpoints(tmp_path, alone, run).save(STOP)
            stopped = state(alone)
        alone.train_step(batch)
    resumed = built("cyclegan", **settings)
    assert Checkpoints(tmp_path, resumed, run).restore_latest() == STOP
    assert int(resumed.extra_state["pool_a_count"]) == 2 and np.any(resumed.extra_state["pool_b_images"])
    for batch in data[STOP:]:
        resumed.train_step(batch)
    expected = state(alone)
    for name, array in state(resumed).items():
        assert array.tobytes() == expected[name].tobytes(), name
    # Older fakes were met indeed: the last step took some out of the pool.
    assert np.any(stopped["pool_a_images"] != expected["pool_a_images"])


def test_each_pool_decides_for_itself() -> None:
    rows, size = 256, 5
    index = tf.range(size + rows, dtype=tf.int64)
    fakes = tf.cast(tf.reshape(index, [-1, 1, 1, 1]), tf.float32) * tf.ones([1, 32, 32, 3])

    def swapped(domain: str, **settings) -> np.ndarray:
        """Of each fake behind those that fill the pool, whether an older one is seen instead."""
        pool = built("cyclegan", pool_size=size, base_filters=1, **settings).pools[domain]
        pool.query(fakes[:size], index[:size])
        seen = pool.query(fakes[size:], index[size:])
        assert pool.count.numpy() == size == pool.images.shape[0]
        return np.any(seen.numpy() != fakes[size:], axis=(1, 2, 3))

    a, b, other_seed = swapped("a"), swapped("b"), swapped("a", seed=1)
    # Of 256 coins a share is known to 0.031: five of them.
    for share in (a.mean(), b.mean(), (a == b).mean(), (a == other_seed).mean()):
        assert share == pytest.approx(0.5, abs=0.156)


def test_the_discriminators_see_what_the_pool_of_their_domain_returns() -> None:
    model = built("cyclegan")
    batch = noise_batch(model.config)
    a_to_b, b_to_a = model.translators.values()
    reals = {"a": batch["input_image"], "b": batch["target_image"]}
    fakes = {"a": b_to_a.function(reals["b"]), "b": a_to_b.function(reals["a"])}
    older = {"a": tf.fill(reals["a"].shape, 0.5), "b": tf.fill(reals["b"].shape, 1.5)}
    judge_by_half_squares(model)
    model.apply_gradients = lambda *_: None
    asked = []
    for domain, pool in model.pools.items():

        def query(fake: tf.Tensor, index: tf.Tensor, domain: str = domain) -> tf.Tensor:
            np.testing.assert_allclose(fake, fakes[domain], atol=1e-5)  # float32 of values up to 1
            np.testing.assert_array_equal(index, batch["example_index"])
            asked.append(domain)
            return older[domain]

        pool.query = query
    losses = model.train_step(batch)
    assert asked == ["a", "b"]
    for domain, real in reals.items():
        expected = (np.mean((real**2 / 2 - 1) ** 2) + np.mean((older[domain] ** 2 / 2) ** 2)) / 2
        assert float(losses[f"discriminator_{domain}"]) == pytest.approx(expected, rel=1e-5)


def test_losses_are_weighted_distances() -> None:
    model = built("cyclegan", lambda_cycle_a=3.0, lambda_cycle_b=5.0, lambda_identity=0.5)
    batch = noise_batch(model.config)
    a, b = batch["input_image"], batch["target_image"]
    a_to_b, b_to_a = model.translators.values()
    expected = {
        "cycle_a": 3.0 * l1_loss(a_to_b.cycle(a), a),
        "cycle_b": 5.0 * l1_loss(b_to_a.cycle(b), b),
        "identity_a": 1.5 * l1_loss(b_to_a.function(a), a),
        "identity_b": 2.5 * l1_loss(a_to_b.function(b), b),
    }
    validation = float(model.validation_l1(batch))
    assert validation == pytest.approx(float(expected["cycle_a"] / 6.0 + expected["cycle_b"] / 10.0), rel=1e-6)
    losses = model.train_step(batch)
    for name, loss in expected.items():
        assert float(losses[name]) == pytest.approx(float(loss), rel=1e-5), name


def test_without_identity_the_domains_may_differ_in_channels() -> None:
    model = built("cyclegan", input_channels=1, lambda_identity=0.0)
    losses = model.train_step(noise_batch(model.config))
    assert not any(name.startswith("identity") for name in losses)
    assert model.translators["a_to_b"].input_channels == model.translators["b_to_a"].output_channels == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input_channels": 1}, "lambda_identity=0$"),
        ({"preprocess": "scale_width", "batch_size": 1}, "pool_size=0$"),
        ({"pool_size": -1}, "pool_size"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("cyclegan", **settings)
