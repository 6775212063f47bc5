"""How different the samples of one input are, as BicycleGAN measured it; any distance between images will do.

Zhu et al. 2017 (arXiv 1711.11586, section 5.1): 100 inputs, 20 samples of each, the LPIPS distances of the 19 pairs of
consecutive samples, and the mean of all 1900. The authors' figures are of version 0.0 of LPIPS; another version, or
another trunk, gives other ones. Random pairs of real images, of any inputs, are the ceiling. A model that ignores its
noise scores 0; but artefacts that change with the noise score too, so a high figure alone is no praise.

`sample_distance` is the same with the mean absolute difference (`gan_zoo.metrics.l1`) for the distance: it needs
nobody's weights, and shows whether the noise does anything, not whether anyone would see it.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.metrics import lpips
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, ImageMean, MetricDefinition
from gan_zoo.metrics.l1 import l1

# `[B, H, W, C]`, `[B, H, W, C]` -> `[B]`
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
BATCH_SIZE = 16  # pairs that are in memory at once
REAL_IMAGES = 100  # that pairs are drawn from: as many as the paper has inputs; they stay in memory
REAL_PAIRS = 1900  # at most, and no more than there are pairs of samples: as in the paper


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


class RealImages:
    """A random choice of at most `REAL_IMAGES` of all images of one size that stream by; each has the same chance.

    Vitter 1985, algorithm R: which ones depends on their order and on the seed, not on the batches.
    """

    def __init__(self, seed: int) -> None:
        self.images: list[np.ndarray] = []
        self._random = np.random.default_rng(seed)
        self._shape: tuple[int, ...] | None = None
        self._seen = 0

    def add(self, image: np.ndarray) -> None:
        """Takes `[H, W, C]`, if it has the size of the first one."""
        if self._shape is None:
            self._shape = image.shape
        if image.shape != self._shape:
            return
        self._seen += 1
        if self._seen <= REAL_IMAGES:
            self.images.append(image.copy())  # a view would keep its whole batch in memory
        elif (place := int(self._random.integers(self._seen))) < REAL_IMAGES:
            self.images[place] = image.copy()


class Diversity(ImageMean):
    """The mean distance of consecutive samples, beside that of pairs of real images: of the truth, else the reference.

    Args:
        name: of the figure; that of the real pairs is `name/real`.
        distance: of pairs of images.
        what: the distance in words.
        context: where real images are found, and the seed of their pairs.
        weights_sha256: what `distance` stands on.
    """

    def __init__(
        self, name: str, distance: Distance, what: str, context: Context, weights_sha256: str | None = None
    ) -> None:
        super().__init__(
            name,
            lambda batch: np.array([sample_diversity(samples, distance) for samples in batch.samples]),
            needs=frozenset({"samples"}),
            better="higher",
            protocol=f"mean {what} of consecutive samples, {{num_samples}} of each input",
            weights_sha256=weights_sha256,
        )
        self._distance, self._what, self._context = distance, what, context
        self._real = RealImages(context.seed)
        self._num_pairs = 0

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        values = super().update(batch)
        self._num_pairs += batch.samples.shape[0] * (batch.samples.shape[1] - 1)
        for target in () if batch.targets is None else batch.targets:
            self._real.add(target)
        return values

    def figures(self) -> list[Figure]:
        figure = self._mean_figure()
        if not self._real.images and self._context.reference is not None:
            for image in self._context.reference():
                self._real.add(image)
        images = self._real.images
        if len(images) < 2:
            return [figure]
        num_pairs = min(self._num_pairs, REAL_PAIRS)
        real = real_diversity(images, self._distance, num_pairs, self._context.seed)
        ceiling = Figure(
            name=f"{self.name}/real",
            value=real,
            better="none",
            num_images=len(images),
            protocol=f"mean {self._what} of {num_pairs} random pairs among {len(images)} real images",
            weights_sha256=figure.weights_sha256,
        )
        share = f", {figure.value / real:.1%} of it" if real > 0.0 else ""
        return [self._mean_figure(note=f"real pairs: {real:.3g}{share}"), ceiling]


def _build(name: str, context: Context) -> Diversity:
    distance = lpips.shared_lpips(name, context)
    return Diversity(f"diversity_{name}", distance, name, context, lpips.checksums(distance))


DEFINITIONS = {
    "sample_distance": MetricDefinition(
        build=lambda context: Diversity("sample_distance", l1, "|difference| / 255 of uint8", context),
        needs=frozenset({"samples"}),
        default=True,
    )
} | {
    f"diversity_{name}": MetricDefinition(
        build=functools.partial(_build, name),
        needs=frozenset({"samples"}),
        weights=definition.weights,
        channels=(3,),
        default=name == "lpips_alex_v0.0",
    )
    for name, definition in lpips.DEFINITIONS.items()
}
