"""The data sets by name. Adding one: write its folder (or file) with a `DEFINITION`, and list it here."""

from datasets import folder, shapes
from datasets.definition import DatasetDefinition

DATASETS: dict[str, DatasetDefinition] = {
    "folder": folder.DEFINITION,
    "shapes": shapes.DEFINITION,
}
