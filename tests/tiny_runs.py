"""Small runs of train.py for the tests: settings, a data set of eight pictures, and a way to call the script."""

import contextlib
import dataclasses
import io
from collections.abc import Callable

import numpy as np

import command_line
import train
from datasets import DATASETS
from datasets.definition import DatasetDefinition
from gan_zoo.data.labelled import LabelledSource
from gan_zoo.data.single import SingleView
from gan_zoo.images import BadExample

TINY_BICYCLEGAN = {
    "image_size": 32,
    "batch_size": 2,
    "base_filters": 4,
    "encoder_filters": 4,
    "encoder_type": "plain",
    "discriminator_filters": 4,
    "discriminator_layers": 1,
    "latent_dim": 3,
}

_TINY_PARTS = {
    "image_size": 32,
    "batch_size": 2,
    "base_filters": 4,
    "discriminator_filters": 4,
    "discriminator_layers": 1,
}
_TINY_CUT = _TINY_PARTS | {"num_blocks": 1, "num_patches": 8, "head_width": 4}
# A new model adds its own, small enough for a step in about a second.
TINY = {
    "bicyclegan": TINY_BICYCLEGAN,
    "pix2pix": _TINY_PARTS,
    "colorization": _TINY_PARTS,
    "srgan": {
        "image_size": 32,
        "preprocess": "resize_and_crop",
        "load_scale": 1.0,
        "batch_size": 2,
        "base_filters": 4,
        "num_blocks": 1,
        "discriminator_filters": 4,
        "pretrain_epochs": 0,
        "content": "pixels",
    },
    "stargan": {
        "classes": "red,green,blue",
        "image_size": 32,
        "batch_size": 2,
        "num_blocks": 1,
        "base_filters": 4,
        "discriminator_filters": 4,
        "discriminator_layers": 2,
        "n_critic": 1,
    },
    "cyclegan": _TINY_PARTS | {"num_blocks": 1, "pool_size": 4},
    "discogan": _TINY_PARTS | {"image_size": 64, "discriminator_every": 1},  # all learn at each step
    "dualgan": _TINY_PARTS | {"image_size": 64},
    "ugatit": {
        "image_size": 32,
        "batch_size": 2,
        "base_filters": 4,
        "num_blocks": 1,
        "discriminator_filters": 4,
        "global_layers": 4,
        "local_layers": 3,
    },
    "unit": {
        "image_size": 32,
        "batch_size": 2,
        "base_filters": 4,
        "num_downs": 1,
        "num_blocks": 1,
        "shared_blocks": 1,
        "discriminator_filters": 4,
        "discriminator_layers": 2,
        "discriminator_scales": 2,
    },
    "cut": _TINY_CUT,
    "fastcut": _TINY_CUT,
}
# FastCUT is CUT with other defaults.
NETWORKS_OF_THEIR_OWN = [name for name in TINY if name != "fastcut"]


@dataclasses.dataclass
class EightPictures:
    """Noise, the same for the same index; `bad` ones are not readable."""

    size: int = 32
    count: int = 8
    bad: tuple[int, ...] = ()
    kind: str = "paired"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if index in self.bad:
            raise BadExample(f"{index}.png", "truncated")
        images = np.random.default_rng(index).integers(0, 256, [2, self.size, self.size, 3], np.uint8)
        return {"input_image": images[0], "target_image": images[1]}


def labelled(source: EightPictures, names: str = "red,green,blue") -> LabelledSource:
    """Their targets, each of the next class."""
    labels = names.split(",")
    targets = SingleView(source)
    domain = ByIndex(len(source), lambda index: targets[index]["target_image"])
    return LabelledSource(domain, labels, lambda index: np.eye(len(labels), dtype=np.float32)[index % len(labels)])


@dataclasses.dataclass
class ByIndex:
    """What a function gives for each index."""

    count: int
    get: Callable[[int], np.ndarray]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> np.ndarray:
        return self.get(index)


def definition(source: EightPictures, **recommended) -> DatasetDefinition:
    return DatasetDefinition(
        kind=source.kind,
        load=lambda split, config, data_dir: source,
        load_labelled=lambda split, config, data_dir: labelled(source, config.classes),
        label_settings=lambda config, data_dir: {"classes": config.classes},
        description="eight pictures",
        recommended={name: tiny | recommended for name, tiny in TINY.items()},
    )


def use_eight_pictures(monkeypatch, source: EightPictures | None = None, **recommended) -> None:
    """Makes `--dataset=eight` known."""
    monkeypatch.setitem(DATASETS, "eight", definition(EightPictures() if source is None else source, **recommended))


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str


def run_train(*words: str) -> Result:
    """Runs train.py in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command_line.run(
                train.main, train.define_flags(), train.USAGE, more_help=train.more_help, argv=["train.py", *words]
            )
        except SystemExit as exit_:
            code = exit_.code
    return Result(code, out.getvalue(), err.getvalue())


def assert_one_line(result: Result, code: int, *parts: str) -> None:
    """An error of one line that names all `parts`."""
    assert result.code == code, result
    assert result.err.count("\n") == 1 and result.err.startswith("error: "), result
    for part in parts:
        assert part in result.err, (part, result.err)
