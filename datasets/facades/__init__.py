"""`facades`: label maps of building fronts -> photos (b_to_a)."""

from datasets.authors_settings import AUTHORS, BICYCLEGAN, CUTS_B_TO_A, DUALGAN
from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.facades.facades_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="label maps of building fronts -> photos (b_to_a); 31 MB download",
    recommended={
        "bicyclegan": BICYCLEGAN | {"direction": "b_to_a", "load_scale": 286 / 256, "epochs": 400},
        "pix2pix": AUTHORS | {"direction": "b_to_a"},
        "cyclegan": AUTHORS,
        "dualgan": DUALGAN,
        **CUTS_B_TO_A,
    },
)
