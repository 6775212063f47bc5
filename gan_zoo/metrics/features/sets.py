"""The features of the two sets that FID and KID compare: extracted once for all who ask, and kept on disk.

Those of the reference stay in the folder `features` of the cache (`gan_zoo.pretrained.fetching`), under a name that is
a checksum of all that they depend on: every decoded image in its order, the resizing, its version and the network's
weights. So an image that was changed, added or renamed out of its order is noticed, and a folder that was
only moved does not matter. Each file ends in a checksum of itself; one that does not fit is made anew.
"""

import hashlib
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.metrics.base import Context, EvaluationBatch, Metric, once
from gan_zoo.metrics.features.inception import VERSIONS, InceptionFeatures
from gan_zoo.networks.inception import fid_inception
from gan_zoo.pretrained import fetching

WEIGHTS = "inception"
ROW = np.dtype("<f4")
DIGEST_SIZE = hashlib.sha256().digest_size
CHUNK = 1 << 20

Images = Callable[[], Iterator[np.ndarray]]


class FeatureRows:
    """Rows of `size` float32 in a file without a name, which vanishes with this object."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._file = tempfile.TemporaryFile(prefix="gan_zoo_features_")  # noqa: SIM115 (closed with this object)
        self._count = 0

    def append(self, rows: np.ndarray) -> None:
        """Adds `[B, size]`."""
        self._file.write(np.ascontiguousarray(rows, ROW).data)
        self._count += len(rows)

    def read(self) -> np.ndarray:
        """`[N, size]` float32; only what is looked at comes into memory."""
        self._file.flush()
        return _mapped(self._file, self._count, self.size)


class BatchFeatures:
    """The features of images that come in batches, to several metrics that each see all of them.

    Args:
        extract: what makes them.
    """

    def __init__(self, extract: InceptionFeatures) -> None:
        self._extract = extract
        self._rows = FeatureRows(extract.size)
        self._waiting: list[np.ndarray] = []  # until there are enough of them for one forward
        self._count = 0

    def add(self, start: int, images: np.ndarray) -> None:
        """Takes `[B, H, W, C]` uint8, the images from number `start` on; nothing happens if they are here already.

        Raises:
            ValueError: for images of another type, or if images before them are not here.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
            raise ValueError(f"[B, H, W, 1, 3 or 4] uint8 is needed. Received: {list(images.shape)} {images.dtype}")
        if start + len(images) <= self._count:
            return
        if start != self._count:
            raise ValueError(f"the next image is number {self._count}. Received: {start}")
        self._waiting += list(images)
        self._count += len(images)
        size = self._extract.batch_size
        while len(self._waiting) >= size:
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            self._append(batch)

    def read(self) -> np.ndarray:
        """`[N, size]` float32, of all images until now."""
        batch, self._waiting = self._waiting, []
        self._append(batch)
        return self._rows.read()

    def _append(self, images: list[np.ndarray]) -> None:
        for features in self._extract(images):
            self._rows.append(features)


