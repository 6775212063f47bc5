"""The notebook: clean in git, and it runs from its first to its last cell."""

import base64
import io
import pathlib

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TINY = """
IMAGE_SIZE, STEPS, BASE_FILTERS, NUM_DRAWINGS, NUM_SAMPLES = 32, 3, 4, 2, 3
MORE_SETTINGS = "--set discriminator_layers=1"
WORKDIR = {workdir!r}
"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_are_stripped(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_the_clone_address_stands_in_one_place():
    notebook = nbformat.read(ROOT / "notebooks" / "bicyclegan.ipynb", as_version=4)
    first_code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first_code.source.startswith('CLONE_ADDRESS = "https://')
    assert sum(cell.source.count("://github.com") for cell in notebook.cells) == 1


def test_bicyclegan_runs(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="the extra `notebooks` is not installed")
    pytest.importorskip("ipykernel", reason="the extra `notebooks` is not installed")
    notebook = nbformat.read(ROOT / "notebooks" / "bicyclegan.ipynb", as_version=4)
    (place,) = (number for number, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    workdir = tmp_path / "a run"
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(TINY.format(workdir=str(workdir))))
    # From the folder in which Jupyter would start it.
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()

    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    text = "".join(output.get("text", "") for output in outputs)
    assert "step 3/3" in text and "step_3.png" in text
    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    grids = [np.asarray(Image.open(io.BytesIO(base64.b64decode(picture)))) for picture in pictures]
    assert len(grids) == 4  # of training, of random z, of styles, of the interpolation
    assert grids[3].shape == (32, 8 * 32 + 7 * 2, 3)
    assert any("image/webp" in output.get("data", {}).get("text/html", "") for output in outputs)
    with Image.open(workdir / "interpolation.webp") as animation:
        # The frames are equal after three steps, and then stored as one.
        assert (animation.format, animation.size) == ("WEBP", (32, 32))
