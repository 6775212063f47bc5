"""Colour profiles (ICC) that lie in picture files: to sRGB, which everything behind the decoder takes for granted.

What a number of a wide profile stands for is another number in sRGB: where the profile is overlooked, lightness, hue
and all figures are off. Colours are kept as they are measured (relative colorimetric, with black on black); those that
sRGB does not have are cut off at its border. Of 8 bit pictures only: Pillow's LittleCMS takes no others.
"""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

SAME = 1  # level of 255: what profiles that are sRGB differ by, for their curves are rounded in different ways
LEVELS = np.arange(256, dtype=np.uint8)


def to_srgb(image: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Converts `[H, W, C]` uint8 with C of 1 (grey), 3 (RGB) or 4 (RGB and alpha, which stays as it is).

    The picture is returned as it is, to the bit, where there is no profile, or one that is sRGB, damaged, or for
    another kind of colours.
    """
    if profile is None:
        return image
    if image.shape[-1] == 1:
        table = _grey_table(profile)
        return image if table is None else table[image]
    transform = _rgb_transform(profile)
    if transform is None:
        return image
    return np.concatenate([_applied(transform, image[..., :3]), image[..., 3:]], -1)


def cmyk_to_srgb(picture: Image.Image, profile: bytes | None) -> np.ndarray | None:
    """Converts a picture of Pillow's mode CMYK to `[H, W, 3]` uint8; None where it has no profile of use."""
    transform = None if profile is None else _transform(profile, "CMYK")
    return None if transform is None else np.asarray(ImageCms.applyTransform(picture, transform))


@functools.lru_cache(maxsize=16)
def _grey_table(profile: bytes) -> np.ndarray | None:
    """sRGB's grey for each of the 256; None where there is nothing to convert."""
    # LittleCMS' shortcuts cost up to 1.5 levels in the shadows, and here they save nothing.
    transform = _transform(profile, "L", ImageCms.Flags.NOOPTIMIZE)
    if transform is None:
        return None
    table = _applied(transform, LEVELS[np.newaxis])[0, :, 1]  # all three are equal
    return None if _are_same(table, LEVELS) else table


@functools.lru_cache(maxsize=16)
def _rgb_transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """None where there is nothing to convert: a profile is sRGB by what it does, whatever it is called."""
    transform = _transform(profile, "RGB")
    if transform is None:
        return None
    greys, few = np.repeat(LEVELS[:, np.newaxis], 3, axis=-1), LEVELS[::15]
    colours = np.concatenate([greys, np.stack(np.meshgrid(few, few, few), axis=-1).reshape(-1, 3)])[np.newaxis]
    return None if _are_same(_applied(transform, colours), colours) else transform


@functools.lru_cache(maxsize=16)
def _transform(
    profile: bytes, mode: str, flags: ImageCms.Flags = ImageCms.Flags.NONE
) -> ImageCms.ImageCmsTransform | None:
    """From pictures of `mode` to Pillow's RGB in sRGB; None for a profile that is damaged or of another mode."""
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION | flags,
        )
    except (OSError, ImageCms.PyCMSError):
        return None


def _applied(transform: ImageCms.ImageCmsTransform, image: np.ndarray) -> np.ndarray:
    return np.asarray(ImageCms.applyTransform(Image.fromarray(image), transform))


def _are_same(image: np.ndarray, other: np.ndarray) -> bool:
    return int(np.abs(image.astype(int) - other).max()) <= SAME
