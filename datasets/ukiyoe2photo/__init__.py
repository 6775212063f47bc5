"""`ukiyoe2photo`: ukiyo-e woodblock prints <-> photos of landscapes."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.ukiyoe2photo.ukiyoe2photo_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="ukiyo-e woodblock prints <-> photos of landscapes; 293 MB download",
    images=6287,
)
