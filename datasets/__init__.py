"""The data sets by name. Adding one: write its folder (or file) with a `DEFINITION`, and list it here."""

from datasets import edges2handbags, edges2shoes, facades, folder, maps, night2day, shapes
from datasets.definition import DatasetDefinition

DATASETS: dict[str, DatasetDefinition] = {
    "shapes": shapes.DEFINITION,
    "folder": folder.DEFINITION,
    "edges2shoes": edges2shoes.DEFINITION,
    "edges2handbags": edges2handbags.DEFINITION,
    "facades": facades.DEFINITION,
    "maps": maps.DEFINITION,
    "night2day": night2day.DEFINITION,
}
