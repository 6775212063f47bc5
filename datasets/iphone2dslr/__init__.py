"""`iphone2dslr`: flowers photographed with a phone <-> with a camera of shallow focus."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.iphone2dslr.iphone2dslr_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="flowers photographed with a phone <-> with a camera of shallow focus; 340 MB download",
    images=3325,
)
