"""Feeds one image pool on one device and one on two logical CPUs, and prints what came out; run by test_image_pool."""

import json
import tempfile

import numpy as np
import tensorflow as tf

from gan_zoo.learning.image_pool import ImagePool
from gan_zoo.training.setup import make_strategy

SIZE, BATCH, STEPS = 5, 4, 20


def fakes_of(step: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A batch of images that each carry their own number, and their indices."""
    index = np.arange(step * BATCH, (step + 1) * BATCH)
    return tf.constant(np.broadcast_to(index[:, None, None, None] + 1.0, [BATCH, 2, 3, 1]), tf.float32), index


def outputs(strategy_name: str) -> tuple[ImagePool, list]:
    strategy = make_strategy(strategy_name)
    with strategy.scope():
        pool = ImagePool(SIZE, (2, 3, 1), (3, 1))
    query = tf.function(lambda fakes, index: strategy.run(pool.query, (fakes, index)))
    replicas, seen = strategy.num_replicas_in_sync, []
    for step in range(STEPS):
        fakes, index = (
            strategy.experimental_distribute_values_from_function(
                lambda context, value=value: tf.constant(np.split(value, replicas)[context.replica_id_in_sync_group])
            )
            for value in fakes_of(step)
        )
        seen += np.concatenate(strategy.experimental_local_results(query(fakes, index)))[:, 0, 0, 0].tolist()
    return pool, seen


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one, one_seen = outputs("one")
    mirrored, mirrored_seen = outputs("mirrored")
    # What two devices saved fits one.
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(**mirrored.variables).save(f"{folder}/pool")
        restored = ImagePool(SIZE, (2, 3, 1), (3, 1))
        tf.train.Checkpoint(**restored.variables).restore(path).assert_consumed()
    copies = [copy.numpy().tolist() for copy in mirrored.images.values]
    print(
        json.dumps(
            {
                "seen": [one_seen, mirrored_seen],
                "pools": [one.images.numpy().tolist(), restored.images.numpy().tolist(), *copies],
                "counts": [int(one.count.numpy()), int(restored.count.numpy())],
            }
        )
    )


if __name__ == "__main__":
    main()
