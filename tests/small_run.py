"""A tiny BicycleGAN as a run on disk, with weights so large that z, the image and rounding all show in its output."""

import pathlib

import tensorflow as tf

from gan_zoo.checkpoints import Checkpoints
from gan_zoo.config import Run
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig

STEP = 12


def small_model(seed: int = 0, **settings) -> BicycleGAN:
    config = BicycleGANConfig(
        image_size=32,
        base_filters=4,
        encoder_filters=4,
        discriminator_filters=4,
        discriminator_layers=1,
        latent_dim=3,
        **settings,
    )
    model = BicycleGAN(config)
    generator = tf.random.Generator.from_seed(seed)
    for network in model.networks.values():
        for variable in network.trainable_variables:
            variable.assign(generator.normal(variable.shape, stddev=0.2))
    return model


def save_run(workdir: pathlib.Path, model: BicycleGAN, step: int = STEP) -> None:
    """Writes what `train.py` would have left after `step` steps."""
    model.compile()
    run = Run(model="bicyclegan", dataset="shapes", data_dir=None, settings=model.config.to_dict())
    workdir.mkdir(parents=True, exist_ok=True)
    run.write(workdir)
    Checkpoints(workdir, model, run).save(step)
