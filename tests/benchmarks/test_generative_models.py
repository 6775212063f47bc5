"""The benchmark that measures what a notebook teaches: its settings win, and its figures are read."""

import nbformat

from benchmarks.generative_models import FAST, NOTEBOOK, read_figures, with_settings


def test_settings_come_behind_those_that_the_notebook_has() -> None:
    cells = with_settings(nbformat.read(NOTEBOOK, as_version=4), {"SEED": 7, **FAST}).cells
    (place,) = (number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", []))
    settings: dict = {}
    exec(cells[place].source, settings)
    assert {"SEED", *FAST} <= settings.keys()
    exec(cells[place + 1].source, settings)
    assert {name: settings[name] for name in ("SEED", *FAST)} == {"SEED": 7, **FAST}


def test_figures_are_read() -> None:
    assert read_figures("w1_gan 0.0125\nmodes [8, 7]\n") == {"w1_gan": 0.0125, "modes": 7.5}
