"""Pixels of feature maps that a loss compares: which ones, and what is there."""

from collections.abc import Sequence

import tensorflow as tf

from gan_zoo.learning.noise import example_noise


def draw_positions(seed: Sequence[int], example_index: tf.Tensor, features: tf.Tensor, count: int) -> tf.Tensor:
    """Pixels of a feature map, none of them twice; what is drawn for a row depends on `seed` and its own index.

    Args:
        seed: two integers; different purposes take different second ones.
        example_index: `[B]` int64, the examples' positions in the endless training stream.
        features: a map `[_, h, w, C]`, of which only the size counts.
        count: how many to draw; all, in any order, where the map has fewer.

    Returns:
        `[B, min(count, h * w)]` int32, positions `row * w + column`.
    """
    height, width = features.shape[1:3]
    if None in (height, width):
        area = tf.reduce_prod(tf.shape(features)[1:3])
        count = tf.minimum(count, area)
    else:
        area = height * width
        count = min(count, area)
    lots = example_noise(seed, example_index, area, uniform=True)  # [B, h * w]
    return tf.math.top_k(lots, count)[1]


def mirrored(images: tf.Tensor, is_mirrored: tf.Tensor) -> tf.Tensor:
    """`[B, H, W, C]`, those of which `is_mirrored` `[B]` says so turned left to right."""
    return tf.where(is_mirrored[:, tf.newaxis, tf.newaxis, tf.newaxis], tf.reverse(images, [2]), images)


def mirrored_positions(positions: tf.Tensor, is_mirrored: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
    """Where the same pixels are in an image that was mirrored left to right.

    Args:
        positions: `[B, P]` int32.
        is_mirrored: `[B]` bool, which images were.
        features: the map `[_, h, w, C]`, of which only the width counts.
    """
    width = tf.shape(features)[2]
    row, column = positions // width, positions % width
    return tf.where(is_mirrored[:, tf.newaxis], row * width + (width - 1 - column), positions)


def pixels_at(features: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """What a map `[B, h, w, C]` holds at positions `[B, P]`: `[B, P, C]`."""
    rows = tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])
    return tf.gather(rows, positions, batch_dims=1)
