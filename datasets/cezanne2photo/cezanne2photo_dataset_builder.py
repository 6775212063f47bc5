"""cezanne2photo, as tensorflow-datasets wants it."""

from datasets.cyclegan_builder import CycleGANBuilder


class Builder(CycleGANBuilder):
    """paintings by Cezanne <-> photos of landscapes; described in README.md."""

    SIZE = "280 MB"
    SOURCE_LICENSE = "The paintings come from WikiArt; the photos come from Flickr and belong to their photographers."
