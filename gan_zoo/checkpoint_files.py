"""Where the checkpoints of a run lie, as files: `workdir/checkpoints/` holds the last few (`step-N.*`), `kept/` in it
those kept for good.
"""

import os
import pathlib
import re
import shutil

import tensorflow as tf

FOLDER = "checkpoints"
KEPT_FOLDER = "kept"
PREFIX = "step"


def step_of(path: str) -> int:
    """The step in a checkpoint's path prefix."""
    return int(re.fullmatch(rf"{PREFIX}-(\d+)", pathlib.Path(path).name)[1])


def last_paths(workdir: str | os.PathLike[str]) -> list[str]:
    """The path prefixes of the last few, the newest at the end: what TensorFlow's file names and what is there."""
    state = tf.train.get_checkpoint_state(str(pathlib.Path(workdir) / FOLDER))
    paths = state.all_model_checkpoint_paths if state else []
    return [path for path in paths if pathlib.Path(f"{path}.index").exists()]


def whole_ones(folder: pathlib.Path) -> list[str]:
    """The path prefixes of the checkpoints in a folder that `link` fills."""
    return [str(file.with_suffix("")) for file in folder.glob(f"{PREFIX}-*.index")]


def link(folder: pathlib.Path, step: int, other: pathlib.Path) -> None:
    """Puts the checkpoint of a step into another folder too, by hard links where there are such; again is no matter."""
    # The index last: a checkpoint without it does not exist.
    for file in sorted(folder.glob(f"{PREFIX}-{step}.*")):
        partial = other / f".{file.name}.partial"
        partial.unlink(missing_ok=True)
        try:
            os.link(file, partial)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, partial)
        os.replace(partial, other / file.name)
        partial.unlink(missing_ok=True)  # stays where both are already links to the same file
