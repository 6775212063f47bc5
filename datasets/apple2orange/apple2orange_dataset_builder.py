"""apple2orange, as tensorflow-datasets wants it."""

from datasets.cyclegan_builder import CycleGANBuilder


class Builder(CycleGANBuilder):
    """apples <-> oranges; described in README.md."""

    SIZE = "78 MB"
    SOURCE_LICENSE = "The photos come from ImageNet, for non-commercial research and education."
