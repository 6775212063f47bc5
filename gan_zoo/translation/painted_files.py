"""Picture files through trained translators, into a folder of their answers and a contact sheet."""

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tensorflow as tf
from PIL import Image

from gan_zoo.data.array_files import size_of_file, write_npy
from gan_zoo.data.picture_files import EVERYBODYS_TROUBLE, SHEET_FILE, output_names, read_file, read_hints
from gan_zoo.data.reading import Reading
from gan_zoo.grids import image_grid, shown_note, to_shown
from gan_zoo.images import PICTURE_CHANNELS, BadImage, to_channels, write_png, write_whole
from gan_zoo.translation.contact_sheet import ContactSheet
from gan_zoo.translation.painting import Painter

FRAME_MILLISECONDS = 80
_NO_PART_OF_A_NAME = r"[^\w.+-]"  # of a file


def paint_files(
    files: Sequence[Path],
    painters: Sequence[Painter],
    output: str | os.PathLike[str],
    report: Callable[[str], None] = print,
    hints: Mapping[Path, Path] = MappingProxyType({}),
    *,
    root: Path | None = None,
    complain: Callable[[Path, str], None] = lambda file, reason: None,
) -> dict[Path, str]:
    """Writes what the painters make of each file, and the contact sheet of the first of them, into `output`.

    `<name>_sample_1.png` and so on, or `<name>_translation.png` where there is one answer; `<name>_encoded.png`,
    `<name>_cycled.png`, `<name>_attention.png`, `<name>_interpolation.png` and `.webp`; of a model that takes labels
    `<name>_<label>.png`; of a model that goes several ways `<name>_a_to_b.png` and `<name>_a_to_b_cycled.png`; with
    several painters in a folder each, named by its title. What has not the 1, 3 or 4 channels of a picture is written
    as `.npy`; sheet and interpolations show its first channels and say so.

    Args:
        files: of `find_images`.
        painters: at least one, with different titles.
        output: a folder, made if it is missing.
        report: gets a line a file and, at the end, where the sheet is.
        hints: of `find_hints`: by picture, the file with a user's hints for it, if there is one.
        root: the folder below which the files keep their places in `output`; None for all in one.
        complain: gets each file that could not be translated, and why, as soon as that is known.

    Returns:
        The files that could not be translated, with the reason. If that is all of them, there is no sheet.

    Raises:
        OSError: if the disk or the folder takes no files at all.
    """
    output = Path(output)
    styles = (painter.style for painter in painters if painter.style is not None)
    of_grey = all(painter.translator.chroma is not None for painter in painters)
    sheet = ContactSheet([painter.title for painter in painters], next(styles, None), of_grey=of_grey)
    bad: dict[Path, str] = {}

    def refuse(file: Path, reason: object) -> None:
        bad[file] = str(reason)
        complain(file, bad[file])

    places = [file.relative_to(root) if root else Path(file.name) for file in files]
    for number, (file, name) in enumerate(zip(files, output_names(places), strict=True), start=1):
        try:
            data = read_file(file)
            size = size_of_file(file, data)
            for painter in painters:
                painter.check_size(*size)
            images: dict[Reading, np.ndarray] = {}  # runs may read one file in several ways
            for painter in painters:
                if painter.reading not in images:
                    images[painter.reading] = painter.reading.decode(file, data)
                painter.fitted(images[painter.reading])
            its_hints = read_hints(hints[file], size) if file in hints else None
        except BadImage as error:
            refuse(file, error)
            continue
        folders = [output / painter.title if len(painters) > 1 else output for painter in painters]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        shown = file.relative_to(root).as_posix() if root else file.name
        try:
            stems = [folder / name for folder in folders]
            for stem in stems:
                stem.parent.mkdir(parents=True, exist_ok=True)
            pairs = zip(painters, stems, strict=True)
            cells = [_paint(painter, images[painter.reading], shown, stem, its_hints) for painter, stem in pairs]
        except (tf.errors.ResourceExhaustedError, MemoryError):
            refuse(file, f"not enough memory to translate {size[1]}x{size[0]} pixels")
            continue
        except OSError as error:
            if error.errno in EVERYBODYS_TROUBLE:
                raise
            refuse(file, f"its translations cannot be written: {error.strerror or error}")
            continue
        sheet.add(painters[0].shown(images[painters[0].reading]), cells, its_hints)
        del cells, images  # of a large picture, before the next one
        report(f"[{number}/{len(files)}] {shown}")
    if len(bad) < len(files):
        write_png(output / SHEET_FILE, sheet.picture())
        report(f"contact sheet: {output / SHEET_FILE}")
    return bad


def _paint(
    painter: Painter, image: np.ndarray, name: str, stem: Path, hints: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Writes what `painter` makes of a picture to files whose paths begin with `stem`; returns the translations."""
    translations = painter.translations(image, name, hints)
    for title, filled in translations.items():
        translation = painter.as_in_files(title, filled)
        # A title may be the name of a label, which the file of a run says: no path is to come of it.
        name_of_it = f"{stem.name}_{re.sub(_NO_PART_OF_A_NAME, '_', title)}"
        if translation.shape[-1] in PICTURE_CHANNELS:
            write_png(stem.with_name(f"{name_of_it}.png"), translation)
        else:
            write_npy(stem.with_name(f"{name_of_it}.npy"), translation)
    if frames := painter.frames(image, name):
        title = shown_note(frames[0].shape[-1]).strip()
        write_png(stem.with_name(f"{stem.name}_interpolation.png"), image_grid([frames], [title] if title else []))
        write_animation(stem.with_name(f"{stem.name}_interpolation.webp"), frames)
    return translations


def write_animation(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Writes frames `[H, W, C]` uint8, as they are shown, as an animated WebP that runs there and back without end."""
    pictures = [Image.fromarray(to_channels(to_shown(frame), 3)) for frame in (*frames, *frames[-2:0:-1])]
    data = io.BytesIO()
    first, *others = pictures
    first.save(data, "WEBP", save_all=True, append_images=others, duration=FRAME_MILLISECONDS, loop=0, quality=90)
    write_whole(path, data.getvalue())
