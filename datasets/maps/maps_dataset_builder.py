"""maps, as tensorflow-datasets wants it."""

from datasets.pix2pix_builder import Pix2PixBuilder


class Builder(Pix2PixBuilder):
    """street maps -> aerial photos (b_to_a); described in README.md."""

    SIZE = "246 MB"
    SOURCE_LICENSE = "The pictures come from Google Maps, whose terms apply."
