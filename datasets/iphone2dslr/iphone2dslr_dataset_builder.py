"""iphone2dslr, as tensorflow-datasets wants it."""

from datasets.cyclegan_builder import CycleGANBuilder


class Builder(CycleGANBuilder):
    """flowers photographed with a phone <-> with a camera of shallow focus; described in README.md."""

    ARCHIVE = "iphone2dslr_flower"
    SIZE = "340 MB"
    SOURCE_LICENSE = "The photos come from Flickr and belong to their photographers."
