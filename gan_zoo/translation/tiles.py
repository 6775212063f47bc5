"""Large pictures in bounded memory: part by part, where a translator looks only so far.

What a pixel of the output depends on lies within `tile_overlap` pixels of its place in the input. So a part that is
larger by as much on each side gives the same as the whole picture, which may be too large for the memory; at the
picture's own borders a part ends where the picture does, so that the network's padding is the same too. The same but
for the rounding of float32, whose sums come in another order for another size: that moves a pixel in about 100,000,
which lay halfway between two of the 256 levels, to the other one.
"""

import itertools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from gan_zoo.translation.borders import pad_to_multiple

WINDOW = 1024  # pixels of the output on each side of a part, about: a feature map of 64 channels takes 270 MB


def tiled(
    function: Callable[[tf.Tensor], tf.Tensor],
    image: tf.Tensor,
    *,
    overlap: int,
    size_multiple: int = 1,
    scale: int = 1,
    window: int = WINDOW,
) -> tf.Tensor:
    """`function(image)`, computed in parts and put together; graph-safe.

    Args:
        function: from `[B, h, w, C]` to `[B, h * scale, w * scale, C']`, where h and w are multiples of
            `size_multiple`. The parts are of one size.
        image: `[B, H, W, C]`, H and W such multiples.
        overlap: how far `function` looks, in pixels of the input.
        size_multiple, scale: of the translator.
        window: the side of a part, in pixels of the output; twice the overlap is no part's own, and where that is more
            than half of the window, parts are larger.

    Returns:
        `[B, H * scale, W * scale, C']` of the type that `function` returns.
    """
    overlap, side = _part(overlap, size_multiple, scale, window)
    shape = tf.shape(image)
    down, across = (_Cuts(shape[axis], side, overlap) for axis in (1, 2))
    out = _spec(function, image)

    def part(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        """The own pixels of one part, columns first: `[w, B, h, C']`."""
        top, above, below = down.of(row)
        left, before, behind = across.of(column)
        made = function(image[:, top : top + down.side, left : left + across.side])
        own = made[:, (above - top) * scale : (below - top) * scale, (before - left) * scale : (behind - left) * scale]
        return tf.transpose(own, [2, 0, 1, 3])

    def strip(row: tf.Tensor) -> tf.Tensor:
        """A row of parts, `[h, B, W, C']`."""
        columns = _joined(lambda column: part(row, column), across.count, out)
        return tf.transpose(columns, [2, 1, 0, 3])

    rows = _joined(strip, down.count, out)  # [H, B, W, C']
    # Of one picture, as large ones come, the axes change places without a copy.
    made = tf.cond(shape[0] == 1, lambda: tf.squeeze(rows, 1)[tf.newaxis], lambda: tf.transpose(rows, [1, 0, 2, 3]))
    sides = [side and side * scale for side in image.shape[1:3]]
    return tf.ensure_shape(made, [image.shape[0], *sides, out.shape[-1]])


def tiled_picture(
    translate: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    *,
    overlap: int,
    size_multiple: int = 1,
    scale: int = 1,
    window: int = WINDOW,
) -> np.ndarray:
    """`tiled` for one picture in Python: of the whole, TensorFlow has nothing in its memory, which it would never give
    back, and which it takes by whole powers of two.

    Args:
        translate: from `[h, w, C]`, not larger than a part, to `[h * scale, w * scale, C']`.
        image: `[H, W, C]`.
        overlap, size_multiple, scale, window: as of `tiled`; H and W need be no multiples.
    """
    height, width = image.shape[:2]
    overlap, side = _part(overlap, size_multiple, scale, window)
    rows, columns = (-length % size_multiple for length in (height, width))
    if rows or columns:
        image = pad_to_multiple(tf.constant(image[np.newaxis]), size_multiple)[0][0].numpy()
    down, across = (_Cuts(tf.constant(length), side, overlap) for length in image.shape[:2])
    made = None
    for row, column in itertools.product(range(int(down.count)), range(int(across.count))):
        (top, above, below), (left, before, behind) = (
            [int(place) for place in cuts.of(tf.constant(index))] for cuts, index in ((down, row), (across, column))
        )
        part = translate(image[top : top + int(down.side), left : left + int(across.side)])
        if made is None:
            made = np.empty((image.shape[0] * scale, image.shape[1] * scale, part.shape[-1]), part.dtype)
        own = part[(above - top) * scale : (below - top) * scale, (before - left) * scale : (behind - left) * scale]
        made[above * scale : below * scale, before * scale : behind * scale] = own
    top, left = rows // 2 * scale, columns // 2 * scale
    return made[top : top + height * scale, left : left + width * scale]


def _part(overlap: int, size_multiple: int, scale: int, window: int) -> tuple[int, int]:
    """The overlap in multiples, and the side of a part in pixels of the input."""
    overlap = -(-overlap // size_multiple) * size_multiple
    side = max(window // scale, 4 * overlap, 1)
    return overlap, -(-side // size_multiple) * size_multiple


class _Cuts:
    """How one side of the picture is cut into parts of equal length that overlap.

    Args:
        length: of the side.
        side: of a part, at most.
        overlap: at each end of a part that is not the picture's own.
    """

    def __init__(self, length: tf.Tensor, side: int, overlap: int) -> None:
        self.length, self.side, self.overlap = length, tf.minimum(side, length), overlap
        self.step = max(side - 2 * overlap, 1)
        self.count = 1 + -(-(length - self.side) // self.step)

    def of(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Where a part begins, and from where to where it is the one that counts."""
        begin = tf.minimum(index * self.step, self.length - self.side)  # the last one lies further back
        first = tf.where(index == 0, 0, index * self.step + self.overlap)
        last = tf.where(index == self.count - 1, self.length, (index + 1) * self.step + self.overlap)
        return begin, first, last


def _spec(function: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor) -> tf.TensorSpec:
    """What `function` returns, found out without computing it."""
    spec = tf.TensorSpec([None, None, None, image.shape[-1]], image.dtype)
    return tf.function(function).get_concrete_function(spec).structured_outputs


def _joined(make: Callable[[tf.Tensor], tf.Tensor], count: tf.Tensor, out: tf.TensorSpec) -> tf.Tensor:
    """`make(0)`, `make(1)` ..., one after the other, joined at their first axis."""
    parts = tf.TensorArray(
        out.dtype, size=count, infer_shape=False, element_shape=[None, None, None, out.shape[-1]], clear_after_read=True
    )
    _, parts = tf.while_loop(
        lambda index, _: index < count,
        lambda index, parts: (index + 1, parts.write(index, make(index))),
        (tf.constant(0), parts),
        parallel_iterations=1,
    )
    return parts.concat()
