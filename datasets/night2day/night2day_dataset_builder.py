"""night2day, as tensorflow-datasets wants it."""

from datasets.pix2pix_builder import Pix2PixBuilder


class Builder(Pix2PixBuilder):
    """outdoor scenes by night -> by day; described in README.md."""

    SIZE = "about 4 GB"
    SOURCE_LICENSE = "The photos are webcam pictures of the Transient Attributes data set, published for research."
