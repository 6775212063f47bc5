"""LPIPS: how different two images look, by the features of a network that was trained to tell things apart.

Zhang, Isola, Efros, Shechtman, Wang 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"
(arXiv 1801.03924, section 3, equation 1; the variant "lin"). The protocol, in this order:

1. Images in [-1, 1], at the size that they have: nothing is resized or cropped.
2. Version 0.1 brings them to ImageNet's mean and standard deviation per channel; version 0.0 forgot to, and its linear
   weights were learnt that way. The same images have other figures in each: BicycleGAN's maps 0.110 in 0.0 and 0.261
   in 0.1. So the version is part of the name: `lpips_alex_v0.1`.
3. The trunk of AlexNet, VGG16 or SqueezeNet 1.1, torchvision's weights; at each of its five or seven taps the feature
   vector of every pixel is brought to the length 1 (divided by its length plus 1e-10).
4. The squared differences of the two images, weighted per channel with the learnt, non-negative weights of that trunk
   and version, summed over channels, averaged over pixels, and summed over taps.

The linear weights are the authors' (`lpips_weights/`, from github.com/richzhang/PerceptualSimilarity at 082bb24, its
`lpips/weights/`; BSD-2-Clause, see `lpips_weights/LICENSE`); the trunks are fetched, see `gan_zoo.pretrained.fetching`.
"""

import dataclasses
import functools
import hashlib
import os
import pathlib
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.images import to_float
from gan_zoo.metrics.base import Context, EvaluationBatch, ImageMean, MetricDefinition, once
from gan_zoo.networks.classifiers import alexnet, load_torchvision, squeezenet, vgg16
from gan_zoo.pretrained import fetching
from gan_zoo.pretrained.torch_files import read_state_dict

LINEAR_WEIGHTS = pathlib.Path(__file__).parent / "lpips_weights"
# ImageNet's mean and standard deviation, on the scale [-1, 1], as rounded by the authors.
MEAN = (-0.030, -0.088, -0.188)
DEVIATION = (0.458, 0.448, 0.450)
EPSILON = 1e-10


@dataclasses.dataclass(frozen=True)
class Trunk:
    """One of the networks: how it is built, the smallest side of an image that it takes, the pairs at once.

    Attributes:
        batch_size: pairs; more are no faster, and the first features of VGG16 take 17 MB of a 256x256 image.
    """

    weights: str
    build: Callable[[], keras.Model]
    min_size: int
    batch_size: int


TRUNKS: Mapping[str, Trunk] = {
    "alex": Trunk("alexnet", alexnet, min_size=31, batch_size=16),
    "vgg": Trunk("vgg16", vgg16, min_size=16, batch_size=4),
    "squeeze": Trunk("squeezenet", squeezenet, min_size=17, batch_size=16),
}
VERSIONS = ("v0.0", "v0.1")
NAMES = tuple(f"lpips_{trunk}_{version}" for trunk in TRUNKS for version in VERSIONS)


