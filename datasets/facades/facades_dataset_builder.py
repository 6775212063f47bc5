"""facades, as tensorflow-datasets wants it."""

from datasets.pix2pix_builder import Pix2PixBuilder


class Builder(Pix2PixBuilder):
    """label maps of building fronts -> photos (b_to_a); described in README.md."""

    SIZE = "31 MB"
    SOURCE_LICENSE = "The CMP Facade Database, their source, was published for research and asks to be cited."
