"""From examples to batches: an endless stream that is a function of (seed, position) and so can start anywhere.

Position p of the stream (step * batch size + place in the batch) names everything: the data epoch p // n, the example
(p % n under that epoch's permutation), its crop and its flip. Nothing is shuffled in a buffer and nothing is cached.
Unpaired data has two domains; for each of them the position names all this anew, by the domain's own count and draws.

An example is read, brought to its channels, resized to `load_scale` times the training size and cropped in one Python
function: Pillow's bicubic filter is the authors' own, faster than TensorFlow's antialiased one, and with a box computes
nothing but the crop. Both libraries release Python's lock while they work, so the threads do run in parallel.
"""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, resize_and_crop, to_channels, to_float
from gan_zoo.skipped_files import SkippedFiles

IMAGE_KEYS = ("input_image", "target_image")


class ExampleSource(Protocol):
    """One split of a data set with random access.

    `source[i]` gives `{"input_image": [H, W, C], "target_image": [H', W', C']}`, uint8 or uint16 with C of 1, 3 or 4,
    the direction applied; further numbers pass through to the batch. It raises `BadExample` for a file that cannot be
    used, and must be safe to call from several threads. Files refused before anything was read, and not counted by
    `len(source)`, may be listed as `source.rejected`, a sequence of `BadExample`.

    An unpaired source is not asked for examples but for its domains, the direction applied:
    `source.domains == {"input_image": domain, "target_image": domain}`, where `len(domain)` is the domain's own count,
    `domain[i]` one image `[H, W, C]`, and all else as above. `len(source)` is the count of the larger one.
    """

    kind: str  # "paired", "unpaired", "single" or "labelled"

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def training_stream(
    source: ExampleSource,
    config: Any,
    *,
    start_step: int = 0,
    num_replicas: int = 1,
    batch_parts: int = 1,
    skipped: SkippedFiles | None = None,
) -> tf.data.Dataset:
    """An endless stream of augmented batches that begins, at once, with the batch of step `start_step`.

    Args:
        source: the training split. A bad example is replaced by the next good one.
        config: `image_size`, `load_scale`, `flip`, `input_channels`, `target_channels`, `batch_size` (global), `seed`.
        start_step: a stream from here equals a stream from 0 after that many batches.
        num_replicas: devices that share the batch; each takes a contiguous share.
        batch_parts: 2 for a model that treats the halves of a batch differently; see `batch_order`.
        skipped: collects the bad files.

    Returns:
        Batches `{"input_image": [B, S, S, C], "target_image": [B, S, S, C'], "example_index": [B]}` and the source's
        scalars; images float32 in [-1, 1], `example_index` int64, the position in the stream.

    Raises:
        UserError: for a batch that cannot be shared out, a `load_scale` below 1, or a source with nothing good in it.
    """
    batch_size = config.batch_size
    order = tf.constant(batch_order(batch_size, num_replicas, batch_parts), tf.int64)
    draws = [_augmented(reader, config) for reader in _readers_of(source, config, skipped)]

    @tf.autograph.experimental.do_not_convert  # it would run `read` and all that it calls through autograph
    def load(slot: tf.Tensor) -> dict[str, tf.Tensor]:
        position = slot - slot % batch_size + tf.gather(order, slot % batch_size)
        example = {"example_index": position}
        for draw in draws:
            example |= draw(position)
        return example

    slots = tf.data.Dataset.range(start_step * batch_size, tf.int64.max)
    return slots.map(load, _threads(), deterministic=True).batch(batch_size, drop_remainder=True).prefetch(2)


