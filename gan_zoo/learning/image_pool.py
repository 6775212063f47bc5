"""The image pool: discriminators see some older fakes among the new ones.

Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training"
(arXiv 1612.07828, section 2.3), in the form that CycleGAN's authors gave it.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


class ImagePool:
    """Keeps fakes of earlier steps, and gives them back half of the time.

    While there is room, a fake is stored and returned. After that it is either returned and forgotten, or, with
    probability 1/2, stored in the place of a random older one, which is returned instead. The rows of a batch come one
    after the other, so that one of them may get what another has just left.

    What happens to a fake is a function of the seed and of its `example_index`; the state is `variables` alone.
    On several devices each one holds the same pool and sees the fakes of all, so that the whole equals one device.

    Args:
        size: how many images it holds, each `4 * H * W * C` bytes; 0 for none, and `query` returns what it gets.
        image_shape: `(H, W, C)`.
        seed: two integers; pools that shall decide independently take different second ones.
        name: prefix of the variables' names.
    """

    def __init__(self, size: int, image_shape: Sequence[int], seed: Sequence[int], name: str = "image_pool") -> None:
        if size < 0:
            raise ValueError(f"size must not be negative. Received: size={size}")
        self.size, self.seed = size, tuple(seed)
        self.variables: dict[str, tf.Variable] = {}
        if size:
            zeros = tf.zeros([size, *image_shape], keras.backend.floatx())
            self.images = tf.Variable(zeros, trainable=False, name=f"{name}_images")
            self.count = tf.Variable(0, trainable=False, dtype=tf.int64, name=f"{name}_count")
            self.variables = {"images": self.images, "count": self.count}

    def query(self, fakes: tf.Tensor, example_index: tf.Tensor) -> tf.Tensor:
        """Takes a step's fakes and returns those that the discriminator shall see; no gradient goes through it.

        Args:
            fakes: `[B, H, W, C]`, of this device.
            example_index: `[B]` int64, their positions in the endless training stream.

        Returns:
            `[B, H, W, C]`, of the type of `fakes`.
        """
        fakes = tf.stop_gradient(fakes)
        if not self.size:
            return fakes
        replica = tf.distribute.get_replica_context()
        new, index = tf.cast(fakes, self.images.dtype), example_index
        rows = tf.range(tf.shape(index)[0])
        if replica.num_replicas_in_sync > 1:
            new, index = replica.all_gather(new, axis=0), replica.all_gather(index, axis=0)
            rows += replica.replica_id_in_sync_group * tf.shape(rows)[0]

        slots, filling = self._slots(index)
        # Within the batch: who stored an image last, before or after a row, in the slot which that row takes.
        place = tf.range(tf.shape(index)[0])
        same = (slots[:, tf.newaxis] == slots) & (slots >= 0)
        before = tf.reduce_max(tf.where(same & (place < place[:, tf.newaxis]), place, -1), axis=1)
        overwritten = tf.reduce_any(same & (place > place[:, tf.newaxis]), axis=1)

        swapped = (slots >= 0) & ~filling
        from_batch = tf.where(swapped & (before >= 0), before, place)
        from_pool = tf.gather(swapped & (before < 0), rows)
        older = tf.gather(self.images, tf.gather(tf.maximum(slots, 0), rows))
        returned = tf.where(
            from_pool[:, tf.newaxis, tf.newaxis, tf.newaxis], older, tf.gather(new, tf.gather(from_batch, rows))
        )
        # Only the rows that stay: the order in which one scatter writes twice to a slot is not defined.
        stored = tf.where((slots >= 0) & ~overwritten)[:, 0]
        self.images.scatter_update(tf.IndexedSlices(tf.gather(new, stored), tf.gather(slots, stored)))
        self.count.assign(tf.minimum(self.count + tf.cast(tf.shape(index)[0], tf.int64), self.size))
        return tf.ensure_shape(tf.cast(returned, fakes.dtype), fakes.shape)

    def _slots(self, example_index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Where each row is stored, `[B]` int64, -1 for nowhere; and whether there was room for it, `[B]` bool."""
        slot = self.count + tf.range(tf.shape(example_index, tf.int64)[0])
        filling = slot < self.size
        draws = pool_draws(self.seed, example_index, self.size)
        return tf.where(filling, slot, tf.where(draws < self.size, draws, -1)), filling


def pool_draws(seed: Sequence[int], example_index: tf.Tensor, size: int) -> tf.Tensor:
    """A number below `2 * size` for each example, `[B]` int64: below `size` it is the slot to swap with."""

    def one_draw(index: tf.Tensor) -> tf.Tensor:
        row_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), index)
        return tf.random.stateless_uniform([], row_seed, 0, 2 * size, tf.int64)

    return tf.map_fn(one_draw, example_index)
