"""`cezanne2photo`: paintings by Cezanne <-> photos of landscapes."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.cezanne2photo.cezanne2photo_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="paintings by Cezanne <-> photos of landscapes; 280 MB download",
    images=6287,
)
