"""Models whose networks do not learn all at every step: some take turns, some learn more often than others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.learning.schedules import TurnSchedule
from gan_zoo.models.base import LearningRate, TranslationModel


class TakesTurns(TranslationModel):
    """A model whose configuration says which networks learn at which step.

    `config.turn_length` is the number of steps after which all begins anew, `config.turns` by kind of network (the
    first word of its name) the steps of a turn, from 0 and ascending, at which it learns; a step may be there twice.

    Attributes:
        step: how many steps have been made, a part of the checkpoint.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")

    @property
    def extra_state(self) -> dict[str, tf.Variable]:
        return {**super().extra_state, "step": self.step}

    def updates(self) -> dict[str, int]:
        """How often each kind of network learns at the step that comes.

        A plain number, so that the graph of a step holds no more than what is learnt at it: it is read where the graph
        is traced, of which `make_train_function` makes one for each step of a turn.
        """
        with tf.init_scope():
            place = self._place()
        return {kind: tuple(places).count(place) for kind, places in self.config.turns.items()}

    def _place(self) -> int:
        return int(self.step.numpy()) % self.config.turn_length

    def make_train_function(self, force: bool = False) -> Callable[[Iterator[Any]], Mapping[str, tf.Tensor]]:
        """Makes a function for each step of a turn, and one that calls that of the step that comes."""
        if self.train_function is not None and not force:
            return self.train_function
        functions: dict[tuple[int, ...], Callable] = {}

        def train_function(iterator: Iterator[Any]) -> Mapping[str, tf.Tensor]:
            learning = tuple(self.updates().values())
            if learning not in functions:
                super(TakesTurns, self).make_train_function(force=True)
                functions[learning], self.train_function = self.train_function, train_function
            return functions[learning](iterator)

        self.train_function = train_function
        return train_function

    def learning_rate_of(self, name: str, learning_rate: LearningRate) -> LearningRate:
        """The schedule counts the steps of the run, an optimizer its own."""
        length, places = self.config.turn_length, self._places_of(name)
        if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule) and places != tuple(
            range(length)
        ):
            return TurnSchedule(learning_rate, length, places)
        return learning_rate

    def _places_of(self, name: str) -> Sequence[int]:
        return tuple(self.config.turns[name.partition("_")[0]])
