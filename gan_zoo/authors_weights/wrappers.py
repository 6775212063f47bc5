"""What training and saving put around the weights of the authors' networks, and what holds nothing that learns."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from gan_zoo.errors import UserError

Arrays = Mapping[str, np.ndarray]
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
BLUR = "filt"
MAX_BLUR = 7  # pixels a side
_PREFIX = re.compile(r"(?:module\.|_orig_mod\.)*")
_WRITERS = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}


def without_wrappers(arrays: Arrays) -> tuple[dict[str, np.ndarray], list[str]]:
    """Takes away what training left in the names, and what translation does not learn from.

    That is the prefixes `module.` and `_orig_mod.`, in any order and number, if all names begin with them, and the
    statistics that old instance norms kept and never used. The filters of blur pooling (CUT's `.filt`) stay, if they
    are the constants that they should be.

    Returns:
        The weights by the names that the authors' networks have now, and what was taken away, in words.

    Raises:
        UserError: for a filter that is another one than CUT's code makes; the message is the end of a sentence.
    """
    remarks = []
    # The longest one that is common to all: an inner network may be called `module` too.
    prefix = min((_PREFIX.match(name)[0] for name in arrays), key=len, default="")
    if prefix and all(name.startswith(prefix) for name in arrays):
        arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
        writers = [writer for word, writer in _WRITERS.items() if word in prefix]
        remarks.append(f"the prefix {prefix[:80]} of {' and '.join(writers)}")
    kept = {}
    statistics = 0
    for name, array in arrays.items():
        path, _, what = name.rpartition(".")
        if what in STATISTICS and f"{path}.weight" not in arrays:  # a batch norm has a weight beside them
            statistics += 1
            continue
        if what == BLUR and not is_blur(array):
            raise UserError(f"has {name[:80]!r}, which is none of the constant filters of blur pooling")
        kept[name] = array
    if statistics:
        remarks.append(f"{statistics} statistics of instance norms, which translation does not use")
    return kept, remarks


def is_blur(array: np.ndarray) -> bool:
    """Whether an array is a filter as CUT's `Downsample` and `Upsample` keep it, `[C, 1, n, n]`, the same C times."""
    if array.ndim != 4 or array.shape[1] != 1 or array.dtype.kind != "f":
        return False
    # Dyadic fractions of few bits: exact in every type.
    return any(np.array_equal(array, np.broadcast_to(blur, array.shape)) for blur in _blurs(array.shape[2:]))


def _blurs(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The binomial filter of a shape with sum 1, and with sum 4 as for doubling the size; nothing for other shapes."""
    side = shape[0]
    if shape != (side, side) or side > MAX_BLUR:
        return
    row = np.ones(1)
    for _ in range(side - 1):
        row = np.convolve(row, [0.5, 0.5])
    for factor in (1, 4):
        yield factor * np.outer(row, row)
