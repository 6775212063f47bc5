"""The rules of the house: imports go one way, files stay short, the documents name what there is."""

import ast
import pathlib
import re

import pytest

from gan_zoo.models import MODELS

ROOT = pathlib.Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "gan_zoo").rglob("*.py"))
SOURCES = [*LIBRARY, *sorted((ROOT / "datasets").rglob("*.py")), *sorted(ROOT.glob("*.py"))]

BASE = {"gan_zoo", "errors"}
GROUND = {
    "config",
    "images",
    "image_pool",
    "initializers",
    "lab",
    "layers",
    "losses",
    "noise",
    "normalization",
    "optimizers",
    "schedules",
    "upsampling",
}
# Room -> the rooms of gan_zoo that it may import, besides itself where it is a folder.
ALLOWED = {
    "errors": set(),
    **dict.fromkeys(GROUND, BASE),
    "adalin": BASE | {"normalization"},
    "networks": BASE | {"torch_layout", "adalin", "initializers", "layers", "normalization", "upsampling"},
    "checkpoint_files": BASE,
    "checkpoints": BASE | {"checkpoint_files", "config"},
    "hints": BASE | {"noise"},
    "models": BASE | GROUND - {"images"} | {"hints", "networks", "checkpoints"},
    "resizing": BASE,
    "skipped_files": BASE | {"images"},
    "examples": BASE | {"images", "resizing", "skipped_files"},
    "pipeline": BASE | {"examples", "images", "resizing", "skipped_files"},
    "callbacks": BASE | {"images", "checkpoints"},
    "samples": BASE | {"images", "callbacks", "translating"},
    "health": BASE,
    "health_log": BASE,
    "health_measures": BASE | {"metrics"},
    "validation": BASE | {"health_measures", "images", "metrics", "translated_batches"},
    "early_stopping": BASE | {"health_log", "validation"},
    "checks": BASE
    | {"callbacks", "checkpoint_files", "checkpoints", "early_stopping", "health", "health_log", "health_measures"}
    | {"translated_batches", "validation"},
    "plateau": BASE | {"callbacks", "pipeline", "schedules"},
    "chroma": BASE | {"hints", "images", "lab"},
    "serving": BASE | {"translating"},
    "torch_layout": set(),
    "translating": {"chroma", "images"},
    "contact_sheet": BASE | {"hints", "images", "lab"},
    "charts": set(),
    "gallery": set(),
    "report": BASE | {"charts", "images", "report_figures", "report_pictures", "report_style", "gallery"},
    "report_figures": BASE | {"charts", "report_pictures"},
    "report_pictures": BASE | {"charts", "gallery", "images"},
    "report_style": set(),
    "metrics": BASE | {"images", "lab", "networks", "torch_files", "pretrained"},
    "translated_batches": BASE | {"examples", "images", "metrics", "noise", "translating"},
    "folder_batches": BASE | {"images", "metrics", "picture_files"},
    "label_maps": BASE | {"images"},
    "label_batches": BASE | {"folder_batches", "images", "label_maps", "metrics"},
    "evaluation": BASE | {"gallery", "label_maps", "metrics"},
    "evaluation_records": BASE | {"config", "evaluation", "images", "metrics"},
    "evaluation_output": BASE | {"evaluation", "evaluation_records", "metrics", "report"},
    "evaluation_folders": BASE | {"evaluation", "evaluation_output", "folder_batches", "label_batches", "metrics"},
    "evaluation_runs": BASE
    | {"checkpoint_files", "checkpoints", "config", "evaluation", "evaluation_output", "evaluation_records", "metrics"}
    | {"images", "models", "pipeline", "skipped_files", "translated_batches"},
    "workdir": BASE | {"checkpoints", "config"},
    "picture_files": BASE | {"images"},
    "translation": BASE | {"contact_sheet", "images", "picture_files", "translating"},
    "training_setup": BASE | GROUND | {"models", "pipeline"},
    "training_session": BASE
    | {"checkpoint_files", "checkpoints", "checks", "config", "early_stopping", "health_log", "models", "pipeline"}
    | {"plateau", "pretrained", "skipped_files", "training_setup", "translated_batches", "validation", "workdir"},
    "training_layout": BASE
    | {"callbacks", "checks", "health_log", "plateau", "samples", "skipped_files", "training_session"},
    "training": BASE
    | {"callbacks", "checkpoints", "config", "models", "pipeline", "skipped_files"}
    | {"training_layout", "training_session"},
    "torch_files": BASE | {"torch_pickle"},
    "torch_pickle": BASE,
    "torch_settings": BASE | {"networks"},
    "pretrained": BASE | {"torch_files"},
    "weights": BASE | {"checkpoints", "config", "models", "networks", "torch_files", "torch_layout", "torch_settings"},
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


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_reads_no_flags(path) -> None:
    assert not any(name.startswith("absl.flags") or name == "absl.app" for name in imported_modules(path))


@pytest.mark.parametrize("path", sorted((ROOT / "gan_zoo" / "models").glob("*.py")), ids=lambda path: path.name)
def test_no_model_imports_another(path) -> None:
    if path.stem in ("__init__", "base", "conditional_gan", "loading", "parts"):
        return
    shared = {f"gan_zoo.models.{name}" for name in ("base", "conditional_gan", "parts")}
    others = {f"gan_zoo.models.{other.stem}" for other in path.parent.glob("*.py")} - shared
    assert not imported_modules(path) & others


@pytest.mark.parametrize(
    "path", sorted((ROOT / "datasets").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_data_sets_know_only_images_and_errors(path) -> None:
    rooms = {name.split(".")[1] for name in imported_modules(path) if name.startswith("gan_zoo.")}
    assert rooms <= {"images", "errors"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_model_has_its_row_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in MODELS:
        assert re.search(rf"^\| `{name}` \|", readme, flags=re.MULTILINE), f"README.md has no row for {name}"
