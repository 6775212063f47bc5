"""Three shoes, each a function from its proportions, 8 numbers in [-1, 1], to its parts from back to front."""

from collections.abc import Iterator

import numpy as np

from datasets.shapes.parts import COLOUR, PALE, TRIM, Part, area, between, ellipse, stroke


def sneaker(v: np.ndarray) -> Iterator[Part]:
    heel = -0.46 + 0.06 * v[0]
    tongue = -0.66 + 0.08 * v[1]
    toe = 0.08 + 0.05 * v[2]
    sole = 0.2 + 0.03 * v[3]
    throat, vamp = (-0.14, tongue + 0.1), (0.42, -0.04 + 0.04 * v[4])
    # The tongue shows behind the laces.
    yield area(TRIM, [(-0.3, heel + 0.12), (-0.26, tongue - 0.06), (-0.08, tongue), (0.05, -0.3)])
    yield area(
        COLOUR,
        [(-0.92, 0.4), (-0.98, 0.06), (-0.92, heel + 0.05), (-0.84, heel)],
        [(-0.84, heel), (-0.66, heel + 0.15), (-0.42, heel + 0.12), throat],
        [throat, between(throat, vamp, 0.55), vamp, (0.68, toe - 0.04), (0.92, toe + 0.12), (0.99, 0.4)],
    )
    # Heel counter, toe cap and the row of eyelets.
    yield area(
        TRIM,
        [(-0.92, 0.4), (-0.98, 0.06), (-0.92, heel + 0.05), (-0.84, heel)],
        [(-0.84, heel), (-0.74, heel + 0.11)],
        [(-0.74, heel + 0.11), (-0.68, 0.05), (-0.5, 0.4)],
    )
    yield area(
        PALE,
        [(0.55, 0.4), (0.58, 0.16), (0.74, toe - 0.02)],
        [(0.74, toe - 0.02), (0.92, toe + 0.12), (0.99, 0.4)],
    )
    yield stroke([(throat[0] - 0.14, throat[1] + 0.18), (0.06, 0.02), (0.36, 0.16), (0.55, 0.13)])
    yield stroke([(-0.4, 0.4), (-0.2, 0.14), (0.1, 0.1 + 0.05 * v[5])])
    for t in (0.1, 0.36, 0.62, 0.88):
        x, y = between(throat, vamp, t)
        yield area(
            PALE,
            [(x - 0.07, y + 0.16), (x - 0.09, y + 0.09), (x + 0.1, y - 0.07)],
            [(x + 0.1, y - 0.07), (x + 0.15, y - 0.01), (x - 0.07, y + 0.16)],
            weight=0.6,
        )
    yield area(
        PALE,
        [(-0.96, 0.37), (-0.3, 0.39), (0.4, 0.37), (1.02, 0.33)],
        [(1.02, 0.33), (1.05, 0.45), (0.93, 0.38 + sole), (0.7, 0.4 + sole)],
        [(0.7, 0.4 + sole), (-0.9, 0.4 + sole)],
        [(-0.9, 0.4 + sole), (-1.0, 0.36 + sole), (-0.96, 0.37)],
    )
    yield stroke([(-0.97, 0.38 + sole / 2), (-0.3, 0.4 + sole / 2), (0.4, 0.4 + sole / 2), (1.0, 0.36 + sole / 2)])


def boot(v: np.ndarray) -> Iterator[Part]:
    top = -1.0 + 0.12 * v[0]
    shaft = 0.06 * v[1]
    toe = 0.95 + 0.06 * v[2]
    heel = 0.24 + 0.04 * v[3]
    yield area(COLOUR, [(0.06 + shaft, top), (0.1 + shaft, top - 0.04), (0.16 + shaft, top + 0.1), (0.1, -0.1)])
    yield area(
        COLOUR,
        [(-0.62, 0.62), (-0.66, 0.3), (-0.54, -0.1), (-0.6 - shaft, top + 0.04)],
        [(-0.6 - shaft, top + 0.04), (-0.25, top + 0.1), (0.06 + shaft, top)],
        [(0.06 + shaft, top), (0.06, -0.3), (0.16, 0.02), (0.5, 0.16), (0.82, 0.26), (toe, 0.62)],
    )
    yield area(
        TRIM,
        [(-0.6 - shaft, top + 0.04), (-0.25, top + 0.1), (0.06 + shaft, top)],
        [(0.06 + shaft, top), (0.06 + shaft * 0.9, top + 0.2)],
        [(0.06 + shaft * 0.9, top + 0.2), (-0.25, top + 0.3), (-0.58 - shaft * 0.8, top + 0.24)],
    )
    yield area(
        TRIM,
        [(-0.62, 0.62), (-0.66, 0.3), (-0.58, 0.04)],
        [(-0.58, 0.04), (-0.36, 0.2), (-0.26, 0.62)],
    )
    yield area(TRIM, [(0.44, 0.62), (0.5, 0.36), (0.68, 0.2)], [(0.68, 0.2), (0.84, 0.28), (toe, 0.62)])
    # A tongue of paler leather under laces that cross.
    for row in range(4):
        y = top + 0.4 + row * (0.12 - top - 0.5) / 3.4
        x = 0.05 + 0.04 * max(row - 1, 0)
        yield area(
            PALE,
            [(x - 0.2, y + 0.08), (x + 0.07, y - 0.04)],
            [(x + 0.07, y - 0.04), (x + 0.1, y + 0.04), (x - 0.16, y + 0.15)],
            weight=0.6,
        )
    yield stroke([(-0.19 + shaft * 0.5, top + 0.3), (-0.2, -0.2), (-0.06, 0.2), (0.2, 0.36), (0.47, 0.44)])
    yield area(
        PALE,
        [(-0.66, 0.6), (0.1, 0.61), (toe + 0.03, 0.58)],
        [(toe + 0.03, 0.58), (toe + 0.05, 0.7), (toe - 0.08, 0.76), (0.1, 0.76)],
        [(0.1, 0.76), (-0.06, 0.62 + heel)],
        [(-0.06, 0.62 + heel), (-0.66, 0.62 + heel)],
    )
    yield stroke([(-0.66, 0.69), (0.1, 0.69), (toe, 0.67)])


