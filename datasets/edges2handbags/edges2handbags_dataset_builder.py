"""edges2handbags, as tensorflow-datasets wants it."""

from datasets.pix2pix_builder import Pix2PixBuilder


class Builder(Pix2PixBuilder):
    """edges of handbags -> photos of handbags; described in README.md."""

    SIZE = "8.6 GB"
    SOURCE_LICENSE = "The photos were collected from Amazon for research."
