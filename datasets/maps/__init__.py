"""`maps`: street maps -> aerial photos (b_to_a)."""

from datasets.authors_settings import AUTHORS, BICYCLEGAN, CUTS_B_TO_A, DUALGAN
from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.maps.maps_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="street maps -> aerial photos (b_to_a); 246 MB download",
    recommended={
        "bicyclegan": BICYCLEGAN | {"direction": "b_to_a", "load_scale": 600 / 256, "epochs": 400},
        # The paper goes both ways.
        "pix2pix": AUTHORS | {"direction": "b_to_a"},
        "cyclegan": AUTHORS,
        "dualgan": DUALGAN,
        **CUTS_B_TO_A,
    },
)
