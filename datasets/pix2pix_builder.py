"""What the TFDS builders of the pix2pix archives share: reading one `<name>.tar.gz` of side-by-side pairs."""

import gzip
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets.archive_builder import ArchiveBuilder, Picture
from gan_zoo.errors import UserError

ADDRESS = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/{name}.tar.gz"


class Pix2PixBuilder(ArchiveBuilder, skip_registration=True):
    """Base of the builders; a subclass named `Builder` lies in its own folder with description, citation and tags.

    An example is `image_pair`, the archive's JPEG as it is with A in the left half and B in the right, and `filename`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The pairs of the authors' archive, bytes unchanged."}

    SPLITS = ("train", "val", "test")
    IMAGE_KEY = "image_pair"
    HOMEPAGE = "https://phillipi.github.io/pix2pix/"

    @property
    def url(self) -> str:
        return ADDRESS.format(name=self.name)

    def count(self, archive: Path) -> Counter[str]:
        try:
            counts = Counter(split for split, _, _ in self.read(archive))
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"{archive} is damaged or no tar.gz archive ({error}): fetch it again") from None
        if not counts:
            folders = ", ".join(self.SPLITS)
            raise UserError(f"{archive} holds no JPEG files in folders named {folders}: it is another archive")
        return counts

    def read(self, archive: Path) -> Iterator[Picture]:
        # Through `gzip`, which checks lengths and checksum; `tarfile` reading gzip itself takes a cut file for a whole.
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    folder, _, filename = member.name.rpartition("/")
                    split = folder.rpartition("/")[2]
                    if not member.isfile() or split not in self.SPLITS or filename.startswith("."):
                        continue
                    if filename.lower().endswith((".jpg", ".jpeg")):
                        yield split, filename, tar.extractfile(member).read
            while stream.read(1 << 20):
                pass
