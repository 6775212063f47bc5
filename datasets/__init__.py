"""The data sets by name. Adding one: write its folder (or file) with a `DEFINITION`, and list it here."""

from datasets import shapes
from datasets.definition import DatasetDefinition

DATASETS: dict[str, DatasetDefinition] = {
    "shapes": shapes.DEFINITION,
}
