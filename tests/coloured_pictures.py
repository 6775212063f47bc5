"""Pictures whose right colours are known: made-up photographs, drawings, and what a colorization makes of either."""

import numpy as np
from scipy.ndimage import gaussian_filter

from datasets.shapes import ShapesSource
from gan_zoo.images import to_uint8
from gan_zoo.lab import lab_to_rgb, rgb_to_lab

SIZE = 96
BROWN = (8.0, 22.0)


def fields(seed: int) -> np.ndarray:
    """Lab of a made-up photograph: patches of one colour each, borders soft, under light that has its own forms."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0, SIZE, (7, 2))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    patches = np.argmin(np.hypot(rows[..., None] - centres[:, 0], columns[..., None] - centres[:, 1]), axis=-1)
    ab = gaussian_filter(random.uniform(-35, 35, (7, 2))[patches], (1, 1, 0))
    light = gaussian_filter(random.normal(size=(SIZE, SIZE)), 6)
    return np.concatenate([55 + 12 * light[..., None] / light.std(), ab], axis=-1)


def drawings(seed: int) -> np.ndarray:
    """Lab of a coloured drawing, on grey paper: sRGB has no brown white, so that on white even a brown shows forms."""
    image = ShapesSource("test", SIZE)[seed]["target_image"]
    return rgb_to_lab(image / 127.5 - 1.0).numpy() * [0.65, 1.0, 1.0] + [12.0, 0.0, 0.0]


def colorized(lab: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """What a file holds: L of the photograph and another ab, rounded and within sRGB."""
    return to_uint8(lab_to_rgb(np.concatenate([lab[..., :1], np.broadcast_to(ab, lab[..., 1:].shape)], -1))).numpy()
