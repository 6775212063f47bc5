"""The commands in the documents: every script, flag, setting, data set and make target that they name is there."""

import importlib
import pathlib
import re
import shlex

import pytest
from absl import flags

from datasets import DATASETS
from gan_zoo.config import Config, parse_settings, refuse_idle, resolve
from gan_zoo.errors import UserError
from gan_zoo.models import MODELS

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]


def commands(path: pathlib.Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    plain = [block for language, block in blocks if not language]
    return [line for block in plain for line in block.replace("\\\n", " ").splitlines() if line.strip()]


COMMANDS = [command for path in DOCUMENTS for command in commands(path)]


def flag_values(module: str) -> flags.FlagValues:
    return importlib.import_module(module).define_flags()


@pytest.mark.parametrize("command", [command for command in COMMANDS if re.match(r"python \S+\.py", command)])
def test_scripts_take_the_flags_that_the_documents_give_them(command) -> None:
    _, script, *arguments = shlex.split(command, comments=True)
    values = flag_values(script.removesuffix(".py").replace("/", "."))
    assert values([script, *arguments]) == [script]
    if script == "train.py":
        assert values.dataset in DATASETS
        given = parse_settings(MODELS[values.model].config_class, values.set)
        recommended = DATASETS[values.dataset].recommended.get(values.model, {})
        layers = [("recommended", recommended), ("--set", given)]
        config, _ = resolve(MODELS[values.model].config_class, layers)
        refuse_idle(config, given)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_has_the_targets_and_variables_that_the_documents_name(command) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in command.split()[1:]:
        name, _, value = word.partition("=")
        assert re.search(rf"^{name} \?=" if value else rf"^{name}:", makefile, flags=re.MULTILINE), word


def test_the_documents_give_commands_at_all() -> None:
    scripts = {word for command in COMMANDS for word in command.split() if word.endswith(".py")}
    assert {"train.py", "translate.py", "evaluate.py", "export.py"} <= scripts


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "SECURITY.md"], ids=lambda path: path.name)
def test_tests_that_hold_a_sentence_are_there(path) -> None:
    for name in re.findall(r"`(tests/[a-z0-9_/]+(?:\.py|/))`", path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


def accepts(config_class: type[Config], assignment: str) -> bool:
    try:
        config_class.from_dict(parse_settings(config_class, [assignment]))
    except UserError:
        return False
    return True


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_settings_and_flags_exist(path) -> None:
    text = path.read_text(encoding="utf-8")
    scripts = ("prepare", "train", "translate", "evaluate", "export", "import_weights")
    known = {name for script in scripts for name in flag_values(script)}
    known |= {"help", "constraint", "editable", "logdir"}
    assert set(re.findall(r"`--([a-z_]+)", text)) <= known
    settings = set(re.findall(r"--set ([a-z_0-9]+=[a-z_0-9.]+)", text)) - {"key=value", "preprocess=..."}
    for assignment in settings:
        name = assignment.partition("=")[0]
        classes = [model.config_class for model in MODELS.values()]
        fitting = [config_class for config_class in classes if name in config_class.__dataclass_fields__]
        assert fitting, assignment
        assert any(accepts(config_class, assignment) for config_class in fitting), assignment
