"""What all evaluations share: the user's choices, the way to the table, the record and the report, and progress."""

import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from gan_zoo.errors import UserError
from gan_zoo.evaluation.measuring import Evaluation
from gan_zoo.evaluation.records import comparable, read_records, record, remarks, table, write_record
from gan_zoo.metrics import METRICS
from gan_zoo.report.page import write_report

NUM_SAMPLES = 20
BATCH_SIZE = 8
PROGRESS_SECONDS = 30  # between two lines where the output is no terminal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user may choose for any evaluation.

    Attributes:
        names: of metrics; None for all the usual ones that can be computed.
        num_images: the first ones; None for all.
        num_samples: of each input, for metrics that look at several; None for 20.
        seed: of the noise, and of what metrics draw.
        batch_size: images at once.
        weights_dir: see `gan_zoo.pretrained.fetching.fetch`.
    """

    names: Sequence[str] | None = None
    num_images: int | None = None
    num_samples: int | None = None
    seed: int = 0
    batch_size: int = BATCH_SIZE
    weights_dir: str | None = None

    def __post_init__(self) -> None:
        if self.names is not None and not self.names:
            raise UserError(
                f"--metrics is empty: leave it out for the usual ones, or give some of {', '.join(METRICS)}"
            )


def is_complete(evaluation: Evaluation, names: Sequence[str] | None) -> bool:
    """Whether all that was given could be used, and all that was asked for by name computed; or, of the usual, any."""
    if names is None:
        return not evaluation.skipped and bool(evaluation.figures)
    return not evaluation.skipped and not evaluation.missing


def publish(
    evaluation: Evaluation, about: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Says what was found, and writes and returns the record of it."""
    for line in (*table(evaluation), *remarks(evaluation)):
        say(line)
    counts = dict(evaluation.num_images)
    written = record(evaluation, {**about, "num_images": counts if len(counts) > 1 else sum(counts.values())})
    write_record(folder, written)
    return written


def report(folder: Path, newest: Mapping[str, Any], evaluation: Evaluation, say: Callable[[str], None]) -> None:
    """Writes the report, with the curves of all records in the folder that compare with the newest one."""
    records = comparable(read_records(folder), newest)
    path = write_report(folder, records, evaluation.galleries, step=newest["about"].get("step"))
    say(f"report: {path}")


def writable(folder: str | os.PathLike[str]) -> Path:
    """The folder, if it can be written to or made, and its records can be read: seen before hours of work, not after.

    Raises:
        UserError: if not.
    """
    folder = Path(folder)
    read_records(folder)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UserError(f"--output: {existing} is a file where a folder is needed")
    try:
        with tempfile.TemporaryFile(dir=existing):
            return folder
    except OSError as error:
        raise UserError(
            f"--output: {existing} cannot be written to ({error.strerror}): choose another folder"
        ) from None


class ImageCounter:
    """Says how many images are done: one line that is rewritten on a terminal, else a line now and then.

    Args:
        what: before the count.
        total: how many there will be at most.
    """

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self.what, self.total, self.stream = what, total, stream or sys.stdout
        self._said_at = time.monotonic()

    def __enter__(self) -> "ImageCounter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def __call__(self, count: int) -> None:
        line = f"{self.what} {count}/{self.total} images".strip()
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{line}")
            self.stream.flush()
        elif time.monotonic() - self._said_at > PROGRESS_SECONDS or count >= self.total:
            self._said_at = time.monotonic()
            print(line, file=self.stream, flush=True)
