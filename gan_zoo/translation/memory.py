"""How much memory a translation takes, before any of it is taken."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gan_zoo.data.memory import available_memory
from gan_zoo.translation import translating
from gan_zoo.translation.labels import first_label

_TRACED_SIDE = 512  # pixels
_MARGIN = 1.2
_VIEWS = ("Const", "ReadVariableOp", "Identity", "Reshape", "Squeeze", "ExpandDims")  # take nothing of their own


def size_problem(height: int, width: int, per_pixel: float) -> str | None:
    """Why there is no memory to translate a picture of `height` and `width`; None where there is enough.

    Args:
        per_pixel: `bytes_per_pixel` of what translates it.
    """
    available = available_memory()
    size = available and largest_size(height, width, per_pixel, available)
    if not size:
        return None
    need, have = per_pixel * height * width / 1e9, available / 1e9
    return (
        f"{width}x{height} pixels would take {need:.1f} GB of memory, and {have:.1f} GB are free: "
        f"up to {size[1]}x{size[0]} can be translated here"
    )


def bytes_per_pixel(translator: Any, wide: tuple[bool, bool] = (False, False)) -> float:
    """What translating takes at the most, for each pixel of the picture; found from the graph, nothing is computed.

    An estimate from above, of the tensors that are there at one time: kernels may keep more or less beside them. Of a
    translator that works in parts it is what grows with the picture; the part at work takes about a gigabyte beside it.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        wide: whether the picture, and whether the answer, may be of 16 bit.
    """
    taken, given = (2 if of_16_bit else 1 for of_16_bit in wide)  # bytes of a number
    multiple = translator.size_multiple
    side = -(-_TRACED_SIDE // multiple) * multiple
    noise = [translating.no_noise(translator, 1)] if translating.takes_noise(translator) else []
    if translator.labels:
        noise = [first_label(translator, 1)]
    channels = translator.input_channels
    if translator.tile_overlap is not None:
        # What the network takes for a part does not grow with the picture. What does: the picture as decoded and as the
        # network takes it, and the answer; of 16 bit in the numbers of the run's files too.
        return 2.0 * taken * channels + translator.scale**2 * translator.output_channels * given**2
    if translator.chroma is not None:  # it predicts in small, so that all else counts
        image = tf.TensorSpec([1, side, side, 3], tf.uint8)
        peak = peak_bytes(lambda image: translating.translate(translator, image, *noise), image)
    else:
        image = tf.TensorSpec([1, side, side, channels], tf.float32)
        peak = peak_bytes(lambda image: translator.function(image, *noise), image)
    # The picture as decoded, as float32 and padded; the answer padded and cropped.
    copies = channels * (3 * taken + 4 + 4) + translator.scale**2 * translator.output_channels * (4 + 4 + given**2)
    return _MARGIN * peak / side**2 + copies


def largest_size(height: int, width: int, per_pixel: float, available: int) -> tuple[int, int] | None:
    """None if a picture of `height` and `width` can be translated in `available` bytes, else what it could be at most.

    Args:
        height, width: in pixels.
        per_pixel: `bytes_per_pixel` of what translates it.
        available: bytes.
    """
    need = per_pixel * height * width
    if need <= available:
        return None
    share = math.sqrt(available / need)
    return int(height * share), int(width * share)


def peak_bytes(function: Callable[..., Any], *specs: tf.TensorSpec) -> int:
    """The most that the tensors of `function` take at one time, and what its largest operation may need to work.

    Args:
        function: in TensorFlow's operations.
        specs: of its arguments, with known shapes.
    """
    graph = tf.function(function).get_concrete_function(*specs).graph
    operations = graph.get_operations()
    last_use: dict[str, int] = {}
    for place, operation in enumerate(operations):
        last_use |= dict.fromkeys((tensor.name for tensor in (*operation.inputs, *operation.outputs)), place)
    last_use |= dict.fromkeys((tensor.name for tensor in graph.outputs), len(operations))
    alive = peak = largest = 0
    freed: dict[int, int] = {}
    for place, operation in enumerate(operations):
        counts = {tensor.name: _bytes_of(tensor) for tensor in operation.outputs}
        if operation.type not in _VIEWS:
            for name, count in counts.items():
                alive += count
                freed[last_use[name]] = freed.get(last_use[name], 0) + count
            largest = max(largest, sum(counts.values()) + sum(map(_bytes_of, operation.inputs)))
        peak = max(peak, alive)
        alive -= freed.pop(place, 0)
    return peak + largest


def _bytes_of(tensor: tf.Tensor) -> int:
    """0 where the shape is not known before the graph runs."""
    if not tensor.shape.is_fully_defined() or not tensor.dtype.size:
        return 0
    return math.prod(tensor.shape) * tensor.dtype.size
