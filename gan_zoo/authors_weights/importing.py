"""Brings the authors' PyTorch weights into a workdir, and writes those of a run as the authors' code reads them.

The files hold names and numbers only: which model they make is found out from them.
"""

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from gan_zoo.authors_weights.files import MAX_BATCHES, TorchNetwork, find_files, other_shape, read_bundle, read_network
from gan_zoo.authors_weights.names import BATCHES, joined_inputs, swap_halves, torch_variables
from gan_zoo.authors_weights.settings import NETWORKS, model_and_settings
from gan_zoo.authors_weights.ugatit import ugatit_settings
from gan_zoo.config import parse_settings, resolve
from gan_zoo.errors import UserError
from gan_zoo.models import MODELS
from gan_zoo.models.base import TranslationModel
from gan_zoo.models.bicyclegan import BicycleGAN
from gan_zoo.pretrained.torch_layout import to_keras_layout, to_torch_layout, torch_shape
from gan_zoo.pretrained.torch_writing import write_state_dicts
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.record import Run

UNKNOWN = "unknown"  # the data set of an imported run
IMPORT_FILE = "imported.json"


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
    bundle = read_bundle(weights)
    networks = bundle or {part: read_network(path) for part, path in find_files(weights).items()}
    for network in networks.values():
        say(f"{network.path}: {'; left out: '.join([str(network.architecture), *network.remarks])}")
    find_settings = ugatit_settings if bundle else model_and_settings
    name, found, remarks = find_settings({part: network.architecture for part, network in networks.items()})
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
        counts = {name for name in variables if name.endswith(f".{BATCHES}")}  # PyTorch before 0.4.1 had none
        optional = counts | {name for name, variable in variables.items() if isinstance(variable, np.ndarray)}
        complaints = [
            ("is missing", [name for name in variables if name not in network.arrays and name not in optional]),
            ("is left over", [name for name in network.arrays if name not in variables]),
        ]
        for name in network.arrays.keys() & variables.keys():
            array, variable = network.arrays[name], variables[name]
            if array.shape != torch_shape(variable):
                complaints.append((other_shape(array, torch_shape(variable)), [name]))
            elif array.dtype.kind != ("i" if name in counts else "f"):
                complaints.append((f"is of the type {array.dtype}", [name]))
            elif isinstance(variable, np.ndarray) and np.any(to_keras_layout(array) != variable):
                complaints.append(("is another filter", [name]))
            elif name not in optional:
                if name in swapped:
                    array = swap_halves(array, swapped[name])
                pairs.append((variable, to_keras_layout(array)))
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
            array = to_torch_layout(variable if isinstance(variable, np.ndarray) else variable.numpy())
            arrays[name] = swap_halves(array, swapped[name]) if name in swapped else array
        elif batches is not None:
            arrays[name] = np.array(batches, np.int64)
    return arrays


def write_pytorch(workdir: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Writes the newest weights of a run as `latest_net_G.pth` and so on, state_dicts that the authors' code loads.

    Of a U-GAT-IT they are one file, `DATASET_params_STEP.pt`.

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
    parts = {}
    for part, role in NETWORKS.get(run.model, {}).items():
        if role in model.networks:
            batches = seen.get(role, 0)
            batches = None if batches is None else batches + step
            parts[part] = _state_dict(model, role, batches)
    state_dicts = {folder / f"latest_net_{part}.pth": arrays for part, arrays in parts.items()}
    if run.model == "ugatit":
        if len(parts) < len(NETWORKS["ugatit"]):
            raise UserError(f"{workdir} has not the discriminators that the authors' code loads: discriminators=both")
        state_dicts = {folder / f"{run.dataset.replace(':', '_')}_params_{step:07d}.pt": parts}
    if not state_dicts:
        raise UserError(f"{workdir} holds a {run.model}, for which the authors' code has no files")
    there = [path for path in state_dicts if path.exists()]
    different = there if len(there) == len(state_dicts) else write_state_dicts(folder, state_dicts)
    if different:
        raise UserError(f"{different[0]} exists: give another folder")
    return list(state_dicts)