def high_heel(v: np.ndarray) -> Iterator[Part]:
    top = -0.2 - 0.14 * v[0]  # where the arch begins, at the back
    toe = 0.98 + 0.05 * v[1]
    slim = 0.1 + 0.03 * v[2]
    throat = (0.44, 0.22 + 0.03 * v[3])
    back = (-0.78, top - 0.34)
    # Lining inside the opening, then the heel behind the upper.
    yield area(
        PALE,
        [back, (-0.5, top - 0.1), (-0.1, 0.06), (0.2, 0.2), throat],
        [throat, (0.1, 0.36), (-0.5, top + 0.3), back],
    )
    yield area(
        TRIM,
        [(-0.86, top + 0.1), (-0.76, 0.2), (-0.72, 0.68)],
        [(-0.72, 0.68), (-0.72 + slim, 0.68)],
        [(-0.72 + slim, 0.68), (-0.62, 0.26), (-0.44, top + 0.4), (-0.3, top + 0.3)],
    )
    yield area(
        COLOUR,
        [back, (-0.92, top - 0.1), (-0.88, top + 0.16)],
        [(-0.88, top + 0.16), (-0.5, top + 0.2), (-0.1, 0.3), (0.18, 0.56), (0.46, 0.63)],
        [(0.46, 0.63), (0.8, 0.65), (toe, 0.62)],
        [(toe, 0.62), (0.84, 0.44), (0.62, 0.29), throat],
        [throat, (0.2, 0.33), (-0.16, 0.2), (-0.5, top + 0.06), back],
    )
    yield stroke([(-0.78, top - 0.26), (-0.68, top - 0.08), (-0.68, top + 0.16)], weight=0.6)
    yield area(
        PALE,
        [(-0.88, top + 0.16), (-0.5, top + 0.2), (-0.1, 0.3), (0.18, 0.56), (0.46, 0.63)],
        [(0.46, 0.63), (0.8, 0.65), (toe, 0.62)],
        [(toe, 0.62), (0.82, 0.72), (0.4, 0.71), (0.1, 0.63), (-0.16, 0.4), (-0.5, top + 0.29)],
        [(-0.5, top + 0.29), (-0.88, top + 0.22)],
        weight=0.8,
    )
    # A bow on the toe, or an ankle strap.
    if v[4] > 0:
        x, y = throat[0] + 0.06, throat[1] + 0.04
        for side in (-1, 1):
            yield area(
                TRIM,
                [(x, y), (x + side * 0.12, y - 0.16 - 0.06 * side), (x + side * 0.24, y - 0.1 + 0.06 * side)],
                [(x + side * 0.24, y - 0.1 + 0.06 * side), (x + side * 0.2, y + 0.08 + 0.04 * side), (x, y)],
                weight=0.8,
            )
        yield ellipse(TRIM, (x, y), (0.06, 0.06), weight=0.8)
    else:
        yield area(
            TRIM,
            [(-0.82, top - 0.3), (-0.6, top - 0.42), (-0.3, top - 0.38), (-0.16, top - 0.2)],
            [(-0.16, top - 0.2), (-0.2, top - 0.06)],
            [(-0.2, top - 0.06), (-0.34, top - 0.24), (-0.58, top - 0.29), (-0.86, top - 0.14)],
            weight=0.8,
        )
        yield ellipse(PALE, (-0.38, top - 0.33), (0.07, 0.08), weight=0.7)
    yield stroke([(0.3, 0.44), (0.5, 0.42), (0.72, 0.48)])
