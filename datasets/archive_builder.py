"""What the TFDS builders of all archives share: finding, fetching and checking one file of pictures.

A file that the user has put into `downloads/manual` wins over the network. Whatever goes wrong ends in one line that
says what to do, where TFDS itself would try for minutes and leave a traceback.
"""

import inspect
import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import requests
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.download.util import DownloadError

from gan_zoo.errors import UserError

_ANSWER_SECONDS = 10  # TFDS itself would try again for minutes

# Neither the archives nor their pages carry terms of their own.
LICENSE = "No licence is stated with the archive; published for research. The rights stay with the images' owners. "
Picture = tuple[str, str, Callable[[], bytes]]  # split, file name, what reads the bytes (to be called at once)


class ArchiveBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Base of the bases: a subclass says where an archive lies and how its pictures are read.

    An example is the archive's JPEG as it is, named by `IMAGE_KEY`, and `filename`.
    """

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Only where the address does not answer: put the archive here, its name unchanged."

    SPLITS: ClassVar[tuple[str, ...]]
    IMAGE_KEY: ClassVar[str]
    SIZE: str  # of the archive, for people
    HOMEPAGE: ClassVar[str]
    SOURCE_LICENSE = ""  # what is known of the terms of the images

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # TFDS' own way to find this path needs a package (importlib_resources) that it does not install.
        cls.code_path = epath.Path(inspect.getfile(cls))

    @property
    def url(self) -> str:
        raise NotImplementedError

    def read(self, archive: Path) -> Iterator[Picture]:
        """Yields the pictures in the file's order."""
        raise NotImplementedError

    def count(self, archive: Path) -> Counter[str]:
        """Reads the whole archive and counts its pictures by split.

        Raises:
            UserError: for one that is damaged or holds none.
        """
        raise NotImplementedError

    @property
    def file_name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def hand_fetched(self) -> Path:
        """Where an archive that the user has fetched is looked for."""
        return Path(self.data_dir_root) / "downloads" / "manual" / self.file_name

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            self.IMAGE_KEY: tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
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
            counts = self.count(archive)
        except UserError:
            if fetched_here:  # or the next attempt would take it again
                for path in archive.parent.glob(f"{archive.name}*"):
                    path.unlink()
            raise
        if fetched_here:
            self._record_checksum(archive)
        return {split: self._generate_examples(archive, split) for split in self.SPLITS if counts[split]}

    def _generate_examples(self, archive: Path, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for folder, filename, data in self.read(archive):
            if folder == split:
                yield filename, {self.IMAGE_KEY: io.BytesIO(data()), "filename": f"{split}/{filename}"}

    def _find_hand_fetched(self, dl_manager: tfds.download.DownloadManager) -> Path | None:
        try:
            archive = Path(dl_manager.manual_dir) / self.file_name
        except AssertionError:  # TFDS' way to say that there is no such folder, or nothing in it
            return None
        if not archive.exists():
            return None
        known = (self.url_infos or {}).get(self.url)
        if known and tfds.core.download.checksums.compute_url_info(archive) != known:
            raise UserError(
                f"{archive} is not the file that {self.url} is known to give ({known.size} bytes, SHA-256 "
                f"{known.checksum}): fetch it again, or unpack it and use --dataset=folder"
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
        info.filename = self.file_name
        tfds.core.download.checksums.save_url_infos(path, {self.url: info})
        print(f"note: recorded the checksum of {self.url} in {path}", file=sys.stderr)