class SetMetric(Metric):
    """A distance between the outputs as a whole and the reference, by the features of both.

    Args:
        name: the key.
        resize: see `gan_zoo.metrics.features.inception`.
        context: with a reference; what metrics share lies there.

    Attributes:
        version: of the figure.
    """

    needs = frozenset({"outputs"})
    at_least = 2  # images on each side

    def __init__(self, name: str, resize: str, context: Context) -> None:
        super().__init__()
        if context.reference is None:
            raise UserError(f"the metric {name} needs a set of real images to compare with")
        self.name, self.resize, self.context = name, resize, context
        self.version = str(VERSIONS[resize])
        self._extract = once(context.kept, (WEIGHTS, resize), lambda: _extractor(resize, context))
        self._features = once(context.shared, (WEIGHTS, resize), lambda: BatchFeatures(self._extract))
        self._seen = 0

    def update(self, batch: EvaluationBatch) -> None:
        self._features.add(self._seen, batch.outputs)
        self._seen += len(batch.outputs)

    def sets(self) -> tuple[np.ndarray, np.ndarray]:
        """The features of the outputs and of the reference, `[N, D]` and `[M, D]`.

        Raises:
            UserError: for too few images.
        """
        if self._seen < self.at_least:  # before the reference takes its time
            raise UserError(f"{self.name} needs at least {self.at_least} images: {self._seen} given")
        images = self.context.reference
        key = (WEIGHTS, self.resize, images)
        warn = self.warnings.append
        reference = once(self.context.kept, key, lambda: reference_features(self._extract, images, warn))
        if len(reference) < self.at_least:
            raise UserError(f"{self.name} needs at least {self.at_least} real images: {len(reference)} given")
        return self._features.read(), reference

    def protocol(self, num_outputs: int, num_real: int) -> str:
        """Of the figure, in words."""
        resized = {
            "clean": "resized as by clean-fid: Pillow's antialiased bicubic on floats, clipped",
            "legacy": "resized as by TensorFlow 1: bilinear, not antialiased",
        }
        return (
            f"{num_outputs} images against {num_real} of {self.context.reference_key or 'the reference'}; "
            f"{self._extract.size} features of the Inception of 2015-12-05; 299x299, {resized[self.resize]}"
        )


def reference_features(extract: InceptionFeatures, images: Images, warn: Callable[[str], None]) -> np.ndarray:
    """The features of real images, from the cache or for it: `[N, size]` float32.

    Args:
        extract: what makes them.
        images: gives them, each `[H, W, C]` uint8, in the same order at every call.
        warn: takes a sentence if the cache cannot be written; the features are as good.
    """
    content = _Content(extract.resize)
    for _ in content.of(images()):
        pass
    rows = _read(content.path, content.count, extract.size)
    if rows is not None:
        return rows
    content = _Content(extract.resize)  # again: files may change between two readings
    extracted = FeatureRows(extract.size)
    for features in extract(content.of(images())):
        extracted.append(features)
    rows = extracted.read()
    try:
        _write(content.path, rows)
    except OSError as error:
        warn(
            f"the features of the reference could not be kept in {content.path.parent} ({error.strerror or error}): "
            f"the next evaluation extracts them again"
        )
    return rows


class _Content:
    """A checksum of images that pass by, and where the cache has their features."""

    def __init__(self, resize: str) -> None:
        self.count = 0
        self._digest = hashlib.sha256(f"{VERSIONS[resize]} {resize} {fetching.WEIGHTS[WEIGHTS].sha256}".encode())

    def of(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for image in images:
            self._digest.update(f" {image.shape} {image.dtype} ".encode())
            self._digest.update(np.ascontiguousarray(image).data)
            self.count += 1
            yield image

    @property
    def path(self) -> pathlib.Path:
        return fetching.cache_dir() / "features" / f"{self._digest.hexdigest()}.features"


def _read(path: pathlib.Path, count: int, size: int) -> np.ndarray | None:
    """The rows of a file that is whole, else None."""
    try:
        with open(path, "rb") as file:
            length = count * size * ROW.itemsize
            if os.fstat(file.fileno()).st_size != length + DIGEST_SIZE:
                return None
            digest = hashlib.sha256()
            for start in range(0, length, CHUNK):
                digest.update(file.read(min(CHUNK, length - start)))
            return _mapped(file, count, size) if file.read() == digest.digest() else None
    except OSError:
        return None


def _write(path: pathlib.Path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        digest = hashlib.sha256()
        with open(partial, "wb") as file:
            for start in range(0, len(rows), 1000):
                part = rows[start : start + 1000].tobytes()
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _mapped(file: BinaryIO, count: int, size: int) -> np.ndarray:
    if not count:  # nothing cannot be mapped
        return np.empty((0, size), ROW)
    return np.memmap(file, ROW, "r", shape=(count, size))


def _extractor(resize: str, context: Context) -> InceptionFeatures:
    network = once(context.kept, WEIGHTS, lambda: fid_inception(fetching.load(WEIGHTS, context.weights_dir)))
    return InceptionFeatures(network, resize)