class LPIPS:
    """A distance between images: `distance(images_a, images_b)`.

    Args:
        name: one of `NAMES`.
        arrays: the trunk's weights, by torchvision's names.

    Attributes:
        name: as given.
        linear_sha256: checksum of the file of linear weights.

    Raises:
        UserError: for another name, and for weights of another network.
    """

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        trunk, version = _parts(name)
        self.name = name
        self._trunk = TRUNKS[trunk]
        self._network = self._trunk.build()
        load_torchvision(self._network, arrays)
        file = LINEAR_WEIGHTS / version / f"{trunk}.pth"
        self.linear_sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        linear = read_state_dict(file)
        # [1, C, 1, 1] each: a 1x1 convolution to one channel
        self._linear = [linear[f"lin{tap}.model.1.weight"].ravel() for tap in range(len(linear))]
        self._scales_input = version == "v0.1"
        images = tf.TensorSpec([None, None, None, 3])
        self._compiled = tf.function(self._distances, input_signature=[images, images])

    def __call__(self, images_a: np.ndarray | tf.Tensor, images_b: np.ndarray | tf.Tensor) -> np.ndarray:
        """The distances of pairs of images, in batches.

        Args:
            images_a, images_b: `[B, H, W, 3]`, both uint8 or both floats in [-1, 1].

        Returns:
            `[B]` float32, 0 for equal images.

        Raises:
            UserError: for images that are too small for the trunk.
        """
        shape, other = tuple(images_a.shape), tuple(images_b.shape)
        if shape != other or len(shape) != 4 or shape[-1] != 3:
            raise ValueError(f"two arrays [B, H, W, 3] are needed. Received: {list(shape)} and {list(other)}")
        least = self._trunk.min_size
        if min(shape[1:3]) < least:
            raise UserError(f"{self.name} needs images of at least {least}x{least} pixels: {shape[2]}x{shape[1]} given")
        distances = np.zeros(shape[0], np.float32)
        for start in range(0, shape[0], self._trunk.batch_size):
            batch = slice(start, start + self._trunk.batch_size)
            distances[batch] = self._compiled(_in_range(images_a[batch]), _in_range(images_b[batch])).numpy()
        return distances

    def _distances(self, images_a: tf.Tensor, images_b: tf.Tensor) -> tf.Tensor:
        images = tf.concat([images_a, images_b], 0)  # [2B, H, W, 3]
        if self._scales_input:
            images = (images - MEAN) / DEVIATION
        total = tf.zeros(tf.shape(images_a)[:1])
        for tap, weights in zip(self._network(images, training=False), self._linear, strict=True):
            length = tf.norm(tap, axis=-1, keepdims=True)  # [2B, h, w, 1]
            features_a, features_b = tf.split(tap / (length + EPSILON), 2)
            squares = tf.math.squared_difference(features_a, features_b)  # [B, h, w, C]
            total += tf.reduce_sum(tf.reduce_mean(squares, [1, 2]) * weights, -1)
        return total


def load_lpips(name: str, weights_dir: str | os.PathLike[str] | None = None) -> LPIPS:
    """The distance with its authors' weights, which are fetched if need be.

    Args:
        name: one of `NAMES`.
        weights_dir: see `gan_zoo.pretrained.fetching.fetch`.

    Raises:
        UserError: for another name, and if the weights cannot be had.
    """
    trunk, _ = _parts(name)
    return LPIPS(name, fetching.load(TRUNKS[trunk].weights, weights_dir))


def _parts(name: str) -> tuple[str, str]:
    if name not in NAMES:
        raise UserError(f"there is no metric {name!r}; of its kind there are {', '.join(NAMES)}")
    _, trunk, version = name.split("_")
    return trunk, version


def _in_range(images: np.ndarray | tf.Tensor) -> tf.Tensor:
    """`[B, H, W, 3]` float32 in [-1, 1]."""
    images = tf.convert_to_tensor(images)
    if images.dtype.is_floating:
        return tf.cast(images, tf.float32)
    if images.dtype != tf.uint8:
        raise ValueError(f"images are uint8 or floats in [-1, 1]. Received: {images.dtype.name}")
    return to_float(images)


def shared_lpips(name: str, context: Context) -> LPIPS:
    """The distance with its authors' weights, read by the first metric that asks for it."""
    return once(context.kept, name, lambda: load_lpips(name, context.weights_dir))


def checksums(distance: LPIPS) -> str:
    """Of the trunk's weights and of the linear ones."""
    trunk, _ = _parts(distance.name)
    return f"{fetching.WEIGHTS[TRUNKS[trunk].weights].sha256}+{distance.linear_sha256}"


def _build(name: str, context: Context) -> ImageMean:
    distance = shared_lpips(name, context)
    trunk, version = _parts(name)

    def measure(batch: EvaluationBatch) -> np.ndarray:
        return distance(batch.outputs, batch.targets)

    return ImageMean(
        name,
        measure,
        needs=frozenset({"outputs", "targets"}),
        better="lower",
        protocol=f"mean over images of LPIPS {version} ('lin') of {TRUNKS[trunk].weights}, at the images' own size",
        weights_sha256=checksums(distance),
    )


DEFINITIONS = {
    name: MetricDefinition(
        build=functools.partial(_build, name),
        needs=frozenset({"outputs", "targets"}),
        weights=TRUNKS[_parts(name)[0]].weights,
        channels=(3,),
        default=name == "lpips_alex_v0.1",
    )
    for name in NAMES
}
