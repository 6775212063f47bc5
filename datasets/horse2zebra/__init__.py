"""`horse2zebra`: horses <-> zebras."""

from datasets.cyclegan_archive import archive_definition


def _builder_class() -> type:
    from datasets.horse2zebra.horse2zebra_dataset_builder import Builder

    return Builder


DEFINITION = archive_definition(
    _builder_class,
    description="horses <-> zebras; 117 MB download",
    images=1334,
)
