"""Curves as SVG text that stands inside a page: no library, no script, colours from the page's own style.

What the page's style has to say: `.grid` `.axis` `.line` `.error` `.dot` `.best` and the texts `.tick` `.mark`.
"""

import html
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 320, 184  # of the drawing, in its own units: CSS pixels where the page shows it in its own size
LEFT, RIGHT, TOP, BOTTOM = 46, 306, 20, 150  # of the box that the curve stays in
MARGIN = 0.2  # share of the values' range that is left free above and below: the best one's text stands there


class Point(NamedTuple):
    """A value at a step, and its standard error where it has one."""

    step: float
    value: float | None
    error: float | None = None


def line_chart(points: Iterable[Point], *, label: str, unit: str = "", better: str = "none") -> str:
    """Draws a curve over steps, a dot and a bar of the standard error at each point, and marks the best one.

    Args:
        points: in any order; those whose value is None, nan or infinite are left out.
        label: what the curve shows, for those who hear the page read.
        unit: of the values; it stands above the axis.
        better: "higher", "lower", or "none" where no point is marked.

    Returns:
        An `svg` element of `WIDTH` times `HEIGHT` units; "" where no point is left.
    """
    kept = sorted(point for point in points if _is_finite(point.value) and _is_finite(point.step))
    if not kept:
        return ""
    best = best_point(kept, better)
    errors = [point.error if _is_finite(point.error) else 0.0 for point in kept]
    low, high = _padded(
        min(point.value - error for point, error in zip(kept, errors, strict=True)),
        max(point.value + error for point, error in zip(kept, errors, strict=True)),
    )
    first, last = kept[0].step, kept[-1].step

    def x_of(step: float) -> float:
        return LEFT + (RIGHT - LEFT) * ((step - first) / (last - first) if last > first else 0.5)

    def y_of(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)

    parts = []
    for tick, text in zip(*_labelled(low, high), strict=True):
        y = y_of(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.2f}H{RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.2f}" text-anchor="end">{text}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>')
    for tick in ticks(first, last) if last > first else [first]:
        x = x_of(tick)
        parts.append(f'<path class="axis" d="M{x:.2f} {BOTTOM}v4"/>')
        parts.append(f'<text class="tick" x="{x:.2f}" y="{BOTTOM + 16}" text-anchor="middle">{short_step(tick)}</text>')
    parts.append(
        f'<text class="tick" x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 3}" text-anchor="middle">training step</text>'
    )
    if unit:
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{TOP - 9}" text-anchor="end">{escaped(unit)}</text>')
    for point, error in zip(kept, errors, strict=True):
        if error:
            x, down = x_of(point.step), y_of(point.value - error)
            parts.append(f'<path class="error" d="M{x:.2f} {down:.2f}V{y_of(point.value + error):.2f}"/>')
    places = " ".join(f"{x_of(point.step):.2f},{y_of(point.value):.2f}" for point in kept)
    parts.append(f'<polyline class="line" points="{places}"/>')
    for point in kept:
        said = f"step {point.step:,.0f}: {_with_unit(point.value, unit)}" + (", the best" if point is best else "")
        size, kind = (5, "dot best") if point is best else (3, "dot")
        place = f'cx="{x_of(point.step):.2f}" cy="{y_of(point.value):.2f}" r="{size}"'
        parts.append(f'<circle class="{kind}" {place}><title>{escaped(said)}</title></circle>')
    if best is not None:
        above = better == "higher"  # where the curve does not come from
        parts.append(_mark(x_of(best.step), y_of(best.value) + (-9 if above else 17), number(best.value)))
    said = escaped(_read_aloud(kept, best, label, unit))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def best_point(points: Sequence[Point], better: str) -> Point | None:
    """The first of the points with the best value; None where nothing says what is better, or nothing is there."""
    points = [point for point in points if _is_finite(point.value)]
    if better not in ("higher", "lower") or not points:
        return None
    return (max if better == "higher" else min)(points, key=lambda point: point.value)


def ticks(low: float, high: float) -> list[float]:
    """Three to eight round numbers from `low` to `high` > `low`: multiples of 1, 2 or 5 times a power of ten."""
    power = math.floor(math.log10(high - low))
    for step in (times * 10.0**exponent for exponent in (power, power - 1) for times in (5, 2, 1)):
        # A ten millionth of a step of tolerance: a limit that is a round number itself is one but for rounding.
        first, last = math.ceil(low / step - 1e-7), math.floor(high / step + 1e-7)
        if last - first >= 2:
            return [place * step for place in range(first, last + 1)]
    raise AssertionError("a tenth of a span holds at least nine multiples of a hundredth")  # pragma: no cover


def number(value: float, digits: int = 4) -> str:
    """So many significant digits, thousands set apart: `20.31`, `0.4021`, `12,345`, `3.1e-07`."""
    if value == 0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e7:
        return _signed(f"{value:.2g}")
    return _signed(f"{value:,.{max(0, digits - 1 - math.floor(math.log10(size)))}f}")


def escaped(text: object) -> str:
    """Any text as text of HTML, also inside quotes: file names may hold anything, even what is no Unicode."""
    safe = str(text).encode("utf-8", "replace").decode()
    return html.escape("".join(letter if letter.isprintable() else "\ufffd" for letter in safe), quote=True)


def short_step(step: float) -> str:
    """`500`, `12.5k`, `1.2M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if step >= size:
            return f"{step / size:.4g}{letter}"
    return f"{step:.4g}"


def _labelled(low: float, high: float) -> tuple[list[float], list[str]]:
    """Ticks, and their texts with as many decimals as tell them apart."""
    places = ticks(low, high)
    gap = min((later - earlier for earlier, later in itertools.pairwise(places)), default=1.0)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9))
    large = max(abs(place) for place in places)
    if decimals > 4 or large >= 1e5:
        return places, [_signed(f"{place:.3g}") for place in places]
    return places, [_signed(f"{place:.{decimals}f}") for place in places]


def _padded(low: float, high: float) -> tuple[float, float]:
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):  # equal but for rounding
        span = abs(high) or 1.0
    return low - MARGIN * span, high + MARGIN * span


def _mark(x: float, y: float, text: str) -> str:
    """A text that stays inside the box."""
    anchor = "start" if x < LEFT + 40 else "end" if x > RIGHT - 40 else "middle"
    return f'<text class="mark" x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{text}</text>'


def _read_aloud(points: Sequence[Point], best: Point | None, label: str, unit: str) -> str:
    ends = f"from {_with_unit(points[0].value, unit)} at step {points[0].step:,.0f}"
    ends += f" to {_with_unit(points[-1].value, unit)} at step {points[-1].step:,.0f}"
    if best is None:
        return f"{label} {ends}"
    return f"{label} {ends}; the best is {_with_unit(best.value, unit)} at step {best.step:,.0f}"


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def _signed(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
