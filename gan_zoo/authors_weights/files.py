"""The authors' files: which of them holds which network, and what is in them."""

import dataclasses
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from gan_zoo.authors_weights.architecture import Architecture, recognise
from gan_zoo.authors_weights.kernels import inner_kernels
from gan_zoo.authors_weights.names import BATCHES
from gan_zoo.authors_weights.ugatit import (
    DISCRIMINATORS,
    GENERATORS,
    AttentionNetwork,
    recognise_attention,
)
from gan_zoo.authors_weights.ugatit import FILE_NAME as BUNDLE_NAME
from gan_zoo.authors_weights.wrappers import without_wrappers
from gan_zoo.errors import UserError
from gan_zoo.pretrained.safetensors_files import SUFFIX, read_safetensors
from gan_zoo.pretrained.torch_files import read_state_dict, read_state_dicts

FILES = f"*_net_*.pth, *_net_*{SUFFIX} or *_params_*.pt"
MAX_NAME = 400  # characters; the innermost of a U-Net of 12 halvings has about 100
MAX_BATCHES = 1 << 53
FILE_NAME = re.compile(r"(?P<epoch>.+)_net_(?P<part>G|D|E|F|D2|G_A|G_B|D_A|D_B)\.(pth|safetensors)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TorchNetwork:
    """One of the authors' files, or a part of one: what is in it, and what was found out about it.

    Attributes:
        batches: how many batches its batch norms have seen; None where the file does not say.
    """

    path: pathlib.Path
    arrays: Mapping[str, np.ndarray]
    architecture: Architecture | AttentionNetwork
    batches: int | None
    remarks: Sequence[str]


def find_files(weights: Sequence[str | os.PathLike[str]]) -> dict[str, pathlib.Path]:
    """Which file holds which network, by the authors' names: `latest_net_G.pth`, `200_net_D_A.safetensors` ...

    Args:
        weights: files, or one folder, of which the epoch `latest` is taken, else the highest.

    Raises:
        UserError: if there are none, or their names do not say which network they are.
    """
    paths = [pathlib.Path(path) for path in weights]
    if len(paths) == 1 and paths[0].is_dir():
        found = [found for path in sorted(paths[0].iterdir()) if (found := FILE_NAME.fullmatch(path.name))]
        epochs = {match["epoch"] for match in found}
        numbers = [epoch for epoch in epochs if epoch.isdecimal()]
        if "latest" in epochs:
            epoch = "latest"
        elif numbers:
            epoch = max(numbers, key=int)
        elif len(epochs) == 1:
            (epoch,) = epochs
        else:
            what = f"several runs ({', '.join(sorted(epochs))}): give the files" if epochs else f"no {FILES}"
            raise UserError(f"--weights: {paths[0]} holds {what}")
        paths = [paths[0] / match.string for match in found if match["epoch"] == epoch]
    files: dict[str, pathlib.Path] = {}
    for path in paths:
        match = FILE_NAME.fullmatch(path.name)
        if match is None and len(paths) > 1:
            raise UserError(f"--weights: {path.name} does not say which network it is; a name ends in _net_G.pth")
        part = match["part"] if match else "G"  # pretrained generators are handed on under other names
        if part in files:
            raise UserError(f"--weights: {files[part]} and {path} are both the network {part}")
        files[part] = path
    return files


def read_network(path: pathlib.Path) -> TorchNetwork:
    """Reads one file and finds out what it is.

    Raises:
        UserError: if it cannot be read, or is no network of the authors'.
    """
    found = read_safetensors(path) if path.suffix == SUFFIX else read_state_dict(path)
    try:
        arrays, remarks = without_wrappers(found)
        _check_tensors(arrays, path.stat().st_size)
        architecture = recognise(arrays)
    except UserError as error:
        raise UserError(f"{path} {error}") from None
    batches = [int(array) for name, array in arrays.items() if name.endswith(f".{BATCHES}")]
    # A width is read off one tensor: the others have to bear it out before a network of that width is made.
    for name, shape in inner_kernels(architecture):
        if name not in arrays or arrays[name].shape != shape:
            complaint = other_shape(arrays[name], shape) if name in arrays else "is missing"
            raise UserError(f"{path} does not fit {architecture}: {name} {complaint}")
    return TorchNetwork(
        path=path, arrays=arrays, architecture=architecture, batches=max(batches, default=None), remarks=remarks
    )


def _check_tensors(arrays: Mapping[str, np.ndarray], file_size: int) -> None:
    """Refuses what no network holds, whichever it is, by the end of a sentence about the file."""
    for name in arrays:
        if len(name) > MAX_NAME or not name.isprintable():
            raise UserError(f"is none of the authors' networks: one of its tensors is called {name[:80]!r}")
    # Tensors may share their numbers; bfloat16 takes twice the bytes here that it takes in the file.
    if sum(array.nbytes for array in arrays.values()) > 2 * file_size:
        raise UserError("is none of the authors' networks: its tensors share numbers, and are larger than it")
    for name, array in arrays.items():
        if name.endswith(f".{BATCHES}"):
            if array.dtype.kind != "i" or array.shape != () or not 0 <= array < MAX_BATCHES:
                raise UserError(f"has {name}, which is not the number of batches that a norm has seen")
        elif array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                if not np.isfinite(array.astype(np.float32, copy=False)).all():
                    raise UserError(f"has numbers in {name} that are not finite, or not as float32")


def other_shape(array: np.ndarray, shape: Sequence[int]) -> str:
    return f"has the shape {list(array.shape)} instead of {list(shape)}"


def find_bundle(weights: Sequence[str | os.PathLike[str]]) -> pathlib.Path | None:
    """The file that may hold all networks of a U-GAT-IT: the only one given, or the last of a folder without others.

    Args:
        weights: files, or one folder.
    """
    paths = [pathlib.Path(path) for path in weights]
    if len(paths) != 1 or FILE_NAME.fullmatch(paths[0].name) or paths[0].suffix == SUFFIX:
        return None
    if not paths[0].is_dir():
        return paths[0]
    names = sorted(path.name for path in paths[0].iterdir())
    steps = {name: found["step"] for name in names if (found := BUNDLE_NAME.fullmatch(name))}
    if not steps or any(FILE_NAME.fullmatch(name) for name in names):
        return None
    return paths[0] / max(steps, key=lambda name: (steps[name] == "latest", steps[name].zfill(9)))


def read_bundle(weights: Sequence[str | os.PathLike[str]]) -> dict[str, TorchNetwork]:
    """Reads the networks of a U-GAT-IT, by the authors' names; nothing where the weights are of anything else.

    Raises:
        UserError: if they cannot be read, or are none of the authors' networks.
    """
    path = find_bundle(weights)
    found = read_state_dicts(path, (*GENERATORS, *DISCRIMINATORS)) if path else {}
    networks = {}
    try:
        for part, with_wrappers in found.items():
            arrays, remarks = without_wrappers(with_wrappers)
            _check_tensors(arrays, path.stat().st_size)
            architecture = recognise_attention(part, arrays)
            networks[part] = TorchNetwork(
                path=path, arrays=arrays, architecture=architecture, batches=None, remarks=remarks
            )
    except UserError as error:
        raise UserError(f"{path} {error}") from None
    return networks
