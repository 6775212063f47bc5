"""One picture that shows what became of many."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from PIL import Image

from gan_zoo.grids import image_grid, shown_note, to_shown
from gan_zoo.images import is_grey, to_channels, to_float, to_uint8
from gan_zoo.lab import to_grey
from gan_zoo.learning.hints import places_in_small

SHEET_ROWS = 20  # the sheet is an overview; a folder may be endless
SHEET_SIDE = 256  # pixels of the longer side of a cell


class ContactSheet:
    """Rows of input | style | each painter's translations | truth, a row in one size, the first rows only.

    Of images of 2, 5 or more channels the first one or three are shown, and the titles say so.

    Args:
        painters: the titles of what translated; shown where there are several.
        style: `[H, W, C]` uint8 or uint16, the picture that lent its style; None for none.
        of_grey: the painters look at the L of a picture alone: that is shown as the input, and a picture in colour is
            the truth. Hints are drawn on the input.
    """

    def __init__(self, painters: Sequence[str], style: np.ndarray | None = None, of_grey: bool = False) -> None:
        self.painters, self.style, self.of_grey = painters, style, of_grey
        self.inputs: list[list[np.ndarray]] = []
        self.blocks: list[list[list[np.ndarray]]] = [[] for _ in painters]
        self.titles: list[list[str]] = [[] for _ in painters]
        self.left = ["input"] if style is None else ["input", f"style{shown_note(style.shape[-1])}"]
        self.truths: list[np.ndarray | None] = []

    def add(
        self,
        image: np.ndarray,
        translations: Sequence[Mapping[str, np.ndarray]],
        hints: np.ndarray | None = None,
    ) -> None:
        """Takes a picture, each painter's translations of it by title, and the hints for it, `[H, W, 4]` uint8."""
        if len(self.inputs) == SHEET_ROWS:
            return
        largest = max((cell for cells in translations for cell in cells.values()), key=np.size, default=image)
        height, width = largest.shape[:2]
        share = min(1.0, SHEET_SIDE / max(height, width))
        size = max(round(width * share), 1), max(round(height * share), 1)
        shown = _resized(image, size)
        self.left[0] = f"input{shown_note(image.shape[-1])}"
        self.truths.append(shown if self.of_grey and not is_grey(image) else None)
        self.inputs.append([to_uint8(to_grey(to_float(shown))).numpy() if self.of_grey else shown])
        if hints is not None:
            self.inputs[-1][0] = _with_hints(self.inputs[-1][0], hints)
        if self.style is not None:
            fit = min(size[0] / self.style.shape[1], size[1] / self.style.shape[0])
            style_size = [max(round(side * fit), 1) for side in self.style.shape[1::-1]]
            self.inputs[-1].append(_resized(self.style, style_size))
        for block, titles, cells in zip(self.blocks, self.titles, translations, strict=True):
            block.append([_resized(cell, size) for cell in cells.values()])
            titles[:] = [f"{title}{shown_note(cell.shape[-1])}" for title, cell in cells.items()]

    def picture(self) -> np.ndarray:
        """`[H, W, 3]` uint8."""
        blocks, titles, above = [self.inputs, *self.blocks], [self.left, *self.titles], ["", *self.painters]
        if any(truth is not None for truth in self.truths):
            # White where there is none: it keeps the rows of a block as high as their neighbours.
            pairs = zip(self.truths, self.inputs, strict=True)
            blocks.append([[np.full_like(cells[0], 255) if truth is None else truth] for truth, cells in pairs])
            titles.append(["truth"])
            above.append("")
        if len(self.painters) == 1:
            rows = [list(chain(*cells)) for cells in zip(*blocks, strict=True)]
            return image_grid(rows, column_titles=list(chain(*titles)))
        grids = [image_grid(rows, column_titles=names) for rows, names in zip(blocks, titles, strict=True)]
        return image_grid([grids], column_titles=above, gap=12)


def _resized(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """`[H, W, 3]` uint8 of (width, height) `size`."""
    if image.dtype != np.uint8:
        image = to_uint8(to_float(image)).numpy()
    # Of a huge picture every so many pixels: as Pillow holds it, it would take more memory than it does already.
    rows, columns = (max(have // (16 * want), 1) for have, want in zip(image.shape[:2], size[::-1], strict=True))
    picture = Image.fromarray(to_channels(to_shown(image[::rows, ::columns]), 3))
    return np.asarray(picture if picture.size == tuple(size) else picture.resize(size, Image.Resampling.BICUBIC))


def _with_hints(cell: np.ndarray, hints: np.ndarray) -> np.ndarray:
    """`[h, w, 3]` with each point of `hints` `[H, W, 4]`, which may be larger, on a cell `[h, w, C]`."""
    cell = to_channels(cell, 3).copy()
    points = np.argwhere(hints[..., 3] > 127)  # [N, 2]
    rows, columns = places_in_small(points, np.array(hints.shape[:2]), np.array(cell.shape[:2])).T
    cell[rows, columns] = hints[points[:, 0], points[:, 1], :3]
    return cell
