"""From examples to batches: an endless stream that is a function of (seed, position) and so can start anywhere.

Position p of the stream (step * batch size + place in the batch) names everything: the data epoch p // n, the example
(p % n under that epoch's permutation), its crop and its flip. Nothing is shuffled in a buffer and nothing is cached.
Unpaired data has two domains; for each of them the position names all this anew, by the domain's own count and draws.
Of single images, `make_input` makes the input out of the target as it was cut: a function of that alone, so that all
this holds for both.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.data.examples import ExampleReader, ExampleSource, readers_of
from gan_zoo.data.resizing import WHOLE, Resizing
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError

MakeInput = Callable[[tf.Tensor], tf.Tensor]


def training_stream(
    source: ExampleSource,
    config: Any,
    *,
    start_step: int = 0,
    num_replicas: int = 1,
    batch_parts: int = 1,
    size_multiple: int = 1,
    min_side: int = 1,
    make_input: MakeInput | None = None,
    skip_grey: bool = False,
    skip_small: bool = False,
    skipped: SkippedFiles | None = None,
) -> tf.data.Dataset:
    """An endless stream of augmented batches that begins, at once, with the batch of step `start_step`.

    Args:
        source: the training split. A bad example is replaced by the next good one.
        config: `image_size`, `load_scale`, `preprocess`, `flip`, `input_channels`, `target_channels`, `input_range`,
            `target_range`, `input_classes` (numbers of classes are resized by the nearest one), `batch_size` (global),
            `seed`.
        start_step: a stream from here equals a stream from 0 after that many batches.
        num_replicas: devices that share the batch; each takes a contiguous share.
        batch_parts: 2 for a model that treats the halves of a batch differently; see `batch_order`.
        size_multiple: what the sides of the images must be multiples of, where `preprocess` does not cut squares.
        min_side: what they must not be shorter than there.
        make_input: from `target_image` `[H, W, C]` in [-1, 1] to `input_image`, for a source of single images; in
            operations of TensorFlow's alone, since it becomes part of the graph.
        skip_grey: whether targets without colour count as bad examples.
        skip_small: whether targets that would have to be enlarged do.
        skipped: collects the bad files.

    Returns:
        Batches `{"input_image": [B, H, W, C], "target_image": [B, H, W, C'], "example_index": [B]}` and the source's
        scalars; images float32 in [-1, 1], of `image_size` squared or as `preprocess` leaves them; `example_index`
        int64, the position in the stream. A `mask` `[B, H, W, 1]` is cut as the images are. Of labelled images `label`
        `[B, num_labels]` and `target_label`, the label of another example, as likely as each is, float32.

    Raises:
        UserError: for a batch that cannot be shared out, a `load_scale` below 1, or a source with nothing good in it.
    """
    batch_size = config.batch_size
    order = tf.constant(batch_order(batch_size, num_replicas, batch_parts), tf.int64)
    load_size = round(config.image_size * config.load_scale)
    if load_size < config.image_size:
        raise UserError(f"load_scale is {config.load_scale}, but the crop must fit: give at least 1")
    resizing = Resizing(config.preprocess, config.image_size, load_size, size_multiple, min_side)
    skip = {"skip_grey": skip_grey, "skip_small": skip_small}
    draws = [_augmented(reader) for reader in readers_of(source, config, resizing, skipped, **skip)]

    @tf.autograph.experimental.do_not_convert  # it would run `read` and all that it calls through autograph
    def load(slot: tf.Tensor) -> dict[str, tf.Tensor]:
        position = slot - slot % batch_size + tf.gather(order, slot % batch_size)
        example = {"example_index": position}
        for draw in draws:
            example |= draw(position)
        return _with_input(example, make_input)

    slots = tf.data.Dataset.range(start_step * batch_size, tf.int64.max)
    return slots.map(load, _threads(), deterministic=True).batch(batch_size, drop_remainder=True).prefetch(2)


def _augmented(reader: ExampleReader) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """From a position in the stream to what `reader` has there, cut and mirrored at random."""
    count, seed = len(reader.source), reader.seed
    label_of = getattr(reader.source, "label_of", None)

    def read(position: int, index: int) -> list[np.ndarray]:
        # Philox computes its numbers from the key: no state, and a fraction of the usual generator's start-up time.
        random = np.random.Generator(np.random.Philox(key=(seed, int(position))))
        arrays = reader.prepared(reader.next_good(int(index)), random)
        return arrays if label_of is None else [*arrays, np.float32(label_of(int(random.integers(count))))]

    def draw(position: tf.Tensor) -> dict[str, tf.Tensor]:
        key = tf.stack([tf.constant(seed, tf.int64), position // count])
        index = tf.random.experimental.index_shuffle(position % count, key, tf.constant(count - 1, tf.int64))
        if label_of is None:
            return reader.named(tf.numpy_function(reader.until_exit(read), [position, index], reader.dtypes))
        types = [*reader.dtypes, tf.float32]
        *arrays, target_label = tf.numpy_function(reader.until_exit(read), [position, index], types)
        example = reader.named(arrays)
        return example | {"target_label": tf.ensure_shape(target_label, example["label"].shape)}

    return draw


def evaluation_batches(
    source: ExampleSource,
    config: Any,
    *,
    batch_size: int,
    size_multiple: int = 1,
    min_side: int = 1,
    make_input: MakeInput | None = None,
    skip_grey: bool = False,
    skip_small: bool = False,
    whole: bool = False,
    skipped: SkippedFiles | None = None,
) -> tf.data.Dataset:
    """The examples once, in order, brought to the training size without chance; bad ones are left out.

    What `preprocess` would crop at random is the middle here; with `resize_and_crop` it is the whole image. With
    `whole`, whatever `preprocess` says, each image is as it is, but for what is more than a multiple of
    `size_multiple`. Images of differing sizes come one by one, whatever the batch size.

    Of an unpaired source, the images of equal index together, the smaller domain from its start again where it ends;
    both must be good.

    Returns:
        Batches as of `training_stream`, without `target_label`, the last may be smaller; `example_index` is the index
        in the source.
    """
    size, mode = config.image_size, WHOLE if whole else config.preprocess
    load_size = size if mode == "resize_and_crop" else round(size * config.load_scale)
    resizing = Resizing(mode, size, load_size, size_multiple, min_side)
    skip = {"skip_grey": skip_grey, "skip_small": skip_small}
    draws = [_plain(reader) for reader in readers_of(source, config, resizing, skipped, **skip)]

    @tf.autograph.experimental.do_not_convert
    def load(index: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        found, example = tf.constant(True), {"example_index": index}
        for draw in draws:
            found_here, values = draw(index)
            found, example = found & found_here, example | values
        return found, _with_input(example, make_input)

    examples = tf.data.Dataset.range(len(source)).map(load, _threads(), deterministic=True)
    examples = examples.filter(lambda found, example: found)
    examples = examples.map(lambda found, example: example)
    return examples.batch(batch_size if resizing.shape[0] else 1).prefetch(2)


def _plain(reader: ExampleReader) -> Callable[[tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]]:
    """From an index to whether the example there is good, and what it is; any values for a bad one."""

    def read(index: int) -> list[np.ndarray]:
        example = reader.good(int(index))
        found = example is not None
        return [*reader.prepared(example if found else reader.first), np.asarray(found)]

    def draw(index: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        index = index % len(reader.source)
        *arrays, found = tf.numpy_function(reader.until_exit(read), [index], [*reader.dtypes, tf.bool])
        return tf.ensure_shape(found, []), reader.named(arrays)

    return draw


def _with_input(example: dict[str, tf.Tensor], make_input: MakeInput | None) -> dict[str, tf.Tensor]:
    return example if make_input is None else example | {"input_image": make_input(example["target_image"])}


def batch_order(batch_size: int, num_replicas: int, batch_parts: int) -> np.ndarray:
    """The places 0..B-1 of a batch in the order in which replicas take contiguous shares of it.

    Each replica gets its share of every part, part after part, so that the parts, joined over the replicas, are those
    of one device: with 2 replicas and 2 parts `[0 1 2 3 | 4 5 6 7]` becomes `[0 1 | 4 5], [2 3 | 6 7]`.

    Raises:
        UserError: for a batch size that is no multiple of parts times replicas.
    """
    unit = num_replicas * batch_parts
    if batch_size < 1 or batch_size % unit:
        raise UserError(
            f"batch_size is {batch_size}, but the batch is shared by {num_replicas} device(s), in {batch_parts} equal "
            f"part(s) on each: give a multiple of {unit}"
        )
    return np.arange(batch_size).reshape(batch_parts, num_replicas, -1).swapaxes(0, 1).reshape(-1)


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
