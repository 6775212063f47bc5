"""edges2shoes, as tensorflow-datasets wants it."""

from datasets.pix2pix_builder import Pix2PixBuilder


class Builder(Pix2PixBuilder):
    """edges of shoes -> photos of shoes; described in README.md."""

    SIZE = "2.2 GB"
    SOURCE_LICENSE = "UT Zappos50K, the source of the photos, is for academic, non-commercial use."
