"""What the TFDS builders of the pix2pix archives share: fetching, checking and reading one `<name>.tar.gz`."""

import gzip
import inspect
import io
import os
import shutil
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import requests
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.download.util import DownloadError

from gan_zoo.errors import UserError

ADDRESS = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/{name}.tar.gz"
SPLITS = ("train", "val", "test")
_ANSWER_SECONDS = 10  # TFDS itself would try again for minutes

# Neither the archives nor their pages carry terms of their own.
LICENSE = "No licence is stated with the archive; published for research. The rights stay with the images' owners. "


class Pix2PixBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Base of the builders; a subclass named `Builder` lies in its own folder with description, citation and tags.

    An example is `image_pair`, the archive's JPEG as it is with A in the left half and B in the right, and `filename`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The pairs of the authors' archive, bytes unchanged."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Only where the address does not answer: put the archive here, its name unchanged."

    SIZE: str  # of the archive, for people
    HOMEPAGE = "https://phillipi.github.io/pix2pix/"
    SOURCE_LICENSE = ""  # what is known of the terms of the images

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # TFDS' own way to find this path needs a package (importlib_resources) that it does not install.
        cls.code_path = epath.Path(inspect.getfile(cls))

    @property
    def url(self) -> str:
        return ADDRESS.format(name=self.name)

    @property
    def hand_fetched(self) -> Path:
        """Where an archive that the user has fetched is looked for."""
        return Path(self.data_dir_root) / "downloads" / "manual" / f"{self.name}.tar.gz"

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image_pair": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "filename": tfds.features.Text(),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            homepage=self.HOMEPAGE,
            license=LICENSE + self.SOURCE_LICENSE,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        archive = self._find_hand_fetched(dl_manager)
        fetched_here = archive is None
        if archive is None:
            archive = self._download(dl_manager)
        try:
            counts = count_pairs(archive)
        except UserError:
            if fetched_here:  # or the next attempt would take it again
                for path in archive.parent.glob(f"{archive.name}*"):
                    path.unlink()
            raise
        if fetched_here:
            self._record_checksum(archive)
        return {split: self._generate_examples(archive, split) for split in SPLITS if counts[split]}

    def _generate_examples(self, archive: Path, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for folder, filename, data in read_pairs(archive):
            if folder == split:
                yield filename, {"image_pair": io.BytesIO(data()), "filename": f"{split}/{filename}"}

    def _find_hand_fetched(self, dl_manager: tfds.download.DownloadManager) -> Path | None:
        try:
            archive = Path(dl_manager.manual_dir) / f"{self.name}.tar.gz"
        except AssertionError:  # TFDS' way to say that there is no such folder, or nothing in it
            return None
        if not archive.exists():
            return None
        known = (self.url_infos or {}).get(self.url)
        if known and tfds.core.download.checksums.compute_url_info(archive) != known:
            raise UserError(
                f"{archive} is not the file that {self.url} is known to give ({known.size} bytes, SHA-256 "
                f"{known.checksum}): fetch it again"
            )
        return archive

    def _download(self, dl_manager: tfds.download.DownloadManager) -> Path:
        downloads = Path(dl_manager.download_dir)
        try:
            # What TFDS has downloaded before needs no network: it keeps a note of the address beside each file.
            if not any(self.url in note.read_text() for note in (downloads / self.name).rglob("*.INFO*")):
                self._check_address(downloads)
            return Path(dl_manager.download(self.url))
        except requests.RequestException as error:
            reason = f"HTTP status {error.response.status_code}" if error.response is not None else "no answer"
        except (DownloadError, NonMatchingChecksumError) as error:
            reason = str(error)
        for leftover in (downloads / self.name).rglob("*.tmp.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        raise UserError(
            f"cannot download {self.url} ({self.SIZE}): {reason}; fetch it by other means, put it into "
            f"{self.hand_fetched.parent} as {self.hand_fetched.name} and repeat"
        ) from None

    def _check_address(self, downloads: Path) -> None:
        with requests.get(self.url, stream=True, timeout=_ANSWER_SECONDS) as response:
            response.raise_for_status()
            size = int(response.headers.get("Content-Length", 0))
        free = shutil.disk_usage(downloads).free
        # The archive, the records, and the records once more while TFDS sorts them.
        if 3 * size > free:
            raise UserError(
                f"{self.name} needs about {3 * size / 1e9:.1f} GB below {self.data_dir_root} and {free / 1e9:.1f} GB "
                "are free: free some or give another --data_dir"
            )

    def _record_checksum(self, archive: Path) -> None:
        """Notes size and SHA-256 of a first download in `checksums.tsv`, as TFDS' `register_checksums` does.

        Not by that option, because it would note a damaged archive too, before anybody has looked inside.
        """
        path = self._checksums_path
        if path is None or self.url in (self.url_infos or {}) or not os.access(path, os.W_OK):
            return  # where the package is read-only, TFDS' note beside the download remains
        info = tfds.core.download.checksums.compute_url_info(archive)
        info.filename = f"{self.name}.tar.gz"
        tfds.core.download.checksums.save_url_infos(path, {self.url: info})
        print(f"note: recorded the checksum of {self.url} in {path}", file=sys.stderr)


def count_pairs(archive: Path) -> Counter[str]:
    """Reads the whole archive and counts its pairs by split.

    Raises:
        UserError: for one that is damaged or holds no pairs.
    """
    try:
        counts = Counter(split for split, _, _ in read_pairs(archive))
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{archive} is damaged or no tar.gz archive ({error}): fetch it again") from None
    if not counts:
        raise UserError(f"{archive} holds no JPEG files in folders named {', '.join(SPLITS)}: it is another archive")
    return counts


def read_pairs(archive: Path) -> Iterator[tuple[str, str, Any]]:
    """Yields split, file name and a function that reads the bytes, to be called at once, of each JPEG in file order."""
    # Through `gzip`, which checks lengths and checksum; `tarfile` reading gzip itself takes a cut file for a whole one.
    with gzip.open(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                folder, _, filename = member.name.rpartition("/")
                split = folder.rpartition("/")[2]
                if not member.isfile() or split not in SPLITS or filename.startswith("."):
                    continue
                if filename.lower().endswith((".jpg", ".jpeg")):
                    yield split, filename, tar.extractfile(member).read
        while stream.read(1 << 20):
            pass
