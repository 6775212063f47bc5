"""`edges2shoes`: edges of shoes -> photos of shoes."""

from datasets.authors_settings import AUTHORS, BICYCLEGAN, CUTS, DISCOGAN
from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.edges2shoes.edges2shoes_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="edges of shoes -> photos of shoes; 2.2 GB download",
    recommended={
        "bicyclegan": BICYCLEGAN | {"load_scale": 1.0, "input_channels": 1, "epochs": 60},
        # The paper's appendix: batches of 4 at one rate, neither cut nor mirrored.
        "pix2pix": AUTHORS | {"load_scale": 1.0, "flip": False, "batch_size": 4, "epochs": 15, "schedule": "constant"},
        "cyclegan": AUTHORS | {"epochs": 5},
        "discogan": DISCOGAN,
        "cut": CUTS["cut"] | {"epochs": 10},
        "fastcut": CUTS["fastcut"] | {"epochs": 5},
    },
)
