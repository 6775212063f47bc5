"""One picture that shows what became of many."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from gan_zoo.images import image_grid, to_channels, to_float, to_uint8

SHEET_ROWS = 20  # the sheet is an overview; a folder may be endless
SHEET_SIDE = 256  # pixels of the longer side of a cell


class ContactSheet:
    """Rows of input | style | each painter's translations, a row in one size, the first rows only.

    Args:
        painters: the titles of what translated; shown where there are several.
        style: `[H, W, C]` uint8 or uint16, the picture that lent its style; None for none.
    """

    def __init__(self, painters: Sequence[str], style: np.ndarray | None = None) -> None:
        self.painters, self.style = painters, style
        self.inputs: list[list[np.ndarray]] = []
        self.blocks: list[list[list[np.ndarray]]] = [[] for _ in painters]
        self.titles: list[list[str]] = [[] for _ in painters]

    def add(self, image: np.ndarray, translations: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Takes a picture and each painter's translations of it by title."""
        if len(self.inputs) == SHEET_ROWS:
            return
        largest = max((cell for cells in translations for cell in cells.values()), key=np.size, default=image)
        height, width = largest.shape[:2]
        share = min(1.0, SHEET_SIDE / max(height, width))
        size = max(round(width * share), 1), max(round(height * share), 1)
        self.inputs.append([_resized(image, size)])
        if self.style is not None:
            fit = min(size[0] / self.style.shape[1], size[1] / self.style.shape[0])
            style_size = [max(round(side * fit), 1) for side in self.style.shape[1::-1]]
            self.inputs[-1].append(_resized(self.style, style_size))
        for block, titles, cells in zip(self.blocks, self.titles, translations, strict=True):
            block.append([_resized(cell, size) for cell in cells.values()])
            titles[:] = cells

    def picture(self) -> np.ndarray:
        """`[H, W, 3]` uint8."""
        left = ["input"] if self.style is None else ["input", "style"]
        if len(self.painters) == 1:
            rows = [inputs + cells for inputs, cells in zip(self.inputs, self.blocks[0], strict=True)]
            return image_grid(rows, column_titles=left + self.titles[0])
        titled = zip([self.inputs, *self.blocks], [left, *self.titles], strict=True)
        blocks = [image_grid(rows, column_titles=titles) for rows, titles in titled]
        return image_grid([blocks], column_titles=["", *self.painters], gap=12)


def _resized(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """`[H, W, 3]` uint8 of (width, height) `size`."""
    if image.dtype != np.uint8:
        image = to_uint8(to_float(image)).numpy()
    picture = Image.fromarray(to_channels(image, 3))
    return np.asarray(picture if picture.size == tuple(size) else picture.resize(size, Image.Resampling.BICUBIC))