def _augmented(reader: "_Reader", config: Any) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """From a position in the stream to what `reader` has there, cut and mirrored at random."""
    size, count, seed = config.image_size, len(reader.source), reader.seed
    load_size = round(size * config.load_scale)
    if load_size < size:
        raise UserError(f"load_scale is {config.load_scale}, but the crop must fit: give at least 1")

    def read(position: int, index: int) -> list[np.ndarray]:
        # Philox computes its numbers from the key: no state, and a fraction of the usual generator's start-up time.
        random = np.random.Generator(np.random.Philox(key=(seed, int(position))))
        top, left = random.integers(0, load_size - size, 2, endpoint=True).tolist()
        flip = bool(random.integers(2)) and config.flip
        return reader.prepared(reader.next_good(int(index)), load_size, top=top, left=left, flip=flip)

    def draw(position: tf.Tensor) -> dict[str, tf.Tensor]:
        key = tf.stack([tf.constant(seed, tf.int64), position // count])
        index = tf.random.experimental.index_shuffle(position % count, key, tf.constant(count - 1, tf.int64))
        return reader.named(tf.numpy_function(reader.until_exit(read), [position, index], reader.dtypes))

    return draw


def evaluation_batches(
    source: ExampleSource, config: Any, *, batch_size: int, skipped: SkippedFiles | None = None
) -> tf.data.Dataset:
    """The examples once, in order, resized to the training size without augmentation; bad ones are left out.

    Of an unpaired source, the images of equal index together, the smaller domain from its start again where it ends.

    Returns:
        Batches as of `training_stream`, the last may be smaller; `example_index` is the index in the source.
    """
    draws = [_plain(reader, config) for reader in _readers_of(source, config, skipped)]

    @tf.autograph.experimental.do_not_convert
    def load(index: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        found, example = tf.constant(True), {"example_index": index}
        for draw in draws:
            found_here, values = draw(index)
            found, example = found & found_here, example | values
        return found, example

    examples = tf.data.Dataset.range(len(source)).map(load, _threads(), deterministic=True)
    examples = examples.filter(lambda found, example: found)
    examples = examples.map(lambda found, example: example)
    return examples.batch(batch_size).prefetch(2)


def _plain(reader: "_Reader", config: Any) -> Callable[[tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]]:
    """From an index to whether the example there is good, and what it is; any values for a bad one."""

    def read(index: int) -> list[np.ndarray]:
        example = reader.good(int(index))
        found = example is not None
        return [*reader.prepared(example if found else reader.first, config.image_size), np.asarray(found)]

    def draw(index: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        index = index % len(reader.source)
        *arrays, found = tf.numpy_function(reader.until_exit(read), [index], [*reader.dtypes, tf.bool])
        return tf.ensure_shape(found, []), reader.named(arrays)

    return draw


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


_closing = threading.Event()
_readers: weakref.WeakSet["_Reader"] = weakref.WeakSet()


@atexit.register
def _settle() -> None:
    """Lets the streams still in use fill their buffers and fall silent before Python goes away.

    A thread of tf.data that asks for Python's lock while the interpreter is taken down never gets it, and the
    iterator's destructor waits for that thread for ever.
    """
    _closing.set()
    deadline = time.monotonic() + 10.0
    readers = list(_readers)
    while time.monotonic() < deadline and any(
        reader.busy or time.monotonic() - reader.last_used < 0.3 for reader in readers
    ):
        time.sleep(0.02)


def _readers_of(source: ExampleSource, config: Any, skipped: SkippedFiles | None) -> list["_Reader"]:
    """One reader for examples that belong together, one for each domain of an unpaired source."""
    skipped = skipped if skipped is not None else SkippedFiles()
    seed = config.seed % 2**32
    if getattr(source, "kind", "paired") != "unpaired":
        return [_Reader(source, config, skipped, seed)]
    # Numbers of their own for each domain: with one seed, domains of equal count would come in equal order.
    seeds = [int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) for number in range(len(source.domains))]
    return [
        _Reader(domain, config, skipped, domain_seed, key)
        for (key, domain), domain_seed in zip(source.domains.items(), seeds, strict=True)
    ]


class _Reader:
    """Reads and prepares examples for `tf.numpy_function`, which must know all types before it runs.

    Args:
        source: of examples, or of the images that an example has as `key`.
        config: what the stream is made from.
        skipped: takes the bad files.
        seed: of the order and the augmentation, below 2**32: `index_shuffle` sees no more of it.
        key: the name of a domain's images.
    """

    def __init__(
        self, source: ExampleSource, config: Any, skipped: SkippedFiles, seed: int, key: str | None = None
    ) -> None:
        self.source, self.config, self.skipped, self.seed, self.key = source, config, skipped, seed, key
        self.bad: set[int] = set()
        if rejected := getattr(source, "rejected", ()):
            self.skipped.add(source, *rejected)
        if not len(source):
            raise UserError("the data set has no examples")
        self.first = self.next_good(0)
        self.keys = list(self.first)
        arrays = self.prepared(self.first, config.image_size)
        self.shapes = [array.shape for array in arrays]
        self.dtypes = [tf.as_dtype(array.dtype) for array in arrays]
        self.busy, self.last_used, self._lock = 0, time.monotonic(), threading.Lock()
        self.last_read: list[np.ndarray] | None = None
        _readers.add(self)

    def until_exit(self, read: Callable[..., list[np.ndarray]]) -> Callable[..., list[np.ndarray]]:
        """`read`, which from the program's end on repeats itself, at once; see `_settle`."""

        def guarded(*arguments: Any) -> list[np.ndarray]:
            with self._lock:
                self.busy += 1
            try:
                if _closing.is_set() and self.last_read is not None:
                    return self.last_read
                self.last_read = read(*arguments)
                return self.last_read
            finally:
                with self._lock:
                    self.busy -= 1
                    self.last_used = time.monotonic()

        return guarded

    def good(self, index: int) -> dict[str, Any] | None:
        """The example at `index`, or None after noting that it is bad."""
        if index in self.bad:
            return None
        try:
            example = self.source[index]
            return example if self.key is None else {self.key: example}
        except BadExample as error:
            self.bad.add(index)
            self.skipped.add(self.source, error)
            return None

    def next_good(self, index: int) -> dict[str, Any]:
        for step in range(len(self.source)):
            example = self.good((index + step) % len(self.source))
            if example is not None:
                return example
        raise UserError("the data set has no good examples")

    def prepared(self, example: dict[str, Any], load_size: int, **cut: int) -> list[np.ndarray]:
        """The values in the order of `keys`, the images as float32 in [0, 255]; `cut` alike."""
        channels = {"input_image": self.config.input_channels, "target_image": self.config.target_channels}
        size = self.config.image_size
        arrays = []
        for key in self.keys:
            array = np.asarray(example[key])
            if key in IMAGE_KEYS:
                array = resize_and_crop(to_channels(array, channels[key]), load_size, size, **cut)
            arrays.append(array)
        return arrays

    def named(self, arrays: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        values = {}
        for key, array, shape in zip(self.keys, arrays, self.shapes, strict=True):
            array.set_shape(shape)
            values[key] = to_float(array) if key in IMAGE_KEYS else array
        return values
