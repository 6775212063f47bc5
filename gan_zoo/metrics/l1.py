"""Mean absolute error; of a model that samples also that of its best sample.

Over all pixels and channels of one image, as a share of the full range: 0 is equal, 1 is black against white; lower is
better. Images of [-1, 1], as the networks and their L1 losses see them, are twice as far apart.

`l1_best` is the smallest error among the samples of one input, as BicycleGAN's authors report their reconstructions: a
model that samples may miss the one truth with each of them by right, but should have it among them. It falls as the
number of samples grows: compare only figures with the same one.
"""

import numpy as np

from gan_zoo.metrics.base import pair_metric
from gan_zoo.metrics.image_pairs import RGBA, checked_pair


def l1(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Mean absolute error of each image, in [0, 1].

    Args:
        images, targets: `[B, H, W, C]` uint8, C not 4.

    Returns:
        `[B]` float64.

    Raises:
        ValueError: if shapes or types do not fit.
    """
    first, second = checked_pair(images, targets)
    return np.mean(np.abs(first - second), axis=(1, 2, 3)) / 255.0


def l1_best(samples: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The smallest mean absolute error among the samples of each input.

    Args:
        samples: `[B, N, H, W, C]` uint8.
        targets: `[B, H, W, C]` uint8.

    Returns:
        `[B]` float64, in [0, 1].
    """
    pairs = zip(samples, targets, strict=True)
    return np.array([l1(of_one, np.broadcast_to(target, of_one.shape)).min() for of_one, target in pairs])


def l1_alpha(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Mean absolute error of each image's opacity, in [0, 1].

    Args:
        images, targets: `[B, H, W, 4]` uint8, RGBA.

    Returns:
        `[B]` float64.

    Raises:
        ValueError: if shapes or types do not fit.
    """
    for batch in (images, targets):
        if batch.shape[-1] != RGBA:
            raise ValueError(f"[B, H, W, {RGBA}] is needed. Received: {list(batch.shape)}")
    return l1(images[..., RGBA - 1 :], targets[..., RGBA - 1 :])


_PROTOCOL = "|difference| / 255 of uint8, over all pixels and channels"
DEFINITIONS = {
    "l1": pair_metric("l1", l1, better="lower", protocol=f"mean over images of {_PROTOCOL}", default=True),
    "l1_best": pair_metric(
        "l1_best",
        l1_best,
        fields=("samples", "targets"),
        better="lower",
        protocol=f"mean over inputs of the smallest among {{num_samples}} samples; {_PROTOCOL}",
        default=True,
    ),
    "l1_alpha": pair_metric(
        "l1_alpha",
        l1_alpha,
        better="lower",
        protocol="mean over images of |difference| / 255 of alpha in uint8, over all pixels",
        channels=(RGBA,),
        default=True,
    ),
}
