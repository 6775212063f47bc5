"""A folder of photos to a folder of pairs, `train/`, `val/` and `test/`, on all cores."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import importlib.metadata
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import tensorflow as tf

import gan_zoo
from gan_zoo.data.picture_files import EVERYBODYS_TROUBLE, find_images, output_names, read_image
from gan_zoo.errors import UserError
from gan_zoo.images import BadImage, allow_pixels, write_png
from gan_zoo.pairs.making import NoRegions, PairMaker, digest
from gan_zoo.pairs.progress import ProgressBar
from gan_zoo.pairs.record import SPLITS, Line, PairRecord
from gan_zoo.pairs.settings import PairSettings

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "scikit-image")  # which the numbers may depend on
AHEAD = 4  # tasks that a process has before it, so that memory does not grow with the folder


@dataclasses.dataclass(frozen=True)
class Task:
    """A picture, where it is, and where its pair goes."""

    picture: str
    path: Path
    pair: Path


@dataclasses.dataclass(frozen=True)
class Workers:
    """What each process needs besides its tasks."""

    settings: PairSettings
    weights_dir: str | None = None
    max_pixels: int | None = None


def prepare(
    photos: str | os.PathLike[str],
    output: str | os.PathLike[str],
    workers: Workers,
    *,
    processes: int,
    classifier_sha256: str | None = None,
    say: Callable[[str], None] = print,
    complain: Callable[[str, str], None] = lambda picture, reason: None,
) -> dict[str, str]:
    """Makes the pairs of all photos that have none yet, and `pairs.json`.

    Args:
        photos: a folder of pictures and of such folders, or one picture. Where it has folders named train, val or test,
            these are the splits; else each split's share of the pictures is drawn by the seed.
        output: the folder to write to.
        workers: how pairs are made.
        processes: that make them; the pairs do not depend on it.
        classifier_sha256: of the file behind the settings' classifier.
        say: takes lines for the user.
        complain: gets each picture that could not be used, and why, as soon as that is known.

    Returns:
        The pictures that could not be used, with the reason.

    Raises:
        UserError: for what can be mended; nothing is written then.
    """
    settings, photos, output = workers.settings, Path(photos), Path(output)
    files, bad_files = find_images(photos, without=output)
    if photos.resolve() == output.resolve():
        raise UserError("--output: give another folder than --input")
    root = photos if photos.is_dir() else photos.parent
    paths = {file.relative_to(root).as_posix(): file for file in (*files, *bad_files)}
    splits = assigned(list(paths), settings)
    recorded = settings.belonging() | {"input": _fingerprint(paths)}
    if "classifier" in recorded:
        recorded["classifier"] = classifier_sha256
    record = PairRecord(output, recorded)
    try:
        bad: dict[str, str] = {}
        bar = ProgressBar(len(paths), "pictures")

        def take(line: Line) -> None:
            record.add(line)
            if line.get("bad"):
                bad[line["picture"]] = line["left_out"]
                bar.clear()
                complain(line["picture"], line["left_out"])

        for file, reason in bad_files.items():
            take(_left_out(file.relative_to(root).as_posix(), reason, bad=True))
        todo = [
            task
            for task in _tasks(paths, splits, output)
            if task.picture not in bad and not _is_there(record.lines.get(task.picture), output)
        ]
        if len(todo) < len(files):
            say(f"{len(files) - len(todo)} pictures were done before")
        done = len(paths) - len(todo)
        for line in _made(todo, output, workers, min(processes, len(todo))):
            take(line)
            done += 1
            bar(done)
    except BaseException:
        record.close()
        raise
    lines = list(record.lines.values())
    counts = collections.Counter(line["pair"].partition("/")[0] for line in lines if "pair" in line)
    record.finish({"pairs": {split: counts[split] for split in SPLITS}, "versions": _versions()})
    unseen = sum("left_out" in line and not line.get("bad") for line in lines)
    note = f"; {unseen} pictures left out, in which the classifier sees nothing" if unseen else ""
    say(f"pairs in {output}: {', '.join(f'{split} {counts[split]}' for split in SPLITS)}{note}")
    return bad


def assigned(names: Sequence[str], settings: PairSettings) -> dict[str, str]:
    """The split of each picture: by its folder, where there are folders of such names, else drawn by the seed.

    Drawn are the shares of the settings, rounded, of three pictures and more at least one of each share above zero.

    Args:
        names: of the pictures, below the input folder.

    Raises:
        UserError: for pictures beside the folders of splits.
    """
    folders = _split_folders(names)
    if folders:
        for name in names:
            if name not in folders:
                raise UserError(f"--input: {name} lies in none of the folders {', '.join(SPLITS)}, and there is one")
        return folders
    order = sorted(names, key=lambda name: digest(settings.seed, f"{name}\tsplit"))
    splits, start = {}, 0
    for split, share in (("val", settings.val), ("test", settings.test)):
        count = max(round(share * len(names)), 1 if share > 0 and len(names) >= 3 else 0)
        splits |= dict.fromkeys(order[start : start + count], split)
        start += count
    return {name: splits.get(name, "train") for name in names}


def _split_folders(names: Iterable[str]) -> dict[str, str]:
    """The splits of the pictures that lie in a folder of that name."""
    first = {name: name.partition("/")[0].casefold() for name in names if "/" in name}
    return {name: folder for name, folder in first.items() if folder in SPLITS}


def _tasks(paths: Mapping[str, Path], splits: Mapping[str, str], output: Path) -> Iterator[Task]:
    folders = _split_folders(paths)
    inner = [Path(name.partition("/")[2] if folders else name) for name in paths]
    for split in SPLITS:
        names = [(name, path) for name, path in zip(paths, inner, strict=True) if splits[name] == split]
        for (name, _), stem in zip(names, output_names([path for _, path in names]), strict=True):
            yield Task(name, paths[name], output / split / f"{stem}.png")


def _is_there(line: Line | None, output: Path) -> bool:
    """Whether a picture is done; one that could not be used is tried again."""
    if line is None or line.get("bad"):
        return False
    return "left_out" in line or (output / line["pair"]).is_file()


def _made(tasks: Sequence[Task], output: Path, workers: Workers, processes: int) -> Iterator[Line]:
    """The lines of tasks, in the order in which they are done."""
    if not tasks:
        return
    if processes == 1:
        _start(workers)
        yield from (_make(task, output) for task in tasks)
        return
    # TensorFlow does not survive a fork.
    pool = concurrent.futures.ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _start_process, (workers,)
    )
    waiting, rest = set(), iter(tasks)
    try:
        while True:
            for task in rest:
                waiting.add(pool.submit(_make, task, output))
                if len(waiting) >= AHEAD * processes:
                    break
            if not waiting:
                break
            done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool:
        raise UserError(
            "a process has ended before its picture was done, perhaps for want of memory: fewer --processes need less, "
            "and what is done is not done again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_maker: PairMaker | None = None  # of this process


def use_one_core() -> None:
    """Keeps TensorFlow in this process, which has not used it yet, to one core: sums then have one order in all."""
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _start_process(workers: Workers) -> None:
    """Begins a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one says what is to be done

    def end_with_parent() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)  # it was killed; nobody would end this one

    threading.Thread(target=end_with_parent, daemon=True).start()
    use_one_core()
    _start(workers)


