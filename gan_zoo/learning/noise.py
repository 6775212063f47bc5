"""Noise as a pure function of (seed, global example index), so that runs repeat, resume and shard exactly."""

from collections.abc import Sequence

import tensorflow as tf


def example_noise(
    seed: Sequence[int], example_index: tf.Tensor, size: int | tf.Tensor, *, uniform: bool = False
) -> tf.Tensor:
    """Noise `[B, size]`, float32, standard normal or uniform in [0, 1): row i depends on `seed` and `example_index[i]`.

    Args:
        seed: two integers; different purposes take different second ones.
        example_index: `[B]` int64, the examples' positions in the endless training stream.
        size: numbers per example.
        uniform: instead of normal.
    """
    draw = tf.random.stateless_uniform if uniform else tf.random.stateless_normal

    def one_row(index: tf.Tensor) -> tf.Tensor:
        row_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), index)
        return draw([size], row_seed)

    row = tf.TensorSpec([None if tf.is_tensor(size) else size], tf.float32)
    return tf.map_fn(one_row, example_index, fn_output_signature=row)


def noise_like(seed: Sequence[int], example_index: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Standard normal noise of the shape and type of `like`, `[B, ...]`: row i by the rule of `example_noise`.

    Args:
        seed: two integers; different purposes take different second ones.
        example_index: `[B]` int64, the examples' positions in the endless training stream.
        like: a tensor whose rows belong to the examples.
    """

    def one_row(index: tf.Tensor) -> tf.Tensor:
        row_seed = tf.random.experimental.stateless_fold_in(tf.constant(seed, tf.int64), index)
        return tf.random.stateless_normal(tf.shape(like)[1:], row_seed)

    noise = tf.map_fn(one_row, example_index, fn_output_signature=tf.TensorSpec(like.shape[1:], tf.float32))
    return tf.cast(noise, like.dtype)


def example_seeds(seed: Sequence[int], example_index: tf.Tensor) -> tf.Tensor:
    """A seed for each example, `[B]` int64, for layers that draw their own noise.

    Args:
        seed: two integers from 0 to 2^31 - 1; different purposes take different second ones.
        example_index: `[B]` int64, the examples' positions in the endless training stream.
    """
    # An odd factor keeps the seeds of all examples apart, and this one those of different purposes too.
    return example_index * tf.constant(-7046029254386353131, tf.int64) + (seed[0] * 2**32 + seed[1])
