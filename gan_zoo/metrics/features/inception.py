"""From images of any size to the features of FID and KID, in batches, as the images stream by.

How an image gets to the 299x299 pixels that the Inception sees changes an FID by more than most models differ, so it
belongs to the name of the figure:

* `clean` (Parmar et al. 2022, arXiv 2104.11222): Pillow's antialiased bicubic on each channel as floats, not rounded,
  and clipped to [0, 255], as clean-fid does since March 2022. The default.
* `legacy`: TensorFlow 1's bilinear without antialiasing, its pixel centres at the corners, which the first FID code and
  torch-fidelity use. It lets fine patterns alias when images are larger than 299 pixels.
"""

import collections
import concurrent.futures
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from gan_zoo.images import to_channels
from gan_zoo.networks.inception import SIZE

FEATURES = "2048"  # the output of the network that FID and KID are defined on
BATCH_SIZE = 32


def resize_clean(image: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` uint8 -> `[299, 299, 3]` float32 in [0, 255]: where bicubic overshoots at an edge, it is cut off."""
    planes = np.moveaxis(image, -1, 0).astype(np.float32)
    resized = [Image.fromarray(plane).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for plane in planes]
    return np.stack([np.asarray(plane) for plane in resized], axis=-1).clip(0.0, 255.0)


def resize_legacy(image: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` uint8 -> `[299, 299, 3]` float32 in [0, 255]."""
    with tf.device("CPU:0"):
        resized = tf.raw_ops.ResizeBilinear(
            images=image[np.newaxis], size=[SIZE, SIZE], align_corners=False, half_pixel_centers=False
        )
    return resized[0].numpy()


RESIZERS = {"clean": resize_clean, "legacy": resize_legacy}
# Of the features and of all figures that stand on them: to be raised when the same images get other ones.
# clean: 1 did not clip.
VERSIONS = {"clean": 2, "legacy": 1}


def inception_inputs(images: Sequence[np.ndarray], resize: str = "clean") -> np.ndarray:
    """What `gan_zoo.networks.inception.fid_inception` takes.

    Args:
        images: each `[H, W, C]` uint8 of any size; C of 1, 3 or 4 becomes RGB.
        resize: "clean" or "legacy", see above.

    Returns:
        `[B, 299, 299, 3]` float32.

    Raises:
        ValueError: for another name or type.
    """
    return np.stack([_resized(image, resize) for image in images])


def _resized(image: np.ndarray, resize: str) -> np.ndarray:
    if resize not in RESIZERS:
        raise ValueError(f"resize must be one of {', '.join(RESIZERS)}. Received: {resize!r}")
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError(f"[H, W, C] uint8 is needed. Received: {list(image.shape)} {image.dtype}")
    return RESIZERS[resize](to_channels(image, 3))


class InceptionFeatures:
    """The features of images that stream by; call it as often as there are sets, the graph is made once.

    Args:
        network: a `fid_inception`.
        resize: "clean" or "legacy".
        batch_size: images a forward; it bounds the memory, and changes the features by rounding only.

    Attributes:
        resize, batch_size: as given.
        size: how many features an image has.
    """

    def __init__(self, network: keras.Model, resize: str = "clean", batch_size: int = BATCH_SIZE) -> None:
        if resize not in RESIZERS:
            raise ValueError(f"resize must be one of {', '.join(RESIZERS)}. Received: {resize!r}")
        self.resize = resize
        self.batch_size = batch_size
        self.size: int = network.output[FEATURES].shape[-1]
        signature = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)
        self._forward = tf.function(
            lambda inputs: network(inputs, training=False)[FEATURES], input_signature=[signature]
        )

    def __call__(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yields `[b, 2048]` float32 for each batch, in the order of the images.

        Args:
            images: each `[H, W, C]` uint8 of any size; errors of the iterable pass through.
        """
        images = iter(images)
        waiting: collections.deque[tf.Tensor] = collections.deque()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            while batch := list(itertools.islice(images, self.batch_size)):
                inputs = np.stack(list(pool.map(lambda image: _resized(image, self.resize), batch)))
                # On a GPU this only starts the forward: it runs while the next images are read and resized.
                waiting.append(self._forward(inputs))
                if len(waiting) > 1:
                    yield waiting.popleft().numpy()
        for features in waiting:
            yield features.numpy()
