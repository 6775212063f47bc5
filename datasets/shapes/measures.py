"""What colour is it? The measures that tests and benchmarks take of pictures in the style of `shapes`."""

import numpy as np

from datasets.shapes.rendering import HUES

_NEIGHBOURHOOD = 30.0  # degrees around the commonest hue that count as the same colour


def hue_of(image: np.ndarray, mask: np.ndarray) -> tuple[float | None, float]:
    """The dominant hue of the masked pixels.

    Weighted by chroma, the commonest of 36 sectors is found and the circular mean taken around it, so that a picture of
    two colours has one of the two and not the one between them.

    Args:
        image: `[H, W, 3]` uint8.
        mask: `[H, W]` bool, as from `ShapesSource.foreground`.

    Returns:
        The hue in degrees, in [0, 360), None where nothing is coloured; and the mean HSV saturation, in [0, 1].
    """
    pixels = image[mask].astype(np.float64) / 255  # [N, 3]
    value = pixels.max(axis=-1, initial=0)
    chroma = value - pixels.min(axis=-1, initial=1)
    if not chroma.any():
        return None, 0.0
    saturation = float((chroma / np.maximum(value, 1e-9)).mean())
    red, green, blue = pixels[chroma > 0].T
    value, chroma = value[chroma > 0], chroma[chroma > 0]
    sector = np.where(value == red, (green - blue) / chroma % 6, 0)
    sector = np.where((value == green) & (value != red), 2 + (blue - red) / chroma, sector)
    sector = np.where((value == blue) & (value != red) & (value != green), 4 + (red - green) / chroma, sector)
    hues = 60 * sector
    counts = np.bincount((hues // 10).astype(int) % 36, weights=chroma, minlength=36)
    smooth = np.roll(counts, 1) + counts + np.roll(counts, -1)
    offset = hue_difference(hues, 10.0 * smooth.argmax() + 5)
    near = np.abs(offset) <= _NEIGHBOURHOOD
    mean = np.average(offset[near], weights=chroma[near])
    return float((10 * smooth.argmax() + 5 + mean) % 360), saturation


def hue_difference(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray | float:
    """`a - b` on the circle of hues, in degrees, in [-180, 180)."""
    return (a - b + 180) % 360 - 180


def nearest_hue(degrees: float | None, tolerance: float = 20.0) -> int | None:
    """Index into `HUES` of the hue within `tolerance` degrees; None where there is none."""
    if degrees is None:
        return None
    distance = np.abs(hue_difference(np.array(HUES), degrees))
    index = int(distance.argmin())
    return index if distance[index] <= tolerance else None
