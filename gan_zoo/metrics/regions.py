"""The coloured regions of an image: scikit-image's SLIC on its ab, and superpixels joined that hardly differ.

SLIC (Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods") starts from a regular
grid and, where there is no colour to follow, ends with it. Two grids agree with each other, and with whatever else
began as the same grid: a constant brown would then resemble the truth more than any coloured picture does. So adjacent
superpixels whose mean colours are near are joined, until none are; what is flat becomes one region.

All distances are in multiples of the image's own spread of ab (`ab_spread`): pale colours have the regions of vivid
ones, and how pale they are is for other measures to say. Below a spread of `LEAST_SPREAD` the distances stay what they
are in Lab, or the rounding of a grey picture would have regions too.

An image larger than `MAX_SIZE` is shrunk before. The answer is deterministic: nothing is drawn at random.
"""

from types import ModuleType

import numpy as np
from PIL import Image

from gan_zoo.errors import UserError
from gan_zoo.metrics.ab_spread import ab_of, ab_spread

MAX_SIZE = 256  # of the longer side
NUM_SUPERPIXELS = 100
SIGMA = 1.0  # of the Gaussian before, in pixels: photographs come as JPEG, whose chroma has steps
COMPACTNESS = 1.0  # one spread of colour weighs as much as one step of the grid
JOINED_BELOW = 0.5  # spreads between the means of two adjacent regions
LEAST_SPREAD = 8.0  # units of Lab
PROTOCOL = (
    f"at most {MAX_SIZE} px; ab divided by max(its spread, {LEAST_SPREAD:g}); SLIC with {NUM_SUPERPIXELS} segments, "
    f"sigma {SIGMA:g}, compactness {COMPACTNESS:g}; adjacent regions joined below {JOINED_BELOW:g}"
)


def scikit_image() -> ModuleType:
    """scikit-image with its `segmentation` and `measure`.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import skimage.measure
        import skimage.segmentation
    except ImportError:
        raise UserError(
            'regions need scikit-image, which is not installed: pip install --editable ".[metrics]" in the clone, '
            'or pip install "gan_zoo[metrics]"'
        ) from None
    return skimage


def regions_of_image(image: np.ndarray) -> np.ndarray:
    """The regions of a photograph or of a prediction.

    Args:
        image: `[H, W, 3]` uint8.

    Returns:
        `[h, w]` int64 from 0 without gaps, of `shrunk_size(H, W)`.

    Raises:
        ValueError: for another shape or type.
        UserError: without scikit-image.
    """
    size = shrunk_size(*image.shape[:2])
    if size != image.shape[:2]:
        image = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))
    return regions(ab_of(image))


def regions_of_mask(mask: np.ndarray) -> np.ndarray:
    """The regions of a label map: each connected piece (by sides, not corners) of each label is one.

    Args:
        mask: `[H, W]` integers; no label is special.

    Returns:
        As `regions_of_image`; shrunk by the nearest pixel.
    """
    mask = resized_labels(np.asarray(mask, np.int64), shrunk_size(*mask.shape))
    return scikit_image().measure.label(mask - mask.min(), background=-1, connectivity=1).astype(np.int64) - 1


def regions(ab: np.ndarray) -> np.ndarray:
    """The regions of a and b as they are, not shrunk.

    Args:
        ab: `[H, W, 2]` float, in units of Lab.

    Returns:
        `[H, W]` int64 from 0 without gaps.

    Raises:
        UserError: without scikit-image.
    """
    ab = np.asarray(ab, np.float64)
    ab = ab / max(float(ab_spread(ab)), LEAST_SPREAD)
    extent = float(ab.max() - ab.min())
    if extent == 0.0:
        return np.zeros(ab.shape[:2], np.int64)
    superpixels = scikit_image().segmentation.slic(
        ab,
        n_segments=NUM_SUPERPIXELS,
        # slic stretches what it is given to [0, 1], by the extremes over both channels: this takes it back.
        compactness=COMPACTNESS / extent,
        sigma=SIGMA,
        convert2lab=False,
        start_label=0,
        channel_axis=-1,
    )
    return joined(ab, superpixels, JOINED_BELOW)


def joined(ab: np.ndarray, labels: np.ndarray, threshold: float) -> np.ndarray:
    """Joins the two adjacent regions whose mean colours are nearest, again and again, while they are below `threshold`.

    Args:
        ab: `[H, W, 2]`.
        labels: `[H, W]` integers from 0.
        threshold: Euclidean distance of mean colours.

    Returns:
        `[H, W]` int64 from 0 without gaps.
    """
    count = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
    sums = np.stack([np.bincount(labels.ravel(), channel.ravel(), count) for channel in np.moveaxis(ab, -1, 0)], axis=1)
    means = sums / np.maximum(areas, 1.0)[:, np.newaxis]
    adjacent = np.zeros((count, count), bool)
    for one, other in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        adjacent[one, other] = adjacent[other, one] = True
    np.fill_diagonal(adjacent, False)
    distances = np.where(adjacent, np.linalg.norm(means[:, np.newaxis] - means, axis=-1), np.inf)
    owner = np.arange(count)
    while True:
        kept, gone = np.unravel_index(np.argmin(distances), distances.shape)
        if not distances[kept, gone] < threshold:
            break
        owner[owner == gone] = kept
        areas[kept] += areas[gone]
        sums[kept] += sums[gone]
        means[kept] = sums[kept] / areas[kept]
        neighbours = adjacent[kept] | adjacent[gone]
        neighbours[[kept, gone]] = False
        adjacent[gone] = adjacent[:, gone] = False
        distances[gone] = distances[:, gone] = np.inf
        adjacent[kept] = adjacent[:, kept] = neighbours
        distances[kept] = np.where(neighbours, np.linalg.norm(means - means[kept], axis=-1), np.inf)
        distances[:, kept] = distances[kept]
    return np.unique(owner[labels], return_inverse=True)[1].reshape(labels.shape).astype(np.int64)


def shrunk_size(height: int, width: int) -> tuple[int, int]:
    """The size at which regions are looked for."""
    scale = min(1.0, MAX_SIZE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized_labels(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`[H, W]` -> `[height, width]`, each pixel the one that lies nearest."""
    if labels.shape == size:
        return labels
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, labels.shape, strict=True))
    return labels[np.ix_(rows, columns)]
