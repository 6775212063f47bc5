"""`edges2handbags`: edges of handbags -> photos of handbags."""

from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.edges2handbags.edges2handbags_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="edges of handbags -> photos of handbags; 8.6 GB download",
    recommended={
        "bicyclegan": {
            "load_scale": 1.0,
            "input_channels": 1,
            "epochs": 30,
            "flip": True,
        }
    },
)
