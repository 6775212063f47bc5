"""Four other things, each a function from its proportions, 8 numbers in [-1, 1], to its parts from back to front."""

from collections.abc import Iterator

import numpy as np

from datasets.shapes.parts import COLOUR, HOLE, PALE, TRIM, Part, area, ellipse, stroke


def handbag(v: np.ndarray) -> Iterator[Part]:
    width, bottom = 0.8 + 0.06 * v[0], 0.74 + 0.1 * v[1]
    shoulder = 0.58 + 0.08 * v[2]
    handle = 0.8 + 0.12 * v[3]
    flap = 0.24 + 0.08 * v[4]
    spread = 0.36 + 0.06 * v[5]
    arch = [(-spread, -0.2), (-spread, -0.2 - 0.55 * handle), (0, -0.2 - handle), (spread, -0.2 - 0.55 * handle)]
    arch.append((spread, -0.2))
    inner = [(x * 0.74, y + 0.12 * (i == 2)) for i, (x, y) in enumerate(arch)]
    yield area(TRIM, arch, [arch[-1], inner[-1]], inner[::-1])
    yield area(
        COLOUR,
        [(-shoulder, -0.26), (0, -0.3), (shoulder, -0.26)],
        [(shoulder, -0.26), (width, 0.2), (width + 0.04, bottom - 0.06), (width - 0.1, bottom)],
        [(width - 0.1, bottom), (0, bottom + 0.03), (0.1 - width, bottom)],
        [(0.1 - width, bottom), (-width - 0.04, bottom - 0.06), (-width, 0.2), (-shoulder, -0.26)],
    )
    for side in (-1, 1):
        yield area(
            TRIM,
            [(side * (0.1 - width), bottom), (side * (-width - 0.04), bottom - 0.06), (side * -width, bottom - 0.32)],
            [(side * -width, bottom - 0.32), (side * (0.26 - width), bottom - 0.26), (side * (0.34 - width), bottom)],
            weight=0.8,
        )
    yield area(
        TRIM,
        [(-shoulder, -0.26), (0, -0.3), (shoulder, -0.26)],
        [(shoulder, -0.26), (shoulder + 0.03, flap - 0.12), (shoulder * 0.7, flap), (0, flap + 0.12)],
        [(0, flap + 0.12), (-shoulder * 0.7, flap), (-shoulder - 0.03, flap - 0.12), (-shoulder, -0.26)],
    )
    inset = 0.87
    yield stroke(
        [
            (shoulder * inset, -0.2),
            ((shoulder + 0.02) * inset, flap - 0.15),
            (shoulder * 0.62, flap - 0.08),
            (0, flap + 0.03),
            (-shoulder * 0.62, flap - 0.08),
            (-(shoulder + 0.02) * inset, flap - 0.15),
            (-shoulder * inset, -0.2),
        ],
        weight=0.5,
    )
    yield ellipse(PALE, (0, flap + 0.1), (0.12, 0.12))
    yield ellipse(HOLE if v[6] > 0 else TRIM, (0, flap + 0.1), (0.04, 0.04), weight=0.6)


def mug(v: np.ndarray) -> Iterator[Part]:
    height, taper = 0.8 + 0.12 * v[0], 0.08 + 0.08 * v[1]
    rim = 0.17 + 0.03 * v[2]
    reach = 1.02 + 0.08 * v[3]
    base = 0.6 - taper
    outer = [(0.45, -height * 0.62), (0.86, -height * 0.6), (reach, -0.05), (0.8, 0.42), (0.45, 0.45)]
    inner = [
        (0.45, 0.25),
        (0.68, 0.24),
        (reach - 0.2, -0.06),
        (0.72, -height * 0.6 + 0.2),
        (0.45, -height * 0.62 + 0.2),
    ]
    yield area(TRIM, outer, [outer[-1], inner[0]], inner)
    yield area(
        COLOUR,
        [(-0.62, -height), (-0.61, 0), (-base, height - 0.1)],
        [
            (-base, height - 0.1),
            (-base * 0.7, height + rim * 0.35),
            (0, height + rim * 0.6),
            (base * 0.7, height + rim * 0.35),
            (base, height - 0.1),
        ],
        [(base, height - 0.1), (0.61, 0), (0.62, -height)],
    )
    yield stroke(
        [
            (-base - 0.01, height - 0.2),
            (-base * 0.6, height + 0.02),
            (0, height + 0.07),
            (base * 0.6, height + 0.02),
            (base + 0.01, height - 0.2),
        ]
    )
    yield ellipse(PALE, (0, -height), (0.62, rim))
    yield ellipse(TRIM, (0, -height + 0.04), (0.5, rim * 0.66), weight=0.7)
    # A heart on the front.
    s, y = 0.24 + 0.04 * v[4], 0.02
    yield area(
        PALE,
        [(0, y - 0.4 * s), (-0.5 * s, y - s), (-1.05 * s, y - 0.6 * s), (-0.8 * s, y + 0.2 * s), (0, y + s)],
        [(0, y + s), (0.8 * s, y + 0.2 * s), (1.05 * s, y - 0.6 * s), (0.5 * s, y - s), (0, y - 0.4 * s)],
        weight=0.8,
    )
    for x in (-0.22, 0.02, 0.26):
        top = -height - rim - 0.1
        yield stroke([(x, top), (x + 0.07, top - 0.1), (x - 0.03, top - 0.22), (x + 0.05, top - 0.34)])


