"""horse2zebra, as tensorflow-datasets wants it."""

from datasets.cyclegan_builder import CycleGANBuilder


class Builder(CycleGANBuilder):
    """horses <-> zebras; described in README.md."""

    SIZE = "117 MB"
    SOURCE_LICENSE = "The photos come from ImageNet, for non-commercial research and education."
