"""What the tests of evaluate.py share: a way to call it, folders to give it, and what it wrote."""

import contextlib
import io
import json
import pathlib

import numpy as np
from small_run import STEP
from tiny_runs import Result

import command_line
import evaluate
from gan_zoo.images import encode_png


def run_evaluate(*words: object) -> Result:
    """Runs evaluate.py in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command_line.run(
                evaluate.main, evaluate.define_flags(), evaluate.USAGE, argv=["evaluate.py", *map(str, words)]
            )
        except SystemExit as exit_:
            code = exit_.code
    return Result(code, out.getvalue(), err.getvalue())


def read_record(folder: pathlib.Path, step: int = STEP) -> dict:
    def refuse(constant: str):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads((folder / f"step_{step}.json").read_text(encoding="utf-8"), parse_constant=refuse)


def figures(record: dict) -> dict[str, float]:
    return {figure["name"]: figure["value"] for figure in record["figures"]}


def write_images(folder: pathlib.Path, images: dict[str, bytes | np.ndarray]) -> None:
    for name, image in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image if isinstance(image, bytes) else encode_png(image))
