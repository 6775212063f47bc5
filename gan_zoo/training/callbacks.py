"""What happens beside the training step: progress, logs, checkpoints, and reasons to stop.

All of them count global steps: a resumed run goes on where the one before it stopped.
"""

import collections
import contextlib
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.errors import NonFiniteError
from gan_zoo.runs.checkpoints import Checkpoints

Logs = Mapping[str, float]


class StepCallback(keras.callbacks.Callback):
    """Calls `on_step(step, logs)` after each step, `step` counting all the steps of the run, from 1."""

    def __init__(self, start_step: int) -> None:
        super().__init__()
        self.start_step = start_step

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_step(self.start_step + batch + 1, logs or {})

    def on_step(self, step: int, logs: Logs) -> None:
        raise NotImplementedError


class NonFiniteGuard(StepCallback):
    """Stops the run, with a `NonFiniteError`, at the first loss that is no longer a finite number."""

    def __init__(self, start_step: int, checkpoints: Checkpoints) -> None:
        super().__init__(start_step)
        self.checkpoints = checkpoints

    def on_step(self, step: int, logs: Logs) -> None:
        bad = [f"{name} is {value}" for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            raise NonFiniteError(
                f"stopped at step {step}: {', '.join(bad)}; {self.checkpoints.where_to_go_back()} "
                "(a lower learning_rate in a new --workdir may help)"
            )


class DataEpochs(StepCallback):
    """Tells the model when a data epoch, of `steps_per_epoch` steps, begins."""

    def __init__(self, start_step: int, steps_per_epoch: int) -> None:
        super().__init__(start_step)
        self.steps_per_epoch = steps_per_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.model.begin_epoch(self.start_step // self.steps_per_epoch)

    def on_step(self, step: int, logs: Logs) -> None:
        if step % self.steps_per_epoch == 0:
            self.model.begin_epoch(step // self.steps_per_epoch)


class StopSignals:
    """A context in which the first Ctrl-C, SIGTERM or closed terminal only asks the run to stop.

    The second acts as usual. A signal that the process was started to ignore, as `nohup` does, stays ignored.
    """

    NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # each system has some of them

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}
        self._terminals: list[int] = []

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is not threading.main_thread():
            return self  # Python gives signals to no other
        self._terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        for number in (getattr(signal, name) for name in self.NAMES if hasattr(signal, name)):
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not set from Python

    def _note(self, number: int, _: object) -> None:
        self.received = number
        self.__exit__()
        if number == getattr(signal, "SIGHUP", None):
            # Whatever is said to a terminal that is gone is an error, which would keep the run from saving. And its
            # shell may send the signal once more while it goes.
            signal.signal(number, signal.SIG_IGN)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in self._terminals:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)
        # Not print: the signal may have interrupted one.
        with contextlib.suppress(OSError):
            os.write(2, b"\nstopping after this step; once more stops at once, without saving\n")


def keep_if_due(checkpoints: Checkpoints, step: int, every: int) -> None:
    """Keeps the checkpoint of a step for good if the step is a multiple of `every` steps; 0 for never."""
    if step and every and step % every == 0:
        checkpoints.keep(step)


class SaveCheckpoints(StepCallback):
    """Saves every few minutes, at the end of each data epoch, at the end of the run and when asked to stop.

    Args:
        start_step: steps done before this `fit`.
        checkpoints: where to save.
        total_steps: the step at which the run ends.
        steps_per_epoch: of a data epoch.
        minutes: between two saves.
        keep_every: every how many data epochs a checkpoint is kept for good; 0 for never.
        stop: asks to save and stop.
    """

    def __init__(
        self,
        start_step: int,
        checkpoints: Checkpoints,
        *,
        total_steps: int,
        steps_per_epoch: int,
        minutes: float,
        keep_every: int,
        stop: StopSignals,
    ) -> None:
        super().__init__(start_step)
        self.checkpoints = checkpoints
        self.total_steps, self.steps_per_epoch = total_steps, steps_per_epoch
        self.minutes, self.keep_every, self.stop = minutes, keep_every, stop
        self._last_time = time.monotonic()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._keep(self.start_step)  # the run may have been stopped between a save and what keeps it

    def on_step(self, step: int, logs: Logs) -> None:
        stopping = self.stop.received is not None
        due = time.monotonic() - self._last_time >= 60 * self.minutes
        if stopping or due or step == self.total_steps or step % self.steps_per_epoch == 0:
            self.checkpoints.save(step)
            self._keep(step)
            self._last_time = time.monotonic()
        if stopping:
            self.model.stop_training = True

    def _keep(self, step: int) -> None:
        keep_if_due(self.checkpoints, step, self.keep_every * self.steps_per_epoch)


class Progress(StepCallback):
    """Shows where the run is and how its losses move, and writes the same to TensorBoard.

    A terminal gets one line that is rewritten several times a second, a file a line every `log_every` steps.
    Losses and speed are means over the last `log_every` steps; what happens between steps, pictures and checks, does
    not count as their time. `validation` gives the name and the value of one more figure, or None as long as there is
    none.
    """

    def __init__(
        self,
        start_step: int,
        *,
        total_steps: int,
        steps_per_epoch: int,
        batch_size: int,
        log_every: int,
        learning_rate: Callable[[int], float],
        writer: tf.summary.SummaryWriter,
        validation: Callable[[], tuple[str, float] | None] = lambda: None,
        stream: TextIO | None = None,
    ) -> None:
        super().__init__(start_step)
        self.validation = validation
        self.total_steps, self.steps_per_epoch, self.batch_size = total_steps, steps_per_epoch, batch_size
        self.log_every, self.learning_rate, self.writer = log_every, learning_rate, writer
        self.stream = sys.stdout if stream is None else stream
        self._losses: collections.deque[Logs] = collections.deque(maxlen=log_every)
        self._durations: collections.deque[float] = collections.deque(maxlen=log_every)  # of steps, in seconds
        self._began = 0.0  # when the step that is running did
        self._shown_at, self._open_line = 0.0, False

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._began = time.monotonic()

    def on_step(self, step: int, logs: Logs) -> None:
        self._losses.append(dict(logs))
        now = time.monotonic()
        if step > self.start_step + 1:  # the first one's time is the compiler's
            self._durations.append(now - self._began)
        log_now = step % self.log_every == 0 or step == self.total_steps
        if log_now:
            self._write_scalars(step)
        with contextlib.suppress(OSError):  # a terminal that was closed, a reader that has left
            self._show(step, now, log_now)

    def _show(self, step: int, now: float, log_now: bool) -> None:
        if self.stream.isatty():
            if log_now or now - self._shown_at > 0.2:
                self._shown_at, self._open_line = now, True
                self.stream.write("\r\x1b[K" + self._line(step, shutil.get_terminal_size().columns - 1))
                self.stream.flush()
        elif log_now or step == self.start_step + 1:
            print(self._line(step), file=self.stream, flush=True)

    def close(self) -> None:
        """Ends the line on a terminal, so that what follows begins a new one."""
        if self._open_line:
            self._open_line = False
            with contextlib.suppress(OSError):
                print(file=self.stream, flush=True)

    @property
    def images_per_second(self) -> float | None:
        """None before the second step."""
        if not self._durations:
            return None
        return len(self._durations) * self.batch_size / max(sum(self._durations), 1e-9)

    def means(self) -> dict[str, float]:
        """The losses' means over the last `log_every` steps, or over those of them that had the loss."""
        return {
            name: float(np.mean([losses[name] for losses in self._losses if name in losses]))
            for name in self._losses[-1]
        }

    def _write_scalars(self, step: int) -> None:
        with self.writer.as_default(step=step):
            for name, value in self.means().items():
                tf.summary.scalar(f"losses/{name}", value)
            tf.summary.scalar("learning_rate", self.learning_rate(step))
            if self.images_per_second is not None:
                tf.summary.scalar("images_per_second", self.images_per_second)
        self.writer.flush()

    def _line(self, step: int, width: int | None = None) -> str:
        epochs = math.ceil(self.total_steps / self.steps_per_epoch)
        epoch = (step - 1) // self.steps_per_epoch + 1
        parts = [f"epoch {epoch}/{epochs}", f"step {step}/{self.total_steps}"]
        if self.images_per_second is not None:
            remaining = (self.total_steps - step) * self.batch_size / self.images_per_second
            parts += [f"{self.images_per_second:.3g} images/s", f"ETA {in_words(remaining)}"]
        if validation := self.validation():
            parts.append(f"validation {validation[0]} {validation[1]:.3g}")
        means = self.means()
        # Where the room is short, long names give way first, evenly, then the last losses.
        for length in range(max([2, *map(len, means)]), 1, -1):
            losses = [f"{_shortened(name, length)} {value:.3g}" for name, value in means.items()]
            line = "  ".join([*parts, *losses])
            if width is None or len(line) <= width:
                return line
        while losses and len("  ".join([*parts, *losses])) > width:
            losses.pop()
        return "  ".join([*parts, *losses])[:width]


def _shortened(name: str, length: int) -> str:
    return "_".join(word[:length] for word in name.split("_"))


def in_words(seconds: float) -> str:
    """A duration in its two largest units."""
    seconds = round(seconds)
    for size, name, part, part_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {name} {seconds % size // part} {part_name}"
    return f"{seconds} s"
