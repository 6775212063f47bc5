"""The learning-rate policy `plateau`: the rate falls when the validation L1 has stopped doing so."""

import json
import math
from collections.abc import Iterable, Mapping

import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.training.callbacks import Logs, StepCallback

MAX_EXAMPLES = 64  # of the validation split, an epoch
SMALLEST_CHANGE = 1e-8  # of the rate; a smaller one is not made, so that it never becomes zero


class Plateau(tf.train.experimental.PythonState):
    """Multiplies the rate by `factor` after more than `patience` epochs without a new best value, and waits anew.

    `torch.optim.lr_scheduler.ReduceLROnPlateau(mode="min")`, with the values that the authors of CycleGAN gave it.
    It can lie in a `tf.train.Checkpoint`.

    Args:
        rate: the learning rate to begin with.
        patience: how many epochs in a row may bring nothing better.
        factor: on the rate.
        threshold: how far, relative to it, a value must lie below the best one to count as better.
    """

    def __init__(self, rate: float, *, patience: int = 5, factor: float = 0.2, threshold: float = 0.01) -> None:
        super().__init__()
        self.rate, self.patience, self.factor, self.threshold = rate, patience, factor, threshold
        self.best, self.bad_epochs = math.inf, 0

    def update(self, value: float) -> float:
        """Takes the value of an epoch, of which smaller is better, and returns the rate of the next one."""
        if value < self.best * (1.0 - self.threshold):
            self.best, self.bad_epochs = value, 0
        else:
            self.bad_epochs += 1
        if self.bad_epochs > self.patience:
            self.bad_epochs = 0
            if self.rate - self.rate * self.factor > SMALLEST_CHANGE:
                self.rate *= self.factor
        return self.rate

    def serialize(self) -> str:
        return json.dumps({"rate": self.rate, "best": self.best, "bad_epochs": self.bad_epochs})

    def deserialize(self, string_value: str) -> None:
        # By name: a checkpoint from anybody may bring numbers, and nothing else.
        try:
            state = json.loads(string_value)
            self.rate, self.best, self.bad_epochs = float(state["rate"]), float(state["best"]), int(state["bad_epochs"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise UserError(
                f"the learning rate's state is damaged ({type(error).__name__}): take another checkpoint"
            ) from None


class ReduceOnPlateau(StepCallback):
    """At the end of each data epoch, gives all of the model's optimizers the rate that its validation L1 asks for.

    It must come before what saves the checkpoint of that step, and after what reports the rate with which it was made.

    Args:
        start_step: steps done before this `fit`.
        plateau: the policy and its state.
        batches: the validation examples; the value is the mean of the model's `validation_l1` over them.
        steps_per_epoch: of a data epoch.
        writer: gets `validation_l1` for TensorBoard.
    """

    def __init__(
        self,
        start_step: int,
        plateau: Plateau,
        batches: Iterable[Mapping[str, tf.Tensor]],
        *,
        steps_per_epoch: int,
        writer: tf.summary.SummaryWriter,
    ) -> None:
        super().__init__(start_step)
        self.plateau, self.batches = plateau, batches
        self.steps_per_epoch, self.writer = steps_per_epoch, writer

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._validation_l1 = tf.function(self.model.validation_l1, reduce_retracing=True)

    def on_step(self, step: int, logs: Logs) -> None:
        if step % self.steps_per_epoch:
            return
        values = [float(self._validation_l1(batch)) for batch in self.batches]
        value = sum(values) / len(values)
        with self.writer.as_default(step=step):
            tf.summary.scalar("validation_l1", value)
        rate = self.plateau.update(value)
        for name, optimizer in self.model.optimizers.items():
            optimizer.learning_rate.assign(self.model.learning_rate_of(name, rate))
