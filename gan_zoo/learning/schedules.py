"""Learning-rate policies of the pix2pix / CycleGAN / BicycleGAN code that are functions of the data epoch."""

from collections.abc import Sequence
from typing import Self

import keras
import numpy as np
import tensorflow as tf


def linear_factor(epoch: np.ndarray, constant_epochs: int, decay_epochs: int) -> np.ndarray:
    """1 for `constant_epochs`, then down to just above 0 over `decay_epochs`; `epoch` counts from 0."""
    return 1.0 - np.maximum(0, epoch + 1 - constant_epochs) / (decay_epochs + 1)


def step_factor(epoch: np.ndarray, decay_every: int, decay_factor: float = 0.1) -> np.ndarray:
    """Times `decay_factor` every `decay_every` epochs."""
    return decay_factor ** (epoch // decay_every)


def cosine_factor(epoch: np.ndarray, half_period: int) -> np.ndarray:
    """Half a cosine from 1 to 0 over `half_period` epochs (and back up after it, as PyTorch's annealing does)."""
    return 0.5 * (1.0 + np.cos(np.pi * epoch / half_period))


def epoch_factors(
    policy: str,
    total_epochs: int,
    *,
    decay_fraction: float = 0.5,
    decay_every: int = 50,
    decay_factor: float = 0.1,
) -> np.ndarray:
    """The factor on the initial learning rate for each data epoch, `[total_epochs]`.

    The cosine reaches zero at the end of the run. The authors' `T_max` counts only the epochs before the linear decay
    would begin, so that their rate climbs back in the second half, which we take for an oversight.

    Raises:
        ValueError: for an unknown policy.
    """
    epoch = np.arange(total_epochs)
    if policy == "linear":
        decay_epochs = round(total_epochs * decay_fraction)
        return linear_factor(epoch, total_epochs - decay_epochs, decay_epochs)
    if policy == "step":
        return step_factor(epoch, decay_every, decay_factor)
    if policy == "cosine":
        return cosine_factor(epoch, total_epochs)
    if policy == "constant":
        return np.ones(total_epochs)
    raise ValueError(f"policy must be linear, step, cosine or constant. Received: policy={policy!r}")


@keras.saving.register_keras_serializable("gan_zoo")
class EpochSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate as a function of the step: `rates[step // steps_per_epoch]`, the last one kept for good."""

    def __init__(self, rates: np.ndarray, steps_per_epoch: int) -> None:
        self.rates = np.asarray(rates, np.float64)
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        epoch = tf.minimum(tf.cast(step, tf.int64) // self.steps_per_epoch, len(self.rates) - 1)
        return tf.gather(tf.constant(self.rates, keras.backend.floatx()), epoch)

    def rest(self, first_epoch: int, factor: float = 1.0) -> Self:
        """`factor` times the rates from `first_epoch` on, for an optimizer whose first step is there."""
        return type(self)(factor * self.rates[min(first_epoch, len(self.rates) - 1) :], self.steps_per_epoch)

    def get_config(self) -> dict:
        return {"rates": self.rates.tolist(), "steps_per_epoch": self.steps_per_epoch}


@keras.saving.register_keras_serializable("gan_zoo")
class TurnSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The rate of an optimizer that does not act at every step of the run, as a function of how often it has acted.

    Args:
        schedule: the rate as a function of the step.
        length: steps after which the turns repeat.
        places: the steps of a turn at which the optimizer acts, ascending; one may be there several times.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, length: int, places: Sequence[int]
    ) -> None:
        self.schedule, self.length, self.places = schedule, length, tuple(places)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        turn, number = tf.cast(step, tf.int64) // len(self.places), tf.cast(step, tf.int64) % len(self.places)
        return self.schedule(turn * self.length + tf.gather(tf.constant(self.places, tf.int64), number))

    def get_config(self) -> dict:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "length": self.length, "places": list(self.places)}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        return cls(**{**config, "schedule": keras.saving.deserialize_keras_object(config["schedule"])})
