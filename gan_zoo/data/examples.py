"""One example at a time: what a data set has to answer, and what becomes of an answer before it joins a batch.

An example is read, brought to its channels, resized and cropped in one Python function: Pillow's bicubic filter is the
authors' own, faster than TensorFlow's antialiased one, and with a box computes nothing but the crop. Both libraries
release Python's lock while they work, so the threads do run in parallel.
"""

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from gan_zoo.data.reading import reading_of
from gan_zoo.data.resizing import WHOLE, Resizing, resize_and_crop, resize_and_crop_labels
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.data.value_range import SETTINGS, stretched
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, BadImage, GreyExample, Planes, is_grey, to_channels, to_float

CHANNELS = {"input_image": "input_channels", "target_image": "target_channels"}  # of an image, the setting
IMAGE_KEYS = tuple(CHANNELS)
MASK_KEY = "mask"


class ExampleSource(Protocol):
    """One split of a data set with random access.

    `source[i]` gives `{"input_image": [H, W, C], "target_image": [H', W', C']}`, uint8 or uint16, the direction
    applied; C is the channels that the configuration asks for, or such of which `gan_zoo.images.to_channels` makes
    them. Further numbers pass through to the batch, and a `mask` `[H, W, 1]`, int32 labels, is cut as the images are.
    It raises `BadExample` for a file that cannot be used, and must be safe to call from several threads. Files refused
    before anything was read, and not counted by `len(source)`, may be listed as `source.rejected`, a sequence of
    `BadExample`. `source.path_of(i)`, where it is there, names an example.

    A single source has no `input_image`: that is made of the target. Nor has a labelled one; it has a `label` beside
    it, `[num_labels]` float32, see `gan_zoo.data.labelled`, and `source.label_of(i)` gives that without reading the
    image.

    An unpaired source is not asked for examples but for its domains, the direction applied:
    `source.domains == {"input_image": domain, "target_image": domain}`, where `len(domain)` is the domain's own count,
    `domain[i]` one image `[H, W, C]`, and all else as above. `len(source)` is the count of the larger one.
    """

    kind: str  # "paired", "unpaired", "single" or "labelled"

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


_closing = threading.Event()
_readers: weakref.WeakSet["ExampleReader"] = weakref.WeakSet()


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


def readers_of(
    source: ExampleSource,
    config: Any,
    resizing: Resizing,
    skipped: SkippedFiles | None,
    *,
    skip_grey: bool = False,
    skip_small: bool = False,
) -> list["ExampleReader"]:
    """One reader for examples that belong together, one for each domain of an unpaired source."""
    skipped = skipped if skipped is not None else SkippedFiles()
    seed = config.seed % 2**32
    if getattr(source, "kind", "paired") != "unpaired":
        skip = {"skip_grey": skip_grey, "skip_small": skip_small}
        return [ExampleReader(source, config, resizing, skipped, seed=seed, **skip)]
    # Numbers of their own for each domain: with one seed, domains of equal count would come in equal order.
    seeds = [int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) for number in range(len(source.domains))]
    return [
        ExampleReader(domain, config, resizing, skipped, seed=domain_seed, key=key)
        for (key, domain), domain_seed in zip(source.domains.items(), seeds, strict=True)
    ]