def teapot(v: np.ndarray) -> Iterator[Part]:
    rx, ry = 0.64 + 0.05 * v[0], 0.5 + 0.07 * v[1]
    lid = 0.12 + 0.04 * v[2]
    spout = -0.42 + 0.08 * v[3]
    reach = 1.02 + 0.06 * v[4]
    outer = [(-rx * 0.86, -0.24), (-0.86, -0.42), (-reach, -0.16), (-0.9, 0.2), (-rx * 0.8, 0.34)]
    inner = [(-rx * 0.86, 0.2), (-0.8, 0.1), (-reach + 0.16, -0.14), (-0.8, -0.27), (-rx * 0.9, -0.1)]
    yield area(TRIM, outer, [outer[-1], inner[0]], inner)
    yield area(
        COLOUR,
        [(rx * 0.7, 0.36), (0.82, 0.16), (0.88, -0.16), (1.08, spout)],
        [(1.08, spout), (0.92, spout - 0.04)],
        [(0.92, spout - 0.04), (0.74, -0.26), (0.62, -0.1), (rx * 0.7, -0.06)],
    )
    yield ellipse(PALE, (1.0, spout - 0.02), (0.09, 0.035), weight=0.7)
    yield area(
        TRIM,
        [(-0.34, ry - 0.04), (-0.38, ry + 0.1), (0.38, ry + 0.1), (0.34, ry - 0.04)],
    )
    yield area(
        COLOUR,
        [
            (-0.36, -ry + 0.06),
            (-rx * 0.86, -0.22),
            (-rx, 0.08),
            (-rx * 0.8, ry * 0.68),
            (-0.3, ry),
            (0.3, ry),
            (rx * 0.8, ry * 0.68),
            (rx, 0.08),
            (rx * 0.86, -0.22),
            (0.36, -ry + 0.06),
        ],
    )
    yield area(
        PALE,
        [(-rx * 0.99, 0.0), (-0.3, 0.13), (0.3, 0.13), (rx * 0.99, 0.0)],
        [(rx * 0.99, 0.0), (rx * 0.98, 0.14)],
        [(rx * 0.98, 0.14), (0.3, 0.28), (-0.3, 0.28), (-rx * 0.98, 0.14)],
        weight=0.7,
    )
    yield area(
        TRIM,
        [(-0.4, -ry + 0.08), (-0.28, -ry - lid), (0, -ry - lid - 0.06), (0.28, -ry - lid), (0.4, -ry + 0.08)],
        [(0.4, -ry + 0.08), (0, -ry + 0.15), (-0.4, -ry + 0.08)],
    )
    yield ellipse(PALE, (0, -ry - lid - 0.12), (0.1 + 0.02 * v[5], 0.09))


def t_shirt(v: np.ndarray) -> Iterator[Part]:
    chest, hem = 0.56 + 0.05 * v[0], 0.94 + 0.12 * v[1]
    sleeve, cuff = 1.04 + 0.06 * v[2], 0.0 + 0.12 * v[3]
    neck, depth = 0.26 + 0.04 * v[4], 0.2 + 0.08 * v[5]
    top = -0.86
    yield area(TRIM, [(-neck, top), (0, top - 0.06), (neck, top)], [(neck, top), (0, top + depth + 0.1), (-neck, top)])
    yield stroke([(-neck * 0.8, top + 0.06), (0, top + 0.05), (neck * 0.8, top + 0.06)], weight=0.5)
    yield area(
        COLOUR,
        [(-neck - 0.05, top - 0.01), (-0.62, top + 0.13), (-sleeve, cuff - 0.2)],
        [(-sleeve, cuff - 0.2), (-0.78, cuff + 0.02)],
        [(-0.78, cuff + 0.02), (-chest - 0.03, -0.26)],
        [(-chest - 0.03, -0.26), (-chest, 0.3), (-chest - 0.03, hem)],
        [(-chest - 0.03, hem), (0, hem + 0.05), (chest + 0.03, hem)],
        [(chest + 0.03, hem), (chest, 0.3), (chest + 0.03, -0.26)],
        [(chest + 0.03, -0.26), (0.78, cuff + 0.02)],
        [(0.78, cuff + 0.02), (sleeve, cuff - 0.2)],
        [(sleeve, cuff - 0.2), (0.62, top + 0.13), (neck + 0.05, top - 0.01)],
        [
            (neck + 0.05, top - 0.01),
            (neck * 0.7, top + depth),
            (0, top + depth + 0.12),
            (-neck * 0.7, top + depth),
            (-neck - 0.05, top - 0.01),
        ],
    )
    for side in (-1, 1):
        yield area(
            TRIM,
            [(side * (sleeve - 0.05), cuff - 0.32), (side * sleeve, cuff - 0.2)],
            [(side * sleeve, cuff - 0.2), (side * 0.78, cuff + 0.02)],
            [(side * 0.78, cuff + 0.02), (side * 0.73, cuff - 0.1)],
            weight=0.8,
        )
        yield stroke(
            [(side * (chest + 0.03), -0.26), (side * (chest - 0.04), -0.5), (side * 0.6, top + 0.13)], weight=0.6
        )
        yield stroke([(side * (chest - 0.02), 0.5), (side * (chest - 0.18), 0.62)], weight=0.6)
    yield stroke(
        [
            (-neck - 0.13, top + 0.02),
            (-neck * 0.9, top + depth + 0.04),
            (0, top + depth + 0.22),
            (neck * 0.9, top + depth + 0.04),
            (neck + 0.13, top + 0.02),
        ],
        weight=0.7,
    )
    yield stroke([(-chest, hem - 0.1), (0, hem - 0.05), (chest, hem - 0.1)], weight=0.6)
    angles = np.linspace(0, 2 * np.pi, 11) - np.pi / 2
    radii = np.where(np.arange(11) % 2, 0.11, 0.25 + 0.04 * v[6])
    star = np.stack([radii * np.cos(angles), 0.02 + radii * np.sin(angles)], axis=1)
    yield area(PALE, *[star[i : i + 2] for i in range(10)], weight=0.8)
