"""Two folders of images, made by anything, as batches that metrics take.

An image and its truth have the same path in their folders, but for the suffix. `NAME_translation`, as `translate.py`
calls its answer, stands for `NAME` where no other file does and the truth has that name alone; its contact sheet is
left out. So do `NAME_fake_B` and its kin, as the authors' test.py calls them, for `NAME_real_B` or `NAME`; what it lays
beside them is left out, so that both folders may be the same. Each file is judged once, by where it really is. What has
no partner, or one of another size or of other channels, still counts where two sets as wholes are compared; all that is
wrong is named, file by file.
"""

import collections
import concurrent.futures
import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gan_zoo.data.folders import list_pictures, where_they_are
from gan_zoo.data.memory import decode_if_room
from gan_zoo.data.picture_files import ANSWER, SHEET_FILE
from gan_zoo.errors import UserError
from gan_zoo.images import SUFFIXES, BadImage, to_8_bit, to_channels
from gan_zoo.metrics.base import EvaluationBatch

CHANNELS = 3  # grey becomes RGB of equal channels, and alpha is laid over white
AUTHORS_FAKE = re.compile("_fake_([AB])$")
WAITING_BATCHES = 4  # of images whose size no full batch has come together for


class FolderBatches:
    """The images of one folder, with those of the other as the truth.

    Args:
        generated: folder of the images to judge; folders in it count too, hidden files do not.
        reference: folder of real ones.
        num_images: how many of the generated ones are taken, in the order of their names; None for all.

    Attributes:
        alone: what becomes of an image without a partner.
        names: of the generated images that are taken: their paths in the folder without suffix, or their truth's.
        num_pairs: how many of them have a partner.
        skipped: what is wrong, by file; complete once `batches` and `reference_images` have been read.

    Raises:
        UserError: where there is no such folder, or no image in it.
    """

    alone = "it counts only where sets are compared"

    def __init__(
        self, generated: str | os.PathLike[str], reference: str | os.PathLike[str], num_images: int | None = None
    ) -> None:
        self.generated, self.reference = Path(generated), Path(reference)
        self.skipped: dict[str, str] = {}
        listed = _only(AUTHORS_FAKE, self._listed(self.generated, "--generated"))
        self._reference = self._listed(self.reference, "--reference", once=False)
        sides = {fake[1] for fake in map(AUTHORS_FAKE.search, listed) if fake}
        if sides:
            self._reference = _only(re.compile(f"_real_[{''.join(sides)}]$"), self._reference)
        self._generated = dict(list(_named_as(self._reference, listed).items())[:num_images])
        self.names: Sequence[str] = list(self._generated)
        common = self._generated.keys() & self._reference.keys()
        self.num_pairs = len(common)
        if not common:
            return
        for name, path in self._generated.items():
            if name not in common:
                self._note(path, f"has no partner in {self.reference}; {self.alone}")
        if num_images is None:
            for name, path in self._reference.items():
                if name not in common:
                    self._note(path, f"has no partner in {self.generated}; {self.alone}")

    @property
    def examples_of_names(self) -> str:
        """What there is where no name is in common."""
        made, real = (next(iter(files.values())) for files in (self._generated, self._reference))
        return f"{self.generated} has for instance {made.name}, {self.reference} {real.name}"

    @property
    def fields(self) -> frozenset[str]:
        """The fields that batches have."""
        return frozenset({"names", "outputs"} | ({"targets"} if self.num_pairs else set()))

    def batches(self, batch_size: int) -> Iterator[EvaluationBatch]:
        """Yields the generated images, each once, those of a batch of one size; `targets` where they have a partner.

        Images are `[H, W, 3]` uint8. Up to `WAITING_BATCHES` batches of them are in memory.
        """
        waiting: dict[tuple, list[tuple]] = {}  # (shape, that of the target or None): [(name, output, target)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for start in range(0, len(self.names), batch_size):
                for example in pool.map(self._example, self.names[start : start + batch_size]):
                    if example is None:
                        continue
                    key = tuple(None if image is None else image.shape for image in example[1:])
                    waiting.setdefault(key, []).append(example)
                    if len(waiting[key]) == batch_size:
                        yield self._joined(waiting.pop(key))
                    elif sum(map(len, waiting.values())) >= WAITING_BATCHES * batch_size:
                        yield self._joined(waiting.pop(next(iter(waiting))))
        for examples in waiting.values():
            yield self._joined(examples)

    def reference_images(self) -> Iterator[np.ndarray]:
        """The real images one by one, each `[H, W, 3]` uint8 of any size."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            # A picture that is the truth of several, by links, is one of the set.
            paths = list({path.resolve(): path for path in self._reference.values()}.values())
            for start in range(0, len(paths), 32):
                for image in pool.map(self._read, paths[start : start + 32]):
                    if image is not None:
                        yield to_channels(image, CHANNELS)

    def _example(self, name: str) -> tuple[str, np.ndarray, np.ndarray | None] | None:
        """Name, image and partner; no partner where there is no good one, None for an image that is not good."""
        path, partner = self._generated[name], self._reference.get(name)
        output = self._read(path)
        target = self._read(partner) if partner is not None else None  # first: both may be bad, and both are named
        if output is None:
            return None
        if partner is not None:
            reason = _difference(output, target, partner)
            if reason is not None:
                self._note(path, f"{reason}; {self.alone}")
                target = None
        rgb = [None if image is None else to_channels(image, CHANNELS) for image in (output, target)]
        return name, *rgb

    def _joined(self, examples: Sequence[tuple]) -> EvaluationBatch:
        names, outputs, targets = zip(*examples, strict=True)
        return EvaluationBatch(
            names=list(names), outputs=np.stack(outputs), targets=None if targets[0] is None else np.stack(targets)
        )

    def _read(self, path: Path) -> np.ndarray | None:
        """`[H, W, C]` uint8, or None after noting why not."""
        try:
            image = decode_if_room(path.read_bytes())
        except OSError as error:
            self._note(path, f"cannot be read: {error.strerror or error}")
        except BadImage as error:
            self._note(path, str(error))
        else:
            if image.dtype == np.uint16:
                image = to_8_bit(image)
            return image
        return None

    def _listed(self, folder: Path, flag: str, once: bool = True) -> dict[str, Path]:
        """The pictures below a folder, sorted, by their paths in it without suffix; notes those that cannot be read.

        Files whose names differ in their suffix alone keep it.
        """
        if not folder.is_dir():
            raise UserError(f"{flag}: there is no folder {folder}")
        found = list_pictures(folder, once=once)
        if not found:
            raise UserError(f"{flag}: no file in {folder} ends in {', '.join(SUFFIXES)}{where_they_are(folder)}")
        for path, bad in found.items():
            if bad is not None and not path.lower().endswith(SUFFIXES):
                self._note(Path(path), bad.reason)
        paths = [Path(path) for path, bad in found.items() if bad is None or path.lower().endswith(SUFFIXES)]
        # translate.py's own, which shows all of its pictures once more.
        paths = [path for path in paths if path != folder / SHEET_FILE] or paths
        # The same letters may be written in two ways, which depends on the system that made the file.
        relative = {path: unicodedata.normalize("NFC", path.relative_to(folder).as_posix()) for path in sorted(paths)}
        stems = {path: name[: -len(path.suffix)] for path, name in relative.items()}
        several = {stem for stem, count in collections.Counter(stems.values()).items() if count > 1}
        return {relative[path] if stem in several else stem: path for path, stem in stems.items()}

    def _note(self, path: Path, reason: str) -> None:
        self.skipped[str(path)] = reason


def _difference(output: np.ndarray, target: np.ndarray | None, partner: Path) -> str | None:
    """Why an image cannot be compared with its partner."""
    if target is None:
        return f"its partner {partner} cannot be used"
    if output.shape[:2] != target.shape[:2]:
        (height, width), (other_height, other_width) = output.shape[:2], target.shape[:2]
        return f"has {width}x{height} pixels, its partner {partner} has {other_width}x{other_height}"
    if output.shape[2] != target.shape[2]:
        return f"has {_kind(output)}, its partner {partner} has {_kind(target)}"
    return None


def _kind(image: np.ndarray) -> str:
    return {1: "1 channel (grey)", 3: "3 channels (RGB)", 4: "4 channels (RGB and alpha)"}[image.shape[2]]


def _only(kind: re.Pattern, files: dict[str, Path]) -> dict[str, Path]:
    """The files whose names are of a kind, or where there are none all of them."""
    return {name: path for name, path in files.items() if kind.search(name)} or files


def _named_as(reference: Collection[str], generated: Mapping[str, Path]) -> dict[str, Path]:
    """The generated files by the names of their truths, where those differ: see the top of this file."""

    def name_of(name: str) -> str:
        shorter = [name.removesuffix(f"_{ANSWER}")]
        if fake := AUTHORS_FAKE.search(name):
            shorter = [f"{name[: fake.start()]}_real_{fake[1]}", name[: fake.start()]]
        fitting = (short for short in shorter if short in reference and short not in generated)
        return name if name in reference else next(fitting, name)

    return {name_of(name): path for name, path in generated.items()}
