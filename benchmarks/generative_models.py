"""How near do small GANs come to a density, which modes do they lose? python benchmarks/generative_models.py"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import nbclient
import nbformat
import numpy as np

USAGE = """usage: python benchmarks/generative_models.py [flags]

Runs `notebooks/generative_models.ipynb` once a seed and reports what it measures: so the figures are those of the code
that it shows. Each line has a value for each seed."""
NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "generative_models.ipynb"
FAST = {"SEEDS": 1, "PICTURE_STEPS": 1}  # nothing is measured of the picture


def with_settings(notebook: nbformat.NotebookNode, settings: Mapping[str, int]) -> nbformat.NotebookNode:
    """Puts settings behind the notebook's own."""
    (place,) = (number for number, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    source = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(source))
    return notebook


def read_figures(text: str) -> dict[str, float]:
    """What the notebook's last cell prints, a line `NAME VALUE` or `NAME [VALUE, ...]` a figure; of lists the mean."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {name: float(np.mean(json.loads(value))) for name, value in pairs}


def measure(settings: Mapping[str, int]) -> dict[str, float]:
    notebook = with_settings(nbformat.read(NOTEBOOK, as_version=4), settings)
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    nbclient.NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    return read_figures(notebook.cells[-1].outputs[0].text)


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_multi_integer("seed", [0, 1, 2], "a run of the notebook each; may be repeated", flag_values=values)
    return values


def main(values: flags.FlagValues) -> None:
    by_seed = []
    for seed in values.seed:
        start = time.perf_counter()
        by_seed.append(measure({"SEED": seed, **FAST}))
        print(f"seed {seed}: {(time.perf_counter() - start) / 60:.1f} min", flush=True)
    for name in by_seed[0]:
        print(f"{name}: " + ", ".join(f"{figures[name]:.4g}" for figures in by_seed))


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
