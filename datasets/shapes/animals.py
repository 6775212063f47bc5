"""Two animals, each a function from its proportions, 8 numbers in [-1, 1], to its parts from back to front."""

from collections.abc import Iterator

import numpy as np

from datasets.shapes.parts import COLOUR, HOLE, INK, PALE, TRIM, Part, area, ellipse, stroke


def fish(v: np.ndarray) -> Iterator[Part]:
    height, tail = 0.46 + 0.09 * v[0], 0.42 + 0.1 * v[1]
    fin = 0.34 + 0.09 * v[2]
    notch = -0.74 + 0.05 * v[3]
    yield area(
        TRIM,
        [(-0.48, -0.06), (-0.76, -tail), (-1.02, -tail - 0.1)],
        [(-1.02, -tail - 0.1), (notch - 0.1, -0.1), (notch - 0.1, 0.1), (-1.02, tail + 0.1)],
        [(-1.02, tail + 0.1), (-0.76, tail), (-0.48, 0.06)],
    )
    for side in (-1, 1):
        yield stroke([(-0.6, side * 0.06), (-0.76, side * 0.2), (-0.9, side * tail * 0.86)], weight=0.5)
    yield area(
        TRIM,
        [(-0.34, -height * 0.6), (-0.3, -height - fin * 0.75), (-0.06, -height - fin), (0.28, -height * 0.9)],
    )
    yield area(TRIM, [(-0.16, height * 0.8), (-0.22, height + fin * 0.7), (0.2, height * 0.9)])
    for x in (-0.2, -0.04, 0.1):
        yield stroke([(x, -height * 0.9), (x - 0.04, -height - fin * 0.62 + max(x, 0))], weight=0.5)
    yield area(
        COLOUR,
        [(-0.56, 0.0), (-0.3, -height * 0.66), (0.2, -height), (0.68, -height * 0.72), (0.98, 0.02)],
        [(0.98, 0.02), (0.7, height * 0.76), (0.2, height), (-0.3, height * 0.66), (-0.56, 0.0)],
    )
    # Gill cover, scales, side fin, mouth and eye.
    yield area(
        PALE,
        [(0.98, 0.02), (0.72, -height * 0.68), (0.56, -height * 0.83)],
        [(0.56, -height * 0.83), (0.44, -0.2), (0.46, 0.2), (0.58, height * 0.85)],
        [(0.58, height * 0.85), (0.72, height * 0.73), (0.98, 0.02)],
    )
    for x, rows in ((0.2, (-0.22, 0, 0.22)), (-0.02, (-0.11, 0.11)), (-0.24, (-0.16, 0.0, 0.16))):
        for y in rows:
            yield stroke([(x + 0.08, y - 0.1), (x - 0.03, y), (x + 0.08, y + 0.1)], weight=0.6)
    yield area(
        TRIM,
        [(0.42, 0.08), (0.2, 0.06), (0.04, 0.2 + 0.08 * v[4])],
        [(0.04, 0.2 + 0.08 * v[4]), (0.2, 0.3), (0.42, 0.22)],
        weight=0.8,
    )
    yield stroke([(0.96, 0.08), (0.86, 0.14), (0.78, 0.13 + 0.04 * v[5])])
    yield ellipse(HOLE, (0.7, -0.13), (0.1, 0.1), weight=0.8)
    yield ellipse(INK, (0.72, -0.12), (0.05, 0.05), weight=0)


def butterfly(v: np.ndarray) -> Iterator[Part]:
    span, lift = 0.96 + 0.06 * v[0], 0.74 + 0.1 * v[1]
    lower, drop = 0.66 + 0.1 * v[2], 0.74 + 0.1 * v[3]
    spot = 0.13 + 0.03 * v[4]
    for side in (-1, 1):
        yield area(
            COLOUR,
            [
                (0, 0.0),
                (side * 0.4, 0.0),
                (side * lower, 0.14),
                (side * lower * 0.96, 0.5),
                (side * 0.4, drop),
                (side * 0.16, 0.5),
                (0, 0.1),
            ],
        )
        yield area(
            TRIM,
            [(side * lower * 0.99, 0.4), (side * lower * 0.8, 0.62), (side * 0.4, drop), (side * 0.22, 0.6)],
            [(side * 0.22, 0.6), (side * 0.4, 0.58), (side * lower * 0.76, 0.46), (side * lower * 0.99, 0.4)],
            weight=0.7,
        )
        yield area(
            COLOUR,
            [
                (0, -0.1),
                (side * 0.3, -lift * 0.72),
                (side * 0.72, -lift),
                (side * span, -lift * 0.86),
                (side * span * 0.98, -0.3),
                (side * 0.7, 0.06),
                (side * 0.3, 0.12),
                (0, 0.06),
            ],
        )
        yield area(
            TRIM,
            [
                (side * 0.66, -lift * 0.98),
                (side * span * 0.98, -lift * 0.9),
                (side * span, -lift * 0.6),
                (side * span * 0.96, -0.24),
                (side * 0.76, 0.02),
            ],
            [
                (side * 0.76, 0.02),
                (side * span * 0.76, -0.34),
                (side * span * 0.76, -lift * 0.7),
                (side * 0.66, -lift * 0.98),
            ],
            weight=0.7,
        )
        yield ellipse(PALE, (side * 0.5, -0.36), (spot, spot * 1.1), weight=0.8)
        yield ellipse(PALE, (side * 0.42, 0.3), (spot * 0.8, spot * 0.75), weight=0.8)
        yield stroke([(side * 0.06, -0.06), (side * 0.24, -0.18), (side * 0.37, -0.32)], weight=0.5)
        yield stroke([(side * 0.06, 0.08), (side * 0.2, 0.14), (side * 0.32, 0.26)], weight=0.5)
        yield stroke([(side * 0.02, -0.4), (side * 0.1, -0.7), (side * 0.26, -0.84 - 0.06 * v[5])])
        yield ellipse(INK, (side * 0.26, -0.84 - 0.06 * v[5]), (0.035, 0.035), weight=0)
    yield area(
        TRIM,
        [(0, -0.36), (0.09, -0.12), (0.08, 0.16), (0, 0.56)],
        [(0, 0.56), (-0.08, 0.16), (-0.09, -0.12), (0, -0.36)],
    )
    yield stroke([(-0.07, 0.1), (0, 0.13), (0.07, 0.1)], weight=0.6)
    yield stroke([(-0.06, 0.25), (0, 0.28), (0.06, 0.25)], weight=0.6)
    yield ellipse(TRIM, (0, -0.4), (0.11, 0.1))
