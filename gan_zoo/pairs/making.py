"""A photo to its pair: what is made of it, left, and the photo, right."""

import hashlib
from typing import Any

import numpy as np

from gan_zoo.bicubic import enlarged, reduced
from gan_zoo.data.resizing import resize_and_crop
from gan_zoo.images import BadImage, Planes, to_8_bit, to_channels, to_float, to_uint8
from gan_zoo.pairs import regions
from gan_zoo.pairs.cam import ActivationMaps, mask_of, seen_class
from gan_zoo.pairs.classifiers import load_classifier
from gan_zoo.pairs.edges import canny, xdog
from gan_zoo.pairs.regions import Regions
from gan_zoo.pairs.settings import PairSettings

WHITE = 255


class NoRegions(ValueError):  # noqa: N818 (nothing is wrong with the picture)
    """The classifier does not see the class in a picture."""


class PairMaker:
    """Makes pairs; an answer depends on the picture, its name and the settings alone.

    Args:
        settings: of the pairs.
        weights_dir: see `gan_zoo.pairs.classifiers.load_classifier`.

    Raises:
        UserError: for a classifier that cannot be used.
    """

    def __init__(self, settings: PairSettings, weights_dir: str | None = None) -> None:
        self.settings = settings
        self._maps = None
        if settings.belonging().get("regions") == "cam":
            self._maps = ActivationMaps(load_classifier(settings.classifier, weights_dir)[0], settings.classifier)

    def pair(self, image: np.ndarray, name: str) -> tuple[np.ndarray, dict[str, Any]]:
        """Makes the pair of a picture.

        Args:
            image: `[H, W, C]` uint8 or uint16 of 1, 3 or 4 channels; opacity is laid over white.
            name: of the picture, which random regions are drawn from, beside the seed.

        Returns:
            `[h, 2 w, 3]` uint8, and what is to be recorded: for mosaics and holes `regions`, boxes [top, left, bottom,
            right] in pixels of the photo's half, and `share`, of its pixels that were changed; `class` if a classifier
            was asked.

        Raises:
            BadImage: for a picture that cannot be used.
            NoRegions: if the classifier does not see the class.
        """
        photo = self._fitted(to_photo(image))
        record: dict[str, Any] = {}
        settings = self.settings
        if settings.make == "edges":
            made = self._drawing(photo)
        elif settings.make == "grey":
            made = to_channels(photo, 1)
        elif settings.make == "small":
            made = smaller(photo, settings.scale)
        else:
            where, record = self._where(photo, name)
            changed = of_blocks(where.mask, settings.block) if settings.make == "mosaic" else where.mask
            filling = mosaic(photo, settings.block) if settings.make == "mosaic" else np.uint8(WHITE)
            made = np.where(changed[..., np.newaxis], filling, photo)
            record |= {"regions": [list(box) for box in where.boxes], "share": round(float(changed.mean()), 4)}
        return np.concatenate([to_channels(made, 3), photo], axis=1), record

    def _fitted(self, photo: np.ndarray) -> np.ndarray:
        """The square out of the middle, at the size of the settings; for `small` a multiple of the scale."""
        height, width = photo.shape[:2]
        if size := self.settings.size:
            if min(height, width) < size:
                raise BadImage(f"{width}x{height} pixels: too few for {size}x{size} without being enlarged")
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            square = np.ascontiguousarray(photo[top : top + side, left : left + side])
            photo = resize_and_crop(square, (size, size), (size, size)).astype(np.uint8)
        if self.settings.make == "small":
            scale = self.settings.scale
            height, width = (side - side % scale for side in photo.shape[:2])
            if min(height, width) < 2 * scale:
                raise BadImage(f"{photo.shape[1]}x{photo.shape[0]} pixels: too few to be made {scale} times smaller")
            photo = photo[:height, :width]
        return photo

    def _drawing(self, photo: np.ndarray) -> np.ndarray:
        settings = self.settings
        shared = {"sigma": settings.sigma, "thickness": settings.thickness}
        if settings.detector == "canny":
            return canny(photo, low=settings.low, high=settings.high, **shared)
        return xdog(photo, tau=settings.tau, epsilon=settings.epsilon, phi=settings.phi, **shared)

    def _where(self, photo: np.ndarray, name: str) -> tuple[Regions, dict[str, Any]]:
        settings, size = self.settings, photo.shape[:2]
        if settings.regions == "whole":
            return regions.whole(*size), {}
        if settings.regions == "centre":
            return regions.centre(*size, settings.region_size), {}
        if settings.regions == "random":
            random = np.random.default_rng(list(digest(settings.seed, name)))
            return regions.random_boxes(*size, settings.region_size, settings.num_regions, random), {}
        features = self._maps.features(photo)
        seen = seen_class(self._maps.scores(features), settings.class_number, settings.top)
        if seen is None:
            raise NoRegions("the classifier does not see the class")
        mask = mask_of(self._maps.map_of(features, seen), *size, settings.threshold)
        if not mask.any():
            raise NoRegions("no place speaks for the class")
        return (regions.boxed if settings.form == "boxes" else regions.of_mask)(mask), {"class": seen}


def digest(seed: int, name: str) -> bytes:
    """What is random about a picture: 32 bytes that depend on the seed and its name alone."""
    return hashlib.sha256(f"{seed}\t{name}".encode("utf-8", "surrogateescape")).digest()


def to_photo(image: np.ndarray) -> np.ndarray:
    """A picture as decoded, `[H, W, C]` uint8 or uint16, to `[H, W, 3]` uint8.

    Raises:
        BadImage: for an array file, whose channels are no colours.
    """
    if isinstance(image, Planes):
        raise BadImage("an array file: pairs are made from pictures")
    return to_8_bit(to_channels(image, 3))


def mosaic(image: np.ndarray, block: int) -> np.ndarray:
    """Blocks of `block` x `block` pixels from the upper left corner, each in its mean colour; the last may be smaller.

    Args:
        image: `[H, W, C]` uint8.

    Returns:
        `[H, W, C]` uint8, rounded, halves up.
    """
    sums, counts = _over_blocks(image.astype(np.int64), block), _over_blocks(np.ones((*image.shape[:2], 1), int), block)
    return _spread(((2 * sums + counts) // (2 * counts)).astype(np.uint8), block, *image.shape[:2])


def of_blocks(mask: np.ndarray, block: int) -> np.ndarray:
    """`[H, W]` bool: all pixels of the blocks of which at least one is in `mask`."""
    touched = _over_blocks(mask[..., np.newaxis].astype(np.int64), block) > 0
    return _spread(touched, block, *mask.shape)[..., 0]


def smaller(image: np.ndarray, scale: int) -> np.ndarray:
    """Reduced by `gan_zoo.bicubic.reduced`, and enlarged to its size again, by bicubic interpolation.

    Args:
        image: `[H, W, C]` uint8, H and W multiples of `scale` and at least twice as much.
    """
    return enlarged(to_uint8(reduced(to_float(image), scale)).numpy(), scale)


def _over_blocks(image: np.ndarray, block: int) -> np.ndarray:
    """Sums over the blocks of `[H, W, C]`."""
    height, width = image.shape[:2]
    rows = np.add.reduceat(image, np.arange(0, height, block), axis=0)
    return np.add.reduceat(rows, np.arange(0, width, block), axis=1)


def _spread(blocks: np.ndarray, block: int, height: int, width: int) -> np.ndarray:
    return blocks.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]
