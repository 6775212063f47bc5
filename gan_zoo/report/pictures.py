"""Pictures in a page that needs no other file: as data in it, beside each other, with their names."""

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from gan_zoo.grids import shown_note, to_shown
from gan_zoo.images import encode_png, to_channels
from gan_zoo.report.charts import escaped, number
from gan_zoo.report.gallery import Gallery, Row

LONGEST = 256  # pixels of the longer side; what is larger is scaled down
LOSSLESS_BYTES = 24_000  # up to here a picture is stored as it is: label maps, drawings, small photos
QUALITY = 90  # of WebP for what is larger
COARSE = 100  # pixels: a smaller picture is shown by its pixels, not smoothed
MANY = 5  # pictures of a row that is too wide for two rows side by side


def breakable(name: object) -> str:
    """A name as text of HTML that may go on in the next line after each underscore and slash."""
    return re.sub(r"([_/])(?=.)", r"\1<wbr>", escaped(name))


def data_uri(image: np.ndarray) -> str:
    """`[H, W, C]` uint8, shown as `gan_zoo.grids.to_shown` has it, as it is or as WebP, whichever suits."""
    picture = to_shown(scaled_down(image))
    data, kind = encode_png(picture), "png"
    if len(data) > LOSSLESS_BYTES:
        buffer = io.BytesIO()
        Image.fromarray(to_channels(picture, 3)).save(buffer, format="WEBP", quality=QUALITY)
        data, kind = buffer.getvalue(), "webp"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def scaled_down(image: np.ndarray) -> np.ndarray:
    """`[H, W, C]` uint8, its longer side at most `LONGEST`; of the same C, or what is shown of it if it was larger."""
    height, width = image.shape[:2]
    if max(height, width) <= LONGEST:
        return image
    image = to_shown(image)
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    size = [max(round(side * LONGEST / max(height, width)), 1) for side in (width, height)]
    return np.atleast_3d(np.asarray(picture.resize(size, Image.Resampling.BICUBIC)))


def extremes(gallery: Gallery) -> str:
    """The best and the worst examples; "" where nothing ranks them."""
    most = max((len(row.pictures) for row in (*gallery.best, *gallery.worst)), default=0)
    kind = "pair" if most <= MANY else "pair wide"
    blocks = [
        f"<section><h4>{title}</h4>{rows(chosen, gallery.ranked_by)}</section>"
        for title, chosen in (("The best", gallery.best), ("The worst", gallery.worst))
        if chosen
    ]
    return f'<div class="{kind}">{"".join(blocks)}</div>' if blocks else ""


def rows(chosen: Sequence[Row], ranked_by: str) -> str:
    """Examples below each other, or two and two where there is room, each with its value if something ranks them."""
    most = max(len(row.pictures) for row in chosen)
    kind = "rows" if most > MANY else "rows narrow"
    return f'<div class="{kind}">{"".join(_row(row, ranked_by) for row in chosen)}</div>'


def _row(row: Row, ranked_by: str) -> str:
    name = escaped(row.name)
    value = f'<span class="quiet">{escaped(ranked_by)} {number(row.value)}</span>' if row.value is not None else ""
    cells = []
    for key, image in row.pictures.items():
        title = escaped(f"{key}{shown_note(image.shape[-1])}")
        height, width = image.shape[:2]
        coarse = ' class="coarse"' if max(height, width) < COARSE else ""
        cells.append(
            f'<figure><img{coarse} src="{data_uri(image)}" alt="{title} of {name}" width="{width}" height="{height}">'
            f"<figcaption>{title}</figcaption></figure>"
        )
    strip = f'<div class="strip" style="--n:{len(cells)}">{"".join(cells)}</div>'
    return f'<article class="card"><header><bdi>{name}</bdi>{value}</header>{strip}</article>'
