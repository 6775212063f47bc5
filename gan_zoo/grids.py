"""Pictures of any sizes in one, and how images of any count of channels are shown."""

import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gan_zoo.images import PICTURE_CHANNELS, to_channels


def to_shown(image: np.ndarray) -> np.ndarray:
    """`[H, W, C]` as people see it, `[H, W, 1 or 3]`: alpha over white; of 2, 5 or more channels the first 1 or 3."""
    image, channels = np.asarray(image), image.shape[-1]
    if channels in PICTURE_CHANNELS:
        return to_channels(image, 1 if channels == 1 else 3)
    return image[..., : 1 if channels == 2 else 3]


def shown_note(channels: int) -> str:
    """What to say beside `to_shown` of so many channels: "" where all of them are there."""
    if channels in PICTURE_CHANNELS:
        return ""
    return f" (channel 1 of {channels})" if channels == 2 else f" (channels 1-3 of {channels})"


def heat_map(levels: np.ndarray) -> np.ndarray:
    """`[..., 1]` uint8 as colours, `[..., 3]` uint8: black, red, yellow and white, as glowing iron."""
    heat = np.asarray(levels, np.int16) * 3
    return np.clip(np.concatenate([heat, heat - 255, heat - 510], axis=-1), 0, 255).astype(np.uint8)


def image_grid(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str] = (),
    gap: int = 2,
) -> np.ndarray:
    """Lays pictures out on white, each in the middle of its cell.

    Args:
        rows: rows of `[H, W, C]` uint8 with C from 1 to 16, of any sizes; rows may differ in length.
        column_titles: drawn above, with `shown_note` of the first row; cut after 40 characters.
        gap: pixels between the cells.

    Returns:
        `[H, W, 3]` uint8.
    """
    font = ImageFont.load_default()
    notes = [shown_note(cell.shape[-1]) for cell in rows[0]] if rows else []
    pairs = itertools.zip_longest(column_titles, notes[: len(column_titles)], fillvalue="")
    column_titles = [_shortened(title + note) for title, note in pairs]
    text_width = [int(np.ceil(font.getlength(title))) + gap for title in column_titles]
    widths = [0] * max([len(row) for row in rows] + [len(column_titles)])
    for column in range(len(widths)):
        cells = [row[column].shape[1] for row in rows if column < len(row)]
        widths[column] = max(cells + text_width[column : column + 1])
    text_height = 14  # of Pillow's default font, which is 10 pixels high, with some air
    heights = [max([cell.shape[0] for cell in row], default=0) for row in rows]
    top = text_height if column_titles else 0

    lefts = np.cumsum([0] + [width + gap for width in widths])
    tops = top + np.cumsum([0] + [height + gap for height in heights])
    canvas = Image.new("RGB", (int(max(lefts[-1] - gap, 1)), int(max(tops[-1] - gap, 1))), "white")
    draw = ImageDraw.Draw(canvas)
    for title, x in zip(column_titles, lefts, strict=False):
        draw.text((int(x), 0), title, fill="black", font=font)
    for row, y, height in zip(rows, tops, heights, strict=False):
        for cell, x, width in zip(row, lefts, widths, strict=False):
            place = (int(x) + (width - cell.shape[1]) // 2, int(y) + (height - cell.shape[0]) // 2)
            canvas.paste(Image.fromarray(to_channels(to_shown(cell), 3)), place)
    return np.asarray(canvas)


def _shortened(title: str) -> str:
    title = " ".join(title.split())
    return title if len(title) <= 40 else title[:37] + "..."
