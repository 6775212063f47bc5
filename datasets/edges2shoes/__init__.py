"""`edges2shoes`: edges of shoes -> photos of shoes."""

from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.edges2shoes.edges2shoes_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="edges of shoes -> photos of shoes; 2.2 GB download",
    recommended={
        "bicyclegan": {
            "load_scale": 1.0,
            "input_channels": 1,
            "epochs": 60,
            "flip": True,
        }
    },
)
