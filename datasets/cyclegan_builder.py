"""What the TFDS builders of the CycleGAN archives share: reading one `<name>.zip` of two sets of pictures.

TFDS has a builder of its own, `cycle_gan`, for the same archives. It is not used: it knows no archive that the user has
fetched, unpacks each beside itself, drops the files' names, and answers a silent address with minutes of waiting and a
traceback. Making it do otherwise would replace all but its list of addresses. What it knows is taken over instead: the
addresses, and the sizes and SHA-256 checksums, which stand in each data set's `checksums.tsv`.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets.archive_builder import ArchiveBuilder, Picture
from gan_zoo.errors import UserError

ADDRESS = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/{archive}.zip"


class CycleGANBuilder(ArchiveBuilder, skip_registration=True):
    """Base of the builders; a subclass named `Builder` lies in its own folder with description, citation and tags.

    An example is `image`, the archive's JPEG as it is, and `filename`. Each domain of each split is a split of its own.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The pictures of the authors' archive, bytes unchanged."}

    SPLITS = ("trainA", "trainB", "testA", "testB")
    IMAGE_KEY = "image"
    HOMEPAGE = "https://junyanz.github.io/CycleGAN/"
    ARCHIVE = ""  # its name, where it is not the data set's

    @property
    def url(self) -> str:
        return ADDRESS.format(archive=self.ARCHIVE or self.name)

    def count(self, archive: Path) -> Counter[str]:
        counts: Counter[str] = Counter()
        try:
            for split, _, data in self.read(archive):
                data()  # which checks the picture's checksum
                counts[split] += 1
        # The last one is for what a flipped bit makes of a member: an encrypted one, or an unknown compression.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise UserError(f"{archive} is damaged or no zip archive ({error}): fetch it again") from None
        missing = [split for split in self.SPLITS if not counts[split]]
        if missing:
            raise UserError(f"{archive} holds no JPEG files in {', '.join(missing)}: it is another archive")
        return counts

    def read(self, archive: Path) -> Iterator[Picture]:
        with zipfile.ZipFile(archive) as file:
            for member in file.infolist():
                folder, _, filename = member.filename.rpartition("/")
                split = folder.rpartition("/")[2]
                if split not in self.SPLITS or filename.startswith("."):
                    continue
                if filename.lower().endswith((".jpg", ".jpeg")):
                    yield split, filename, partial(file.read, member)
