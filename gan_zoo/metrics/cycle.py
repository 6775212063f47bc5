"""What can be said of a translator that knows no truth, above all where it knows a way back (CycleGAN, Zhu et al.).

`cycle_psnr` is the PSNR between an input and what comes back of it there and back, with the way between rounded by
nothing: a low one says that inputs are not recoverable from outputs, a high one alone says little, since translators
learn to hide the input in noise that nobody sees. `identity_distance` is the mean absolute difference of output and
input: near 0 it has learnt to do nothing, which the first figure rewards. It is all that can be said of CUT.
"""

import numpy as np

from gan_zoo.images import PICTURE_CHANNELS, to_channels
from gan_zoo.metrics.base import pair_metric
from gan_zoo.metrics.l1 import l1
from gan_zoo.metrics.psnr import psnr


def identity_distance(outputs: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Mean absolute difference in [0, 1] of each output and its input, `[B, H, W, C]` uint8; grey becomes RGB.

    Raises:
        ValueError: where their sizes differ, or channels that do not become each other.
    """
    counts = outputs.shape[-1], inputs.shape[-1]
    if counts[0] != counts[1] and not {*counts} <= {*PICTURE_CHANNELS}:
        raise ValueError(f"images of {counts[0]} channels and of {counts[1]} do not compare")
    channels = max(counts)
    return l1(to_channels(outputs, channels), to_channels(inputs, channels))


DEFINITIONS = {
    "cycle_psnr": pair_metric(
        "cycle_psnr",
        psnr,
        fields=("cycled", "inputs"),
        unit="dB",
        better="higher",
        protocol="mean over images of the PSNR of input and way there and back, the output between not rounded",
        default=True,
    ),
    "identity_distance": pair_metric(
        "identity_distance",
        identity_distance,
        fields=("outputs", "inputs"),
        instead_of_truth=True,  # where there is one, the distance to it says more
        better="none",
        protocol="mean over images of |output - input| / 255 of uint8, over all pixels and channels; 0: unchanged",
        default=True,
    ),
}
