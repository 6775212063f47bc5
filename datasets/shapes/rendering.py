"""From parts to pixels: the outline is drawn once; the line drawing and the coloured picture are both made of it."""

import colorsys
import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.shapes.parts import COLOUR, INK, TRIM, Part

HUES = (0.0, 50.0, 130.0, 185.0, 240.0, 305.0)  # degrees: red, yellow, green, cyan, blue, magenta
_BRIGHTNESS = (1.04, 1.25, 0.88, 0.96, 1.08, 0.98)  # so that green is no neon and yellow no olive
TEXTURES = ("plain", "stripes", "dots", "checks")

_LINE_WIDTH = 0.016  # of the image's side
_SHADING_SIZE = 64  # light is soft: it is computed on a small picture and enlarged
# One drawing surface holds all materials, a channel each (the letters of "CMYK" mean nothing here). Each paint replaces
# what was below it, so the channels share each pixel out, and scaling down turns them into antialiased coverage.
_PAINTS = [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)]


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where a drawing lies on its canvas.

    Attributes:
        angle: radians, positive turns clockwise on the screen.
        mirrored: left and right exchanged.
        extent: the longer side of the drawing as a share of the canvas.
        place: `[2]`, in [0, 1]: how far right and down it lies between the margins.
    """

    angle: float
    mirrored: bool
    extent: float
    place: np.ndarray


@dataclasses.dataclass(frozen=True)
class Colouring:
    """Everything about a picture that its outline does not say.

    Attributes:
        hue: index into `HUES`.
        texture: index into `TEXTURES`.
        tone: `[2]`, in [0, 1]: how deep and how bright the colour is.
        angle: radians, direction of stripes, dots and checks.
        period: of the texture, as a share of the canvas.
        phase: `[2]`, in [0, 1]: shift of the texture in periods.
    """

    hue: int
    texture: int
    tone: np.ndarray
    angle: float
    period: float
    phase: np.ndarray


def draw(parts: Sequence[Part], pose: Pose, size: int) -> np.ndarray:
    """Returns the share of INK, COLOUR, TRIM and PALE in each pixel: `[size, size, 4]` float32, their sum at most 1."""
    scale = 4 if size <= 160 else 3 if size <= 320 else 2
    canvas = size * scale
    points = np.vstack([array for part in parts for array in (part.points, part.corners)])
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    mirror = -1 if pose.mirrored else 1
    points = points @ np.array([[mirror * cos, mirror * sin], [-sin, cos]])
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = canvas * pose.extent / (high - low).max()
    margin = canvas * 0.04
    free = canvas - 2 * margin - zoom * (high - low)
    points = ((points - low) * zoom + margin + free * pose.place).round(1)

    image = Image.new("CMYK", (canvas, canvas))
    pen = ImageDraw.Draw(image)
    start = 0
    for part in parts:
        middle, end = start + len(part.points), start + len(part.points) + len(part.corners)
        course = points[start:middle].ravel().tolist()
        if part.material is not None:
            pen.polygon(course, fill=_PAINTS[part.material])
        if part.weight:
            width = max(_LINE_WIDTH * size, 1.25) * scale * part.weight
            pen.line(course, fill=_PAINTS[INK], width=round(width))
            radius = round(width) / 2 - 0.25
            for x, y in points[middle:end].tolist():
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_PAINTS[INK])
        start = end
    return np.asarray(image.reduce(scale), np.float32) / 255


def line_drawing(coverage: np.ndarray) -> np.ndarray:
    """`draw`'s coverage -> `[H, W, 1]` uint8: dark lines on white."""
    return np.uint8(255 - 235 * coverage[..., INK : INK + 1] + 0.5)


def foreground(coverage: np.ndarray) -> np.ndarray:
    """`draw`'s coverage -> `[H, W]` bool: the pixels that are coloured, lines and nearly white parts left out."""
    return coverage[..., COLOUR] + coverage[..., TRIM] > 0.75


