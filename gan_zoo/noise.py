"""Noise as a pure function of (seed, global example index), so that runs repeat, resume and shard exactly."""

from collections.abc import Sequence

import tensorflow as tf


def example_noise(seed: Sequence[int], example_index: tf.Tensor, size: int) -> tf.Tensor:
    """Standard normal noise `[B, size]`, float32: row i depends on `seed` and `example_index[i]` alone.

    Args:
        seed: two integers; different purposes take different second ones.
        example_index: `[B]` int64, the examples' positions in the endless training stream.
        size: numbers per example.
    """

    def one_row(index: tf.Tensor) -> tf.Tensor:
        row_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), index)
        return tf.random.stateless_normal([size], row_seed)

    return tf.map_fn(one_row, example_index, fn_output_signature=tf.TensorSpec([size], tf.float32))
