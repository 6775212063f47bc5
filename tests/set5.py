"""The five pictures by which super-resolution is compared, where they are there: they are nobody's to hand on."""

import pathlib

import numpy as np
import pytest
from PIL import Image

SET5 = pathlib.Path(__file__).parents[2] / "shared" / "data" / "set5"  # beside the project
needs_set5 = pytest.mark.skipif(not SET5.is_dir(), reason="needs the pictures of Set5")


def set5(scale: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By name, the picture and MATLAB's reduction of it, uint8; the picture is cut to `scale` times the other."""
    pictures = {}
    for path in sorted((SET5 / "HR").glob("*.png")):
        (small,) = (SET5 / "LR_bicubic" / f"X{scale}").glob(f"{path.stem}*.png")
        small = np.asarray(Image.open(small))
        rows, columns = (scale * side for side in small.shape[:2])
        pictures[path.stem] = np.asarray(Image.open(path))[:rows, :columns], small
    return pictures