class ExampleReader:
    """Reads and prepares examples for `tf.numpy_function`, which must know all types before it runs.

    Args:
        source: of examples, or of the images that an example has as `key`.
        config: what the stream is made from.
        resizing: what becomes of the images.
        skipped: takes the bad files.
        seed: of the order and the augmentation, below 2**32: `index_shuffle` sees no more of it.
        key: the name of a domain's images.
        skip_grey: whether examples whose `target_image` has no colour are bad.
        skip_small: whether those are whose `target_image` would have to be enlarged.
    """

    def __init__(
        self,
        source: ExampleSource,
        config: Any,
        resizing: Resizing,
        skipped: SkippedFiles,
        *,
        seed: int,
        key: str | None = None,
        skip_grey: bool = False,
        skip_small: bool = False,
    ) -> None:
        self.source, self.config, self.resizing, self.skipped = source, config, resizing, skipped
        self.seed, self.key, self.skip_grey, self.skip_small = seed, key, skip_grey, skip_small
        self.classes = reading_of(config, "input_image").classes
        self.bad: set[int] = set()
        self.grey = False  # whether any of them is bad for that alone
        if rejected := getattr(source, "rejected", ()):
            self.skipped.add(source, *rejected)
        if not len(source):
            raise UserError("the data set has no examples")
        self.first = self.next_good(0)
        self.keys = list(self.first)
        arrays = dict(zip(self.keys, self.prepared(self.first), strict=True))
        self.shapes = [
            (*resizing.shape, array.shape[2]) if key in (*IMAGE_KEYS, MASK_KEY) else array.shape
            for key, array in arrays.items()
        ]
        self.dtypes = [tf.as_dtype(array.dtype) for array in arrays.values()]
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
        """The example at `index`, its images of the channels asked for, or None after noting that it is bad."""
        if index in self.bad:
            return None
        name = getattr(self.source, "path_of", "example {}".format)
        try:
            example = self.source[index]
            example = dict(example) if self.key is None else {self.key: example}
            if self.classes is not None and "input_image" in example:
                example["input_image"] = self._of_classes(np.asanyarray(example["input_image"]), name(index))
            for key in SETTINGS.keys() & example.keys():
                example[key] = stretched(np.asanyarray(example[key]), getattr(self.config, SETTINGS[key], None))
            for key, setting in CHANNELS.items():
                if key in example:
                    example[key] = self._channelled(np.asanyarray(example[key]), key, setting, name(index))
            if self.skip_grey and is_grey(example["target_image"]):
                raise GreyExample(name(index))
            if self.skip_small and (reason := self.resizing.too_small(*example["target_image"].shape[:2])):
                raise BadExample(name(index), reason)
            return example
        except BadExample as error:
            self.bad.add(index)
            self.grey |= isinstance(error, GreyExample)
            self.skipped.add(self.source, error)
            return None

    def _of_classes(self, image: np.ndarray, name: str) -> np.ndarray:
        try:
            return reading_of(self.config, "input_image").checked(image)
        except BadImage as error:
            raise BadExample(name, f"input_image {error}") from None

    def _channelled(self, image: np.ndarray, key: str, setting: str, name: str) -> np.ndarray:
        channels = getattr(self.config, setting)
        try:
            return to_channels(image, channels)
        except BadImage as error:
            if isinstance(image, Planes):
                reason = f"{key} is {error}: give --set {setting}={image.shape[-1]}, or another array"
            else:
                reason = f"{setting}={channels}, and {key} has {error}"
            raise BadExample(name, reason) from None

    def next_good(self, index: int) -> dict[str, Any]:
        for step in range(len(self.source)):
            example = self.good((index + step) % len(self.source))
            if example is not None:
                return example
        colour = "; pictures in colour are needed" if self.grey else ""
        raise UserError(f"the data set has no good examples{colour}")

    def prepared(self, example: dict[str, Any], random: np.random.Generator | None = None) -> list[np.ndarray]:
        """The values in the order of `keys`, the images as float32 in [0, 255], all of them resized and cut alike.

        `random` draws the place of the cut and whether it is mirrored; without it, it is the middle as it is,
        of a whole image what is above and to the left.
        """
        image = next(np.asarray(example[key]) for key in IMAGE_KEYS if key in example)
        loaded, cut = self.resizing.plan(*image.shape[:2])
        room = [have - want for have, want in zip(loaded, cut, strict=True)]
        if random is None:
            (top, left), flip = (0, 0) if self.resizing.mode == WHOLE else [margin // 2 for margin in room], False
        else:
            top, left = (int(random.integers(0, margin, endpoint=True)) for margin in room)
            flip = bool(random.integers(2)) and self.config.flip
        arrays = []
        for key in self.keys:
            array = np.asanyarray(example[key])
            if key == "input_image" and self.classes is not None:  # there is nothing between two numbers
                numbers = array.astype(np.int32)
                array = resize_and_crop_labels(numbers, loaded, cut, top=top, left=left, flip=flip).astype(np.float32)
            elif key in IMAGE_KEYS:
                array = resize_and_crop(array, loaded, cut, top=top, left=left, flip=flip)
            elif key == MASK_KEY:
                array = resize_and_crop_labels(array, loaded, cut, top=top, left=left, flip=flip)
            arrays.append(array)
        return arrays

    def named(self, arrays: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        values = {}
        for key, array, shape in zip(self.keys, arrays, self.shapes, strict=True):
            array.set_shape(shape)
            values[key] = to_float(array) if key in IMAGE_KEYS else array
        return values
