"""summer2winter, as tensorflow-datasets wants it."""

from datasets.cyclegan_builder import CycleGANBuilder


class Builder(CycleGANBuilder):
    """Yosemite in summer <-> in winter; described in README.md."""

    ARCHIVE = "summer2winter_yosemite"
    SIZE = "133 MB"
    SOURCE_LICENSE = "The photos come from Flickr and belong to their photographers."
