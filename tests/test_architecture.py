"""The rules of the house: imports go one way, files stay short, the documents name what there is."""

import ast
import pathlib
import re

import pytest

from datasets import DATASETS
from gan_zoo.models import MODELS

ROOT = pathlib.Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "gan_zoo").rglob("*.py"))
ROOMS = sorted({path.parent for path in LIBRARY})
SOURCES = [*LIBRARY, *sorted((ROOT / "datasets").rglob("*.py")), *sorted(ROOT.glob("*.py"))]

GROUND = {"errors", "config", "images", "lab"}
# Room -> the rooms that it may import, besides itself where it is a folder. Each row names rooms of the rows above.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "colour_profiles": set(),
    "headers": set(),
    "tiff": set(),
    "png_rows": set(),
    "images": {"colour_profiles", "headers", "tiff", "png_rows"},
    "grids": {"images"},
    "lab": set(),
    "bicubic": set(),
    "config": {"errors"},
    "layers": set(),
    "learning": set(),
    "pretrained": {"errors"},
    "data": {"errors", "headers", "images", "tiff"},
    "pairs": {"errors", "images", "bicubic", "pretrained", "data"},
    "networks": {"errors", "layers", "pretrained"},
    "models": {"errors", "config", "images", "lab", "bicubic", "learning", "networks"},
    "translation": GROUND - {"config"} | {"grids", "learning", "data"},
    "export": {"errors", "images", "data", "translation"},
    "metrics": GROUND - {"config"} | {"bicubic", "networks", "pretrained"},
    "report": {"images", "grids"},
    "runs": {"errors", "config", "models"},
    "evaluation": GROUND - {"lab"} | {"learning", "data", "models", "translation", "metrics", "report", "runs"},
    "training": GROUND - {"lab"}
    | {"bicubic", "grids", "learning", "pretrained", "data", "models", "translation", "metrics", "runs", "evaluation"},
    "authors_weights": {"errors", "config", "layers", "pretrained", "models", "runs"},
    "api": {"errors", "config", "data", "models", "translation", "export", "metrics", "runs", "evaluation", "training"},
}


def imported_modules(path: pathlib.Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT / "gan_zoo").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_imports_one_way(path) -> None:
    room = room_of(path)
    modules = imported_modules(path)
    scripts = {script.stem for script in ROOT.glob("*.py")}
    outside = {name.split(".")[0] for name in modules}
    assert not outside & ({"datasets", "tests", "benchmarks"} | scripts), (
        "the library knows no data sets and no scripts"
    )
    if room == "__init__":
        return
    rooms = {name.split(".")[1] for name in modules if name.startswith("gan_zoo.") and name != "gan_zoo.__version__"}
    assert rooms <= ALLOWED[room] | {room}


def test_no_arrow_of_the_table_runs_up_and_none_is_missing() -> None:
    """So there is no circle, and whoever reads the table from above meets nothing that they do not know yet."""
    above: set[str] = set()
    for room, others in ALLOWED.items():
        assert others <= above, room
        above.add(room)
    assert above == {room_of(path) for path in LIBRARY} - {"__init__"}


def test_every_arrow_of_the_table_is_there() -> None:
    for room, others in ALLOWED.items():
        modules = set().union(*(imported_modules(path) for path in LIBRARY if room_of(path) == room))
        assert others <= {name.split(".")[1] for name in modules if name.startswith("gan_zoo.")}, room


@pytest.mark.parametrize("folder", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_is_a_hall(folder) -> None:
    assert len(list(folder.glob("*.py"))) <= 20


@pytest.mark.parametrize("folder", [*ROOMS[1:], ROOT / "datasets"], ids=lambda path: str(path.relative_to(ROOT)))
def test_each_room_says_what_lies_in_it(folder) -> None:
    """A row for each file in the docstring of the package."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    rows = re.findall(r"^\|.*\|$", docstring, flags=re.MULTILINE)
    named = {name for row in rows for name in row.split("`")[1::2]}
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", *DATASETS} <= named


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_reads_no_flags(path) -> None:
    assert not any(name.startswith("absl.flags") or name == "absl.app" for name in imported_modules(path))


SHARED_BY_MODELS = ("base", "class_maps", "conditional_gan", "labelled", "parts", "turns", "two_domains", "two_phases")


@pytest.mark.parametrize("path", sorted((ROOT / "gan_zoo" / "models").glob("*.py")), ids=lambda path: path.name)
def test_no_model_imports_another(path) -> None:
    if path.stem in ("__init__", *SHARED_BY_MODELS):
        return
    shared = {f"gan_zoo.models.{name}" for name in SHARED_BY_MODELS}
    others = {f"gan_zoo.models.{other.stem}" for other in path.parent.glob("*.py")} - shared
    assert not imported_modules(path) & others


@pytest.mark.parametrize(
    "path", sorted((ROOT / "datasets").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_data_sets_know_only_what_examples_are_made_of(path) -> None:
    rooms = {name.split(".")[1] for name in imported_modules(path) if name.startswith("gan_zoo.")}
    assert rooms <= {"images", "errors", "data"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_model_has_its_row_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in MODELS:
        assert re.search(rf"^\| `{name}` \|", readme, flags=re.MULTILINE), f"README.md has no row for {name}"