def _start(workers: Workers) -> None:
    global _maker  # noqa: PLW0603 (a process has one)
    if workers.max_pixels is not None:
        allow_pixels(workers.max_pixels)
    _maker = PairMaker(workers.settings, workers.weights_dir)


def _make(task: Task, output: Path) -> Line:
    try:
        pair, record = _maker.pair(read_image(task.path), task.picture)
    except NoRegions as error:
        return _left_out(task.picture, str(error), bad=False)
    except BadImage as error:
        return _left_out(task.picture, str(error), bad=True)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        return _left_out(task.picture, "not enough memory", bad=True)
    try:
        task.pair.parent.mkdir(parents=True, exist_ok=True)
        write_png(task.pair, pair)
    except OSError as error:
        if error.errno in EVERYBODYS_TROUBLE:
            raise
        return _left_out(task.picture, f"its pair cannot be written: {error.strerror or error}", bad=True)
    return {"picture": task.picture, "pair": task.pair.relative_to(output).as_posix(), **record}


def _left_out(picture: str, reason: str, *, bad: bool) -> dict[str, Any]:
    return {"picture": picture, "left_out": reason, **({"bad": True} if bad else {})}


def _fingerprint(paths: Mapping[str, Path]) -> str:
    """A digest of the pictures' names and sizes."""
    sizes = (path.stat().st_size if path.is_file() else -1 for path in paths.values())
    lines = sorted(f"{name}\t{size}\n" for name, size in zip(paths, sizes, strict=True))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _versions() -> dict[str, str]:
    versions = {"gan_zoo": gan_zoo.__version__}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
