"""`vangogh2photo`: paintings by van Gogh <-> photos of landscapes."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.vangogh2photo.vangogh2photo_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="paintings by van Gogh <-> photos of landscapes; 307 MB download",
    images=6287,
)
