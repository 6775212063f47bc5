"""A tiny BicycleGAN that is saved and brought back, with everything in it that a checkpoint has to hold."""

import pathlib

import numpy as np
from tiny_runs import TINY_BICYCLEGAN

from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.runs.record import Run
from gan_zoo.training.setup import build_model

# Dropout needs six halvings.
CONFIG = BicycleGANConfig.from_dict(
    TINY_BICYCLEGAN | {"image_size": 64, "base_filters": 2, "discriminator_scales": 1, "seed": 1}
)
RUN = Run(model="bicyclegan", dataset="eight", data_dir=None, settings=CONFIG.to_dict())


def new_model(**changes) -> BicycleGAN:
    model = build_model(BicycleGAN, BicycleGANConfig.from_dict(CONFIG.to_dict() | changes))
    model.compile()
    return model


def scramble(model: BicycleGAN, seed: int) -> None:
    """Gives everything that a checkpoint must hold values of its own."""
    random = np.random.default_rng(seed)
    parts = [*model.networks.values(), *model.optimizers.values()]
    for variable in [*(variable for part in parts for variable in part.variables), *model.seed_states]:
        values = random.integers(1, 1000, variable.shape)
        variable.assign(values.astype(np.dtype(variable.dtype)))


def everything(model: BicycleGAN) -> list[np.ndarray]:
    parts = [*model.networks.values(), *model.optimizers.values()]
    return [np.array(v) for part in parts for v in part.variables] + [np.array(v) for v in model.seed_states]


def index_files(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".index"))


class Disk:
    """What `shutil.disk_usage` says of a disk with so many free bytes."""

    def __init__(self, free: int) -> None:
        self.free = free
