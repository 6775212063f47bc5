"""What the tests of the importer share: files with random weights, and a way to call the script."""

import contextlib
import io
import pathlib

import numpy as np
import pytest
from tiny_runs import Result

import command_line
import import_weights as script
from gan_zoo.authors_weights.importing import import_weights
from gan_zoo.authors_weights.names import torch_variables
from gan_zoo.pretrained.torch_layout import to_torch_layout, torch_shape
from gan_zoo.pretrained.torch_writing import write_state_dict

COUNT = "model.model.1.model.2.num_batches_tracked"
PARITY = pathlib.Path(__file__).parent / "parity"
TINY = {"image_size": 32, "num_downs": 5, "base_filters": 4, "discriminator_filters": 4, "discriminator_layers": 1}
SMALL = ["image_size=32", "discriminator_filters=2", "discriminator_layers=1"]


def run(*words: str) -> Result:
    """Runs import_weights.py in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as leaving:
        command_line.run(script.main, script.define_flags(), script.USAGE, argv=["import_weights.py", *words])
    return Result(leaving.value.code, out.getvalue(), err.getvalue())


def shapes(network) -> dict[str, np.ndarray]:
    return {name: np.zeros(torch_shape(variable)) for name, variable in torch_variables(network).items()}


def save(path: pathlib.Path, network, change=lambda arrays: arrays) -> pathlib.Path:
    """Writes random weights for a network."""
    random = np.random.default_rng(0)
    arrays = {}
    for name, variable in torch_variables(network).items():
        if isinstance(variable, np.ndarray):
            arrays[name] = to_torch_layout(variable)
        elif variable is None:
            arrays[name] = np.array(7)
        else:
            arrays[name] = random.standard_normal(torch_shape(variable)).astype(np.float32)
    write_state_dict(path, change(arrays))
    return path


def messages(path: pathlib.Path, workdir: pathlib.Path | None = None, *assignments: str) -> str:
    lines: list[str] = []
    import_weights([path], workdir, [*SMALL, *assignments], lines.append)
    return "\n".join(lines)
