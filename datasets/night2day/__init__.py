"""`night2day`: outdoor scenes by night -> by day."""

from datasets.authors_settings import AUTHORS, BICYCLEGAN
from datasets.pix2pix_archive import archive_definition


def _builder_class() -> type:
    from datasets.night2day.night2day_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="outdoor scenes by night -> by day; about 4 GB download",
    recommended={
        "bicyclegan": BICYCLEGAN | {"load_scale": 286 / 256, "epochs": 100},
        # The paper's appendix: batches of 4 at one rate.
        "pix2pix": AUTHORS | {"batch_size": 4, "epochs": 17, "schedule": "constant"},
    },
)
