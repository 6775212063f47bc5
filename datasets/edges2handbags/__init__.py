"""`edges2handbags`: edges of handbags -> photos of handbags."""

from datasets.authors_settings import AUTHORS, BICYCLEGAN, DISCOGAN
from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.edges2handbags.edges2handbags_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="edges of handbags -> photos of handbags; 8.6 GB download",
    recommended={
        "bicyclegan": BICYCLEGAN | {"load_scale": 1.0, "input_channels": 1, "epochs": 30},
        # The paper's appendix: batches of 4 at one rate, neither cut nor mirrored.
        "pix2pix": AUTHORS | {"load_scale": 1.0, "flip": False, "batch_size": 4, "epochs": 15, "schedule": "constant"},
        "discogan": DISCOGAN,
    },
)
