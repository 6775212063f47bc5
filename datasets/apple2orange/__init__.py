"""`apple2orange`: apples <-> oranges."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.apple2orange.apple2orange_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="apples <-> oranges; 78 MB download",
    images=1019,
)
