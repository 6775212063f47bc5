"""What a request may bring: each refusal is a sentence in the error of that request, before any network runs.

A server lives on whatever it is asked. Kernels do not all check what they are given: a convolution that gets an image
of rank 3 ends the process. So the shape of every input is looked at in the graph, where no client gets past it.
"""

import dataclasses

import tensorflow as tf

MAX_PIXELS = 50_000_000
LARGEST_MAX_PIXELS = 500_000_000  # TensorFlow's decoders take no more
LONGEST_SIDE = 1 << 24  # pixels, that a side is counted as at most
MIN_SIDE = 2  # pixels; one alone has nothing to be mirrored


@dataclasses.dataclass(frozen=True)
class Limits:
    """What an image may be.

    Attributes:
        channels: the numbers of channels that are taken.
        smallest_side: pixels.
        size_multiple: to which the sides are padded.
        max_pixels: of all that goes through the network at once, padding included, as large as it leaves it.
        scale: by which the network enlarges the sides.
        classes: how many there are where the numbers of pixels are those of classes; None for colours.
    """

    channels: tuple[int, ...]
    smallest_side: int = MIN_SIDE
    size_multiple: int = 1
    max_pixels: int = MAX_PIXELS
    scale: int = 1
    classes: int | None = None

    def size_problem(self, count: tf.Tensor | int, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
        """What is wrong with `count` images of such a size, int64; empty if nothing is."""
        size = tf.strings.format("{}x{} pixels", (width, height))
        least = f": at least {self.smallest_side}x{self.smallest_side} are needed"
        # What is longer is too large all the same, and its product would not fit into 64 bits.
        sides = [tf.minimum(tf.cast(side, tf.int64), LONGEST_SIDE) for side in (height, width)]
        padded = [-(-side // self.size_multiple) * self.size_multiple for side in sides]
        pixels = count * padded[0] * padded[1] * self.scale**2
        border = ", with the border that the network needs" if self.size_multiple > 1 else ""
        border += f", enlarged {self.scale} times" if self.scale > 1 else ""
        most = tf.strings.format(f", {{}} in all{border}: this export takes {self.max_pixels} at most", (pixels,))
        return first_problem(
            (tf.minimum(height, width) < self.smallest_side, size + least), (pixels > self.max_pixels, size + most)
        )

    def class_problem(self, image: tf.Tensor) -> tf.Tensor:
        """What is wrong with the numbers of an image of any shape, where they are those of classes."""
        if self.classes is None:
            return tf.constant("")
        highest = tf.reduce_max(tf.cast(tf.reshape(image, [-1]), tf.int32))
        sentence = tf.strings.format(f"the number {{}}: the classes are 0 to {self.classes - 1}", (highest,))
        return first_problem((highest >= self.classes, sentence))


def first_problem(*cases: tuple[tf.Tensor, tf.Tensor | str]) -> tf.Tensor:
    """The sentence of the first condition that holds, a scalar string; empty if none does."""
    problem = tf.constant("")
    for holds, sentence in reversed(cases):
        problem = tf.where(holds, sentence, problem)
    return problem


def refuse(problem: tf.Tensor, name: str, *tensors: tf.Tensor) -> list[tf.Tensor]:
    """The tensors, which are there only once `problem`, a scalar string, was found to be empty.

    Raises:
        tf.errors.InvalidArgumentError: with `name` and the problem, if it is not.
    """
    with tf.control_dependencies([tf.debugging.Assert(problem == "", [name + problem])]):
        return [of_any_shape(tensor) for tensor in tensors]


def of_any_shape(given: tf.Tensor) -> tf.Tensor:
    """The tensor itself, of which TensorFlow knows no shape until the graph runs: it went through a list of anything.

    A signature's shape holds no client to it, but TensorFlow believes it, and what later operations demand as well: it
    answers `tf.rank` by that beforehand, so that a check would find all in order. Hence one before and one behind it.
    """
    return tf.TensorArray(given.dtype, 1, infer_shape=False).write(0, given).read(0)


def checked_image(given: tf.Tensor, limits: Limits) -> tf.Tensor:
    """The `image` of a request, a batch of one or more within the limits: `[B, H, W, C]` uint8 or uint16.

    Raises:
        tf.errors.InvalidArgumentError: if it is anything else.
    """
    given = of_any_shape(given)
    shape = tf.shape(given, tf.int64)
    batch, height, width, depth = tf.unstack(_padded(shape, 4))
    channels = " or ".join(map(str, limits.channels))
    wanted = f"[batch, height, width, channels] with {channels} channels"
    problem = first_problem(
        (tf.rank(given) != 4, tf.strings.format(f"a shape of {{}}, where {wanted} is needed", (shape,), summarize=-1)),
        (batch == 0, "a batch of 0 images"),
        (
            tf.reduce_all(depth != tf.constant(limits.channels, tf.int64)),
            tf.strings.format(f"{{}} channels, where {channels} are needed", (depth,)),
        ),
        (limits.size_problem(batch, height, width) != "", limits.size_problem(batch, height, width)),
        (tf.constant(True), limits.class_problem(given)),
    )
    (image,) = refuse(problem, "image: ", given)
    return tf.ensure_shape(image, [None, None, None, limits.channels[0] if len(limits.channels) == 1 else None])


def checked_shape(name: str, given: tf.Tensor, wanted: list[tf.Tensor | int], why: str) -> tf.Tensor:
    """An input of a request that has to have just the `wanted` shape, scalars; `why` ends the sentence.

    Raises:
        tf.errors.InvalidArgumentError: if it has another one.
    """
    given = of_any_shape(given)
    shape = tf.shape(given, tf.int64)
    wanted_shape = tf.stack([tf.cast(side, tf.int64) for side in wanted])
    fits = (tf.rank(given) == len(wanted)) & tf.reduce_all(_padded(shape, len(wanted)) == wanted_shape)
    sentence = tf.strings.format(f"a shape of {{}}, where {{}} is needed: {why}", (shape, wanted_shape), summarize=-1)
    (tensor,) = refuse(first_problem((~fits, sentence)), f"{name}: ", given)
    return tf.ensure_shape(tensor, [side if isinstance(side, int) else None for side in wanted])


def checked_seed(given: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """The `seed` of a request: a scalar, or `[B]`.

    Raises:
        tf.errors.InvalidArgumentError: if it is anything else.
    """
    shape = tf.shape(given, tf.int64)
    count = _padded(shape, 1)[0]
    one = tf.rank(given) == 0
    fits = one | ((tf.rank(given) == 1) & (count == tf.cast(batch, tf.int64)))
    sentence = tf.strings.format(
        "a shape of {}, where one seed or [{}] is needed: one for each image", (shape, batch), summarize=-1
    )
    return refuse(first_problem((~fits, sentence)), "seed: ", given)[0]


def _padded(shape: tf.Tensor, length: int) -> tf.Tensor:
    """The first sides of a shape of any rank, -1 where there is none: `[length]` int64."""
    return tf.ensure_shape(tf.concat([shape, tf.fill([length], tf.constant(-1, tf.int64))], 0)[:length], [length])
