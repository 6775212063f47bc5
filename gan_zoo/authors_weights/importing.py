"""Brings the authors' PyTorch weights into a workdir, and writes those of a run as the authors' code reads them.

The files hold names and numbers only: which model they make is found out from them.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from gan_zoo.authors_weights.architecture import Architecture, inner_kernels, recognise
from gan_zoo.authors_weights.names import BATCHES, joined_inputs, swap_halves, torch_variables
from gan_zoo.authors_weights.settings import NETWORKS, model_and_settings
from gan_zoo.authors_weights.wrappers import has_blur, without_wrappers
from gan_zoo.config import parse_settings, resolve
from gan_zoo.errors import UserError
from gan_zoo.models import MODELS
from gan_zoo.models.base import TranslationModel
from gan_zoo.models.bicyclegan import BicycleGAN
from gan_zoo.pretrained.safetensors_files import SUFFIX, read_safetensors
from gan_zoo.pretrained.torch_files import read_state_dict, write_state_dicts
from gan_zoo.pretrained.torch_layout import to_keras_layout, to_torch_layout, torch_shape
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.record import Run

UNKNOWN = "unknown"  # the data set of an imported run
IMPORT_FILE = "imported.json"
FILES = f"*_net_*.pth or *_net_*{SUFFIX}"
MAX_NAME = 400  # characters; the innermost of a U-Net of 12 halvings has about 100
MAX_BATCHES = 1 << 53
FILE_NAME = re.compile(r"(?P<epoch>.+)_net_(?P<part>G|D|E|D2|G_A|G_B|D_A|D_B)\.(pth|safetensors)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TorchNetwork:
    """One of the authors' files: what is in it, and what was found out about it.

    Attributes:
        batches: how many batches its batch norms have seen; None where the file does not say.
    """

    path: pathlib.Path
    arrays: Mapping[str, np.ndarray]
    architecture: Architecture
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
    blurred = "; it has blur pooling, which no network here has" if has_blur(found) else ""
    try:
        arrays, remarks = without_wrappers(found)
        _check_tensors(arrays, path.stat().st_size)
        architecture = recognise(arrays)
    except UserError as error:
        raise UserError(f"{path} {error}{blurred}") from None
    batches = [int(array) for name, array in arrays.items() if name.endswith(f".{BATCHES}")]
    # A width is read off one tensor: the others have to bear it out before a network of that width is made.
    for name, shape in inner_kernels(architecture):
        if name not in arrays or arrays[name].shape != shape:
            complaint = _other_shape(arrays[name], shape) if name in arrays else "is missing"
            raise UserError(f"{path} does not fit {architecture}: {name} {complaint}{blurred}")
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


def _other_shape(array: np.ndarray, shape: Sequence[int]) -> str:
    return f"has the shape {list(array.shape)} instead of {list(shape)}"


def import_weights(
    weights: Sequence[str | os.PathLike[str]],
    workdir: str | os.PathLike[str] | None,
    assignments: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Makes a workdir, at step 0, of the authors' weights.

    Args:
        weights: as `find_files` takes them.
        workdir: a new or empty folder; None: everything is checked and nothing is written.
        assignments: `key=value` settings, which win over what was found out.
        say: takes lines for the user.

    Raises:
        UserError: if the files do not make up a model, or the folder is not empty; nothing is written then.
    """
    folder = pathlib.Path(workdir) if workdir else None
    if folder and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"--workdir={folder} is not empty: give a new folder")
    networks = {part: read_network(path) for part, path in find_files(weights).items()}
    for network in networks.values():
        say(f"{network.path}: {'; left out: '.join([str(network.architecture), *network.remarks])}")
    name, found, remarks = model_and_settings({part: network.architecture for part, network in networks.items()})
    model_class = MODELS[name]
    given = parse_settings(model_class.config_class, assignments)
    config, origins = resolve(model_class.config_class, [("weights", found), ("--set", given)])
    keras.utils.set_random_seed(config.seed)
    model = model_class(config)
    _assign(model, {NETWORKS[name][part]: network for part, network in networks.items()})
    say(f"model {name}: {', '.join(f'{key}={_shown(value)}' for key, value in found.items() if key not in given)}")
    for remark in remarks:
        say(remark)
    absent = [role for part, role in NETWORKS[name].items() if part not in networks and role in model.networks]
    if absent:
        say(f"not given, and as before any training: {', '.join(absent)}")
    if folder is None:
        return
    model.compile()
    run = Run(model=name, dataset=UNKNOWN, data_dir=None, settings=config.to_dict(), origins=origins)
    record = {
        NETWORKS[name][part]: {"file": network.path.name, BATCHES: network.batches}
        for part, network in networks.items()
    }
    # All of it or nothing: a folder beside it, which then takes its name.
    partial = folder.absolute().with_name(f".{folder.absolute().name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        (partial / IMPORT_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        run.write(partial)
        Checkpoints(partial, model, run).save(0)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    # A run that goes on has to repeat what shapes its networks: a data set may recommend something else.
    words = [f"python train.py --model={name} --dataset=... --workdir={folder}"]
    for key, value in config.to_dict().items():
        if key in found or key in given or key.startswith(("discriminator_", "encoder_", "conditional", "dropout")):
            words.append(f"--set {key}={_shown(value)}")
    say(f"wrote {folder}; to train on: {' '.join(words)}")


def _shown(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _assign(model: TranslationModel, networks: Mapping[str, TorchNetwork]) -> None:
    """Gives our networks, by their roles, the weights; all of them fit, or none is changed."""
    pairs = []
    for role, network in networks.items():
        variables = torch_variables(model.networks[role])
        swapped = _swapped(model, role)
        optional = {name for name in variables if name.endswith(f".{BATCHES}")}  # PyTorch before 0.4.1 had none
        complaints = [
            ("is missing", [name for name in variables if name not in network.arrays and name not in optional]),
            ("is left over", [name for name in network.arrays if name not in variables]),
        ]
        for name in network.arrays.keys() & variables.keys():
            array, shape = network.arrays[name], torch_shape(variables[name])
            if array.shape != shape:
                complaints.append((_other_shape(array, shape), [name]))
            elif array.dtype.kind != ("i" if name in optional else "f"):
                complaints.append((f"is of the type {array.dtype}", [name]))
            elif name not in optional:
                if name in swapped:
                    array = swap_halves(array, swapped[name])
                pairs.append((variables[name], to_keras_layout(array)))
        texts = [f"{name} {complaint}" for complaint, names in complaints for name in names]
        if texts:
            more = f", and {len(texts) - 5} more" if len(texts) > 5 else ""
            raise UserError(f"{network.path} does not fit {network.architecture}: {', '.join(texts[:5])}{more}")
    for variable, array in pairs:
        variable.assign(array)


def _swapped(model: TranslationModel, role: str) -> dict[str, int]:
    """The kernels whose inputs the authors' code has in another order than ours."""
    return {} if isinstance(model, BicycleGAN) else joined_inputs(model.networks[role])


def _imported_batches(path: pathlib.Path) -> dict[str, int | None]:
    """How many batches the norms of each network had seen when it was imported; nothing for a run of ours."""
    if not path.exists():
        return {}
    try:
        batches = {role: entry[BATCHES] for role, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        batches = {"": ""}
    if not all(count is None or (type(count) is int and 0 <= count < MAX_BATCHES) for count in batches.values()):
        raise UserError(f"{path} is damaged: import the weights again")
    return batches


def _state_dict(model: TranslationModel, role: str, batches: int | None) -> dict[str, np.ndarray]:
    """A network's weights as PyTorch has them, with that number of batches for its batch norms, or none."""
    arrays = {}
    swapped = _swapped(model, role)
    for name, variable in torch_variables(model.networks[role]).items():
        if variable is not None:
            array = to_torch_layout(variable.numpy())
            arrays[name] = swap_halves(array, swapped[name]) if name in swapped else array
        elif batches is not None:
            arrays[name] = np.array(batches, np.int64)
    return arrays


def write_pytorch(workdir: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Writes the newest weights of a run as `latest_net_G.pth` and so on, state_dicts that the authors' code loads.

    A batch norm's `num_batches_tracked`, which ours does not count, is that of the imported file plus the steps since.

    Args:
        workdir: the run's folder.
        folder: to write to; made if it is missing.

    Returns:
        The files.

    Raises:
        UserError: for networks that the authors' code does not have, or if one of the files is there already.
    """
    run, model, step = load_run(workdir)
    folder = pathlib.Path(folder)
    seen = _imported_batches(pathlib.Path(workdir) / IMPORT_FILE)
    state_dicts = {}
    for part, role in NETWORKS.get(run.model, {}).items():
        if role in model.networks:
            batches = seen.get(role, 0)
            batches = None if batches is None else batches + step
            state_dicts[folder / f"latest_net_{part}.pth"] = _state_dict(model, role, batches)
    if not state_dicts:
        raise UserError(f"{workdir} holds a {run.model}, for which the authors' code has no files")
    there = [path for path in state_dicts if path.exists()]
    different = there if len(there) == len(state_dicts) else write_state_dicts(folder, state_dicts)
    if different:
        raise UserError(f"{different[0]} exists: give another folder")
    return list(state_dicts)
