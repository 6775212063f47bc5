"""`summer2winter`: Yosemite in summer <-> in winter."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.summer2winter.summer2winter_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="Yosemite in summer <-> in winter; 133 MB download",
    images=1231,
)