def coloured_picture(coverage: np.ndarray, colouring: Colouring) -> np.ndarray:
    """`draw`'s coverage -> `[H, W, 3]` uint8 on white. Light and texture change saturation and value, never the hue."""
    light, shadow = _light(coverage)
    pattern = _texture(coverage.shape[0], colouring)
    depth, brightness = colouring.tone.tolist()  # plain floats keep the arithmetic in float32
    # Patterned cloth is lighter and less saturated where the pattern is; a highlight likewise.
    highlight = np.maximum(light, 0)
    shade = np.maximum(-light, 0)
    saturation = (0.68 + 0.14 * depth) * (1 - 0.4 * pattern) * (1 - 0.35 * highlight) + 0.1 * shade
    value = (0.78 + 0.12 * brightness) * _BRIGHTNESS[colouring.hue] + 0.12 * pattern
    value = np.minimum(value * (1 - 0.4 * shade) + 0.12 * highlight, 1)
    trim_saturation = 0.76 - 0.25 * highlight
    trim_value = (0.56 + 0.08 * brightness) * _BRIGHTNESS[colouring.hue] * (1 - 0.35 * shade) + 0.2 * highlight
    ink, colour, trim, pale = np.ascontiguousarray(np.moveaxis(coverage, -1, 0))
    background = (1 - ink - colour - trim - pale) * (1 - shadow)
    # A pixel is a grey share and a share of the pure hue; the lines are a very dark tone of it.
    vivid = 0.1 * ink + colour * value * saturation + trim * trim_value * trim_saturation
    total = 0.16 * ink + pale * (0.96 - 0.2 * shade) + background + colour * value + trim * trim_value
    picture = np.empty((*ink.shape, 3), np.uint8)
    for channel, pure in enumerate(_pure(HUES[colouring.hue])):
        picture[..., channel] = np.minimum(total - (1 - pure) * vivid, 1) * 255 + 0.5
    return picture


def _pure(hue: float) -> tuple[float, float, float]:
    """Red, green and blue in [0, 1] of the colour of full saturation and value with this hue in degrees."""
    return colorsys.hsv_to_rgb(hue / 360, 1.0, 1.0)


def _light(coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The light on a body that bulges towards us, in [-1, 1], and the shadow below it, in [0, 1], `[H, W]` each."""
    size = coverage.shape[0]
    body = Image.fromarray(np.uint8(255 * np.minimum(coverage.sum(axis=-1), 1) + 0.5))
    small = body.resize((_SHADING_SIZE, _SHADING_SIZE), Image.Resampling.BOX)
    bulge = np.asarray(small.filter(ImageFilter.GaussianBlur(_SHADING_SIZE / 16)), np.float32) / 255
    # From above, a little from the left.
    slope = np.zeros_like(bulge)
    slope[1:-1] += 0.9 * (bulge[2:] - bulge[:-2])
    slope[:, 1:-1] += 0.45 * (bulge[:, 2:] - bulge[:, :-2])
    light = np.tanh(4.5 * slope)
    shadow = np.zeros_like(bulge)
    shadow[3:] = 0.18 * bulge[:-3] ** 2
    enlarge = [Image.fromarray(array).resize((size, size), Image.Resampling.BILINEAR) for array in (light, shadow)]
    return np.asarray(enlarge[0]), np.asarray(enlarge[1])


def _texture(size: int, colouring: Colouring) -> np.ndarray | float:
    """How much of the lighter tone each pixel has: `[H, W]` float32 in [0, 1], or 0."""
    name = TEXTURES[colouring.texture]
    if name == "plain":
        return 0.0
    ramp = np.arange(size, dtype=np.float32) / (size * colouring.period)
    cos, sin = np.float32(np.cos(colouring.angle)), np.float32(np.sin(colouring.angle))
    u = cos * ramp + sin * ramp[:, None] + np.float32(colouring.phase[0])
    # The edge of a pattern is one pixel wide.
    sharpness = np.float32(size * colouring.period)

    def band(position: np.ndarray, share: float) -> np.ndarray:
        distance = share / 2 - np.abs(position - np.round(position))
        return np.clip(distance * sharpness + 0.5, 0, 1)

    if name == "stripes":
        return band(u, 0.5)
    v = cos * ramp[:, None] - sin * ramp + np.float32(colouring.phase[1])
    if name == "checks":
        return (band(u, 0.5) + band(v, 0.5)) / 2
    row = np.round(v)
    along = u + row / 2
    distance = np.sqrt((along - np.round(along)) ** 2 + (v - row) ** 2)
    return np.clip((0.27 - distance) * sharpness + 0.5, 0, 1)
