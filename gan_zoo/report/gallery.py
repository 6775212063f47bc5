"""Pictures that an evaluation keeps in memory for its report."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One example and what a model made of it.

    Attributes:
        name: what to call it to the user: a file's stem, or the example's number.
        value: its value of the figure that ranked it; None where it was not ranked.
        pictures: by title ("input", "truth", "output", "sample 2" ...), each `[H, W, C]` uint8, C of 1, 3 or 4.
    """

    name: str
    value: float | None = None
    pictures: Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gallery:
    """Examples of one translator at one checkpoint.

    Attributes:
        sheet: the first examples, in the order of the data set.
        best: the best ones by `ranked_by`, the best first.
        worst: the worst ones, the worst first.
        ranked_by: the figure's name; "" where nothing ranks them.
    """

    sheet: Sequence[Row] = ()
    best: Sequence[Row] = ()
    worst: Sequence[Row] = ()
    ranked_by: str = ""
