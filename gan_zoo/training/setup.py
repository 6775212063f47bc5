"""What a run is set up with: devices, networks, the number of its steps and the rates of its optimizers."""

import math

import keras
import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.data.pipeline import batch_order
from gan_zoo.learning.schedules import EpochSchedule, epoch_factors
from gan_zoo.models.base import TranslationModel

STRATEGIES = ("auto", "one", "mirrored")


def make_strategy(name: str) -> tf.distribute.Strategy:
    """`one` device, `mirrored` on all GPUs (on all CPU devices where there is none), or `auto`: what there is.

    Raises:
        ValueError: for another name.
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy must be one of {', '.join(STRATEGIES)}. Received: {name!r}")
    devices = tf.config.list_logical_devices("GPU")
    if name == "one" or (name == "auto" and len(devices) < 2):
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices or tf.config.list_logical_devices("CPU")])


def build_model(model_class: type[TranslationModel], config: Config) -> TranslationModel:
    """Builds the networks, the same for the same seed, in the precision that the configuration asks for."""
    keras.utils.set_random_seed(config.seed)
    policy = keras.config.dtype_policy()
    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return model_class(config)
    finally:
        keras.config.set_dtype_policy(policy)


def check_batch(config: Config, strategy: tf.distribute.Strategy) -> None:
    """Refuses a batch that the devices cannot share.

    Raises:
        UserError: with what they can.
    """
    batch_order(config.batch_size, strategy.num_replicas_in_sync, config.batch_parts)


def count_steps(config: Config, num_examples: int) -> tuple[int, int]:
    """The steps of a data epoch, and those of the whole run."""
    steps_per_epoch = max(num_examples // config.batch_size, 1)
    return steps_per_epoch, config.steps or config.epochs * steps_per_epoch


def learning_rate_schedule(config: Config, total_steps: int, steps_per_epoch: int) -> EpochSchedule:
    """The configured policy, one that is a function of the epoch, over the data epochs of the run."""
    factors = epoch_factors(
        config.schedule,
        math.ceil(total_steps / steps_per_epoch),
        decay_fraction=config.decay_fraction,
        decay_every=config.decay_every,
        decay_factor=config.decay_factor,
    )
    return EpochSchedule(config.learning_rate * factors, steps_per_epoch)
