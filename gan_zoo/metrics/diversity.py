"""How different the samples of one input are, as BicycleGAN measured it; any distance between images will do.

Zhu et al. 2017 (arXiv 1711.11586, section 5.1): 100 inputs, 20 samples of each, the LPIPS distances of the 19 pairs of
consecutive samples, and the mean of all 1900. The authors' figures are of version 0.0 of LPIPS; another version, or
another trunk, gives other ones. Random pairs of real images, of any inputs, are the ceiling. A model that ignores its
noise scores 0; but artefacts that change with the noise score too, so a high figure alone is no praise.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gan_zoo.errors import UserError

# `[B, H, W, C]`, `[B, H, W, C]` -> `[B]`
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
BATCH_SIZE = 16  # pairs that are in memory at once


def sample_diversity(samples: np.ndarray, distance: Distance) -> float:
    """The mean distance of consecutive samples of one input.

    Args:
        samples: `[N, H, W, C]`, in the order in which they were drawn.
        distance: of pairs of images.

    Returns:
        The mean of N - 1 distances; the model's figure is the mean over inputs, all with the same N.

    Raises:
        UserError: for fewer than 2 samples.
    """
    if len(samples) < 2:
        raise UserError(f"diversity is measured between samples: at least 2 are needed, {len(samples)} given")
    return float(np.mean(distance(samples[:-1], samples[1:]), dtype=np.float64))


def random_pairs(num_images: int, num_pairs: int, seed: int) -> np.ndarray:
    """Draws pairs of different images, each pair independently of the others: for the distance of real images.

    Returns:
        `[num_pairs, 2]` int64, indices below `num_images`; the first ones are the same for any `num_pairs`.

    Raises:
        UserError: for fewer than 2 images.
    """
    if num_images < 2:
        raise UserError(f"pairs of real images need at least 2 of them, {num_images} given")
    draws = np.random.default_rng(seed).integers([num_images, num_images - 1], size=(num_pairs, 2))
    first, other = draws.T
    return np.stack([first, other + (other >= first)], axis=1)


def real_diversity(images: Sequence[np.ndarray], distance: Distance, num_pairs: int, seed: int) -> float:
    """The mean distance of random pairs of real images: the ceiling of `sample_diversity`.

    Args:
        images: `[H, W, C]` each, of one size, by index; read when they are needed.
        distance: as for the samples.
        num_pairs: 1900 for as many as the samples have.
        seed: of the pairs.

    Raises:
        UserError: for fewer than 2 images.
    """
    pairs = random_pairs(len(images), num_pairs, seed)
    distances = [
        distance(*(np.stack([images[index] for index in side]) for side in pairs[start : start + BATCH_SIZE].T))
        for start in range(0, num_pairs, BATCH_SIZE)
    ]
    return float(np.mean(np.concatenate(distances), dtype=np.float64))
