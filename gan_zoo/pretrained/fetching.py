"""Weights that others have trained, which metrics and encoders stand on: where they are, and what they have to be.

They are fetched once, from the address that their authors name, into a cache; or given in a folder. Whatever is used
has the checksum that stands here, and is read as numbers only (`gan_zoo.pretrained.torch_files`).

Each PyTorch file's name holds the first eight digits of its SHA-256, by torchvision's convention; the sizes and the
full checksums are those that independent public projects pin for the same files.
"""

import contextlib
import dataclasses
import hashlib
import http.client
import os
import pathlib
import urllib.request
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.pretrained.torch_files import read_state_dict

CACHE_VARIABLE = "GAN_ZOO_CACHE"
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 20
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Weights:
    """A file at a public address: a state_dict of PyTorch's, or what the key in `WEIGHTS` says.

    Attributes:
        address: ends in the file's name.
        size: bytes.
        sha256: 64 hexadecimal digits.
        licence: of the file, as far as its authors say, and what it was trained on.
        setting: the one of a model that takes the file; None where a metric stands on it, which has `--weights_dir`.
        instead: the setting, and its value, of that model which does without.
    """

    address: str
    size: int
    sha256: str
    licence: str
    setting: str | None = None
    instead: str | None = None

    @property
    def file_name(self) -> str:
        return self.address.rpartition("/")[2]


_TORCHVISION = "BSD-3-Clause (torchvision); trained on ImageNet, whose pictures are for research"

WEIGHTS: Mapping[str, Weights] = {
    "alexnet": Weights(
        address="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        size=244_408_911,
        sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        licence=_TORCHVISION,
    ),
    "vgg16": Weights(
        address="https://download.pytorch.org/models/vgg16-397923af.pth",
        size=553_433_881,
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        licence=_TORCHVISION,
    ),
    "vgg19": Weights(
        address="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        size=574_673_361,
        sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        licence=_TORCHVISION,
        setting="vgg_weights",
        instead="content=pixels",
    ),
    "squeezenet": Weights(
        address="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
        size=4_958_839,
        sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
        licence=_TORCHVISION,
    ),
    "resnet18": Weights(
        address="https://download.pytorch.org/models/resnet18-f37072fd.pth",
        size=46_830_571,
        sha256="f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        licence=_TORCHVISION,
        setting="encoder_weights",
    ),
    "resnet34": Weights(
        address="https://download.pytorch.org/models/resnet34-b627a593.pth",
        size=87_319_819,
        sha256="b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
        licence=_TORCHVISION,
        setting="encoder_weights",
    ),
    # The graph that FID was defined with, of 2015-12-05, brought to PyTorch by the author of pytorch-fid.
    "inception": Weights(
        address="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        "pt_inception-2015-12-05-6726825d.pth",
        size=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        licence="Apache-2.0 (TensorFlow, pytorch-fid); trained on ImageNet, whose pictures are for research",
    ),
    # Keras' own MobileNetV2 of 224 px, an HDF5 file, and the names of its classes, JSON: {"0": [synset, name], ...}.
    "mobilenet_v2": Weights(
        address="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        size=14_536_120,
        sha256="3e195a2857356cfc092cbbb460beb2a5bce279015d7792598b8d3d9e451902e3",
        licence="Apache-2.0 (Keras, TensorFlow); trained on ImageNet, whose pictures are for research",
    ),
    "imagenet_classes": Weights(
        address="https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
        size=35_363,
        sha256="a1e7a966a1f601d39e4b43e119b3e7dd4a2ad3ea08cf69847cbaf021013767bc",
        licence="Apache-2.0 (Keras, TensorFlow)",
    ),
}


def cache_dir() -> pathlib.Path:
    """Where fetched files are kept: `$GAN_ZOO_CACHE`, else `~/.cache/gan_zoo`."""
    return pathlib.Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/gan_zoo").expanduser()


