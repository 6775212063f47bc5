"""What a drawing is made of: areas and strokes in a plane where the thing is about 2 wide, x to the right, y down."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

Point = tuple[float, float]
Piece = Sequence[Point]  # control points of a curve

# What a part is made of: line, coloured, darker coloured, nearly white, nothing (the background shows).
INK, COLOUR, TRIM, PALE, HOLE = range(5)

_SAMPLES = 8  # points on a curve between two of its control points
_ANGLES = np.linspace(0, 2 * np.pi, 33)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclasses.dataclass(frozen=True)
class Part:
    """One painted area or stroke.

    Attributes:
        points: `[N, 2]` float, the area's boundary or the stroke's course.
        corners: `[M, 2]` points of it where a round pen tip must close the corner.
        material: one of the constants above; None for a stroke, which has no area.
        weight: width of the stroke (of the outline, for an area) in units of the drawing's line width; 0 for none.
    """

    points: np.ndarray
    corners: np.ndarray
    material: int | None
    weight: float


@functools.cache
def _curve_matrix(lengths: tuple[int, ...]) -> np.ndarray:
    """The matrix that takes the control points of several pieces to the samples of their Catmull-Rom curves."""
    t = (np.arange(_SAMPLES) / _SAMPLES)[:, None]
    basis = 0.5 * np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2])
    blocks, start = [], 0
    for length in lengths:
        points = np.eye(sum(lengths))[start : start + length]
        start += length
        if length == 2:
            blocks.append(points)
            continue
        padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
        blocks += [basis @ padded[i : i + 4] for i in range(length - 1)]
        blocks.append(points[-1:])
    return np.vstack(blocks)


def _part(pieces: Sequence[Piece], material: int | None, weight: float) -> Part:
    lengths = tuple(map(len, pieces))
    control = np.array([point for piece in pieces for point in piece])
    corners = np.array([piece[0] for piece in pieces] + [pieces[-1][-1]])
    return Part(_curve_matrix(lengths) @ control, corners, material, weight)


def area(material: int, *pieces: Piece, weight: float = 1.0) -> Part:
    """An area whose boundary is made of smooth pieces that meet in corners; a piece of two points is straight."""
    return _part((*pieces, [pieces[-1][-1], pieces[0][0]]), material, weight)


def stroke(*pieces: Piece, weight: float = 0.7) -> Part:
    return _part(pieces, None, weight)


def ellipse(material: int, centre: Point, radii: Point, weight: float = 1.0) -> Part:
    points = _CIRCLE * radii + centre
    return Part(points, points[:0], material, weight)


def between(start: Point, end: Point, t: float) -> Point:
    return start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])
