"""Notebooks, run from their first to their last cell with small settings."""

import base64
import io
import pathlib

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TINY = "IMAGE_SIZE, STEPS, WORKDIR = 32, 3, {workdir!r}\nMORE_SETTINGS = '--log_every=1 {settings}'\n{more}\n"
FILTERS = "--set base_filters=4 --set discriminator_filters=4 --set discriminator_layers=1"


def read(path: pathlib.Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(name: str, workdir: pathlib.Path, settings: str, more: str) -> tuple[str, list[np.ndarray], list[str]]:
    """Runs a notebook that trains with tiny settings; returns what it printed, its pictures and its HTML."""
    results = execute(name, TINY.format(workdir=str(workdir), settings=settings, more=more))
    assert "step 3/3" in results[0]
    return results


def execute(name: str, settings: str, again: str | None = None) -> tuple[str, list[np.ndarray], list[str]]:
    """Runs a notebook with other settings behind its own; with `again`, all but the first cell after them twice.

    Returns what it printed, its pictures, and for each output its HTML or Markdown.
    """
    nbclient = pytest.importorskip("nbclient", reason="the extra `notebooks` is not installed")
    for module in ("ipykernel", "matplotlib"):
        pytest.importorskip(module, reason="the extra `notebooks` is not installed")
    notebook = read(ROOT / "notebooks" / f"{name}.ipynb")
    (place,) = (number for number, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    if again is not None:
        _, *rest = code_cells(notebook)[2:]
        notebook.cells += [nbformat.v4.new_code_cell(text) for text in (again, *(cell.source for cell in rest))]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(settings))
    # From the folder in which Jupyter would start it.
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()

    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    text = "".join(output.get("text", "") for output in outputs)
    data = [output.get("data", {}) for output in outputs]
    pictures = [Image.open(io.BytesIO(base64.b64decode(each["image/png"]))) for each in data if "image/png" in each]
    tables = [each.get("text/html", each.get("text/markdown", "")) for each in data]
    return text, [np.asarray(picture) for picture in pictures], tables