def load(name: str, weights_dir: str | os.PathLike[str] | None = None) -> dict[str, np.ndarray]:
    """Fetches and reads weights.

    Returns:
        The arrays by PyTorch's names, in PyTorch's layout.

    Raises:
        UserError: as `fetch`, and for a file that is no state_dict.
    """
    return read_state_dict(fetch(name, weights_dir))


def read_given(path: str | os.PathLike[str], setting: str) -> dict[str, np.ndarray] | str:
    """What a user's file of weights holds; Keras reads its own files by itself.

    Args:
        path: the file.
        setting: what it was given as, for the error.

    Returns:
        The arrays by name, or for HDF5, Keras' format, the path as it is.

    Raises:
        UserError: if there is no such file, or it is no state_dict.
    """
    if not os.path.isfile(path):
        raise UserError(f"{setting}={path}: there is no such file")
    with open(path, "rb") as file:
        if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            return os.fspath(path)
    return read_state_dict(path)


def fetch(
    name: str, weights_dir: str | os.PathLike[str] | None = None, say: Callable[[str], None] = print
) -> pathlib.Path:
    """Finds weights in the user's folder or in the cache, or downloads them into the cache.

    Args:
        name: a key of `WEIGHTS`.
        weights_dir: a folder that may hold files under the names that they have at their addresses; nothing is written
            or removed there.
        say: takes a line for the user before a download.

    Returns:
        A file with the right checksum.

    Raises:
        UserError: in one line, if the file is another one than it should be, or cannot be downloaded; then it names the
            address, the checksum and where to put the file. Nothing that is damaged stays in the cache.
    """
    weights = WEIGHTS[name]
    if weights_dir is not None:
        folder = pathlib.Path(weights_dir).expanduser()
        if not folder.is_dir():
            raise UserError(f"--weights_dir={folder} is no folder")
        given = folder / weights.file_name
        if given.is_file():
            _check(weights, *_measure(given), f"{given} is another file or damaged")
            return given
    cached = cache_dir() / weights.file_name
    if cached.is_file():
        with _removed_on_error(cached):
            _check(weights, *_measure(cached), f"{cached} was damaged and has been removed")
        return cached
    _download(weights, cached, say)
    return cached


def _download(weights: Weights, path: pathlib.Path, say: Callable[[str], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial")
    say(f"fetching {weights.address} ({weights.size / 1e6:.0f} MB) into {path.parent}")
    with _removed_on_error(partial):
        digest, size = hashlib.sha256(), 0
        with open(partial, "wb") as file:
            for chunk in _received(weights):
                digest.update(chunk)
                size += file.write(chunk)
        _check(weights, size, digest.hexdigest(), f"{weights.address} sent another file than expected")
        os.replace(partial, path)


def _received(weights: Weights) -> Iterator[bytes]:
    """What the server sends, up to one byte more than it should."""
    left = weights.size + 1
    request = urllib.request.Request(weights.address, headers={"User-Agent": "gan_zoo"})
    # Only what goes wrong with the network is caught: a full disk is met where the chunks are written.
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            while left and (chunk := response.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{weights.address} cannot be fetched ({error}); {_by_hand(weights)}") from None


def _measure(path: pathlib.Path) -> tuple[int, str]:
    with open(path, "rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _check(weights: Weights, size: int, sha256: str, complaint: str) -> None:
    if (size, sha256) != (weights.size, weights.sha256):
        what = f"{size} bytes instead of {weights.size}" if size != weights.size else f"its SHA-256 is {sha256}"
        raise UserError(f"{complaint} ({what}); {_by_hand(weights)}")


def _by_hand(weights: Weights) -> str:
    way = "put it into a folder given as --weights_dir, or"
    if weights.setting is not None:
        way = f"give it as --set {weights.setting}=FILE, or put it"
    instead = f"; --set {weights.instead} needs none" if weights.instead else ""
    return (
        f"get {weights.address} with the SHA-256 {weights.sha256} and {way} into {cache_dir()}, under the name "
        f"{weights.file_name}{instead}"
    )


@contextlib.contextmanager
def _removed_on_error(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # also when the user stops it
        path.unlink(missing_ok=True)
        raise
