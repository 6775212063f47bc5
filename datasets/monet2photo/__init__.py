"""`monet2photo`: paintings by Monet <-> photos of landscapes."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.monet2photo.monet2photo_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="paintings by Monet <-> photos of landscapes; 305 MB download",
    images=6287,
)
