"""What happens beside the training step, without a training."""

import concurrent.futures
import io
import os
import signal
import time
import types

import pytest
import tensorflow as tf

from gan_zoo.errors import NonFiniteError
from gan_zoo.training import callbacks
from gan_zoo.training.callbacks import DataEpochs, NonFiniteGuard, Progress, SaveCheckpoints, StopSignals, in_words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Half a second a step."""

    def __init__(self, monkeypatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(callbacks.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def writer(tmp_path):
    return tf.summary.create_file_writer(str(tmp_path / "logs"))


def progress(stream, writer, start_step: int = 0, **changes) -> Progress:
    settings = {"total_steps": 10, "steps_per_epoch": 4, "batch_size": 2, "log_every": 3} | changes
    return Progress(start_step, learning_rate=lambda step: 1.0, writer=writer, stream=stream, **settings)


def feed(callback, clock: Clock, steps: int, pause: float = 0.0) -> None:
    for batch in range(steps):
        callback.on_train_batch_begin(batch)
        clock.now += 0.5
        callback.on_train_batch_end(batch, {"l1": float(batch + 1), "gan_encoded": 0.25})
        clock.now += pause


def test_a_file_gets_a_line_every_so_often(clock, writer) -> None:
    stream = io.StringIO()
    feed(progress(stream, writer), clock, 10, pause=7.0)  # for pictures and checks, between the steps
    # Two images each half second; losses are means over the last three steps.
    assert stream.getvalue().splitlines() == [
        "epoch 1/3  step 1/10  l1 1  gan_encoded 0.25",
        "epoch 1/3  step 3/10  4 images/s  ETA 4 s  l1 2  gan_encoded 0.25",
        "epoch 2/3  step 6/10  4 images/s  ETA 2 s  l1 5  gan_encoded 0.25",
        "epoch 3/3  step 9/10  4 images/s  ETA 0 s  l1 8  gan_encoded 0.25",
        "epoch 3/3  step 10/10  4 images/s  ETA 0 s  l1 9  gan_encoded 0.25",
    ]


def test_the_figure_of_the_last_check_is_shown_where_there_is_one(clock, writer) -> None:
    stream = io.StringIO()
    figures = iter([None, ("a_to_b/cycle_psnr", 21.25)])
    feed(progress(stream, writer, log_every=1, validation=lambda: next(figures)), clock, 2)
    first, second = stream.getvalue().splitlines()
    assert first == "epoch 1/3  step 1/10  l1 1  gan_encoded 0.25"
    assert second.endswith("ETA 4 s  validation a_to_b/cycle_psnr 21.2  l1 2  gan_encoded 0.25")


def test_a_loss_that_begins_in_the_middle_is_the_mean_over_its_own_steps(clock, writer) -> None:
    bar = progress(io.StringIO(), writer)
    for batch, logs in enumerate([{"l1": 1.0, "old": 9.0}, {"l1": 2.0, "gan": 4.0}, {"l1": 6.0, "gan": 8.0}]):
        bar.on_train_batch_end(batch, logs)
    assert bar.means() == {"l1": 3.0, "gan": 6.0}


@pytest.mark.parametrize(("start_step", "epochs"), [(0, [0, 1, 2]), (3, [0, 1, 2]), (4, [1, 2])])
def test_a_model_is_told_of_each_data_epoch(start_step, epochs) -> None:
    told = []
    callback = DataEpochs(start_step, 4)
    callback.set_model(types.SimpleNamespace(begin_epoch=told.append))
    callback.on_train_begin()
    for batch in range(10 - start_step):
        callback.on_train_batch_end(batch, {})
    assert told == epochs


def test_a_resumed_run_counts_on(clock, writer) -> None:
    stream = io.StringIO()
    feed(progress(stream, writer, start_step=5), clock, 2)
    assert [line.split("  ")[:2] for line in stream.getvalue().splitlines()] == [["epoch 2/3", "step 6/10"]]


def test_a_terminal_gets_one_line_that_fits(clock, writer, monkeypatch) -> None:
    for columns, losses in (
        (200, "l1 9  gan_encoded 0.25"),
        (64, "l1 9  gan_enco 0.25"),
        (60, "ETA 0 s  l1 9"),
        (20, ""),
    ):
        monkeypatch.setattr(callbacks.shutil, "get_terminal_size", lambda c=columns, **_: os.terminal_size((c, 24)))
        stream = Terminal()
        bar = progress(stream, writer)
        feed(bar, clock, 10)
        assert "\n" not in stream.getvalue()
        shown = stream.getvalue().split("\r\x1b[K")[1:]
        assert all(len(line) < columns for line in shown) and len(shown) == 10
        assert shown[-1].endswith(losses), shown[-1]
        bar.close()
        bar.close()
        assert stream.getvalue().endswith("\n") and stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599.6, "1 h 0 min"), (7260, "2 h 1 min"), (180000, "2 d 2 h")],
)
def test_durations_in_words(seconds, words) -> None:
    assert in_words(seconds) == words


class SpyCheckpoints:
    def __init__(self) -> None:
        self.saved, self.kept = [], []

    def save(self, step: int) -> str:
        self.saved.append(step)
        return f"step-{step}"

    def keep(self, step: int) -> None:
        self.kept.append(step)

    def where_to_go_back(self) -> str:
        return "the last good checkpoint is step-7"


class Stoppable:
    stop_training = False


def saver(checkpoints: SpyCheckpoints, stop: StopSignals, start_step: int = 0, **changes) -> SaveCheckpoints:
    settings = {"total_steps": 11, "steps_per_epoch": 4, "minutes": 60.0, "keep_every": 0} | changes
    callback = SaveCheckpoints(start_step, checkpoints, stop=stop, **settings)
    callback.set_model(Stoppable())
    return callback


def test_saves_at_the_ends_of_data_epochs_and_of_the_run(clock) -> None:
    checkpoints = SpyCheckpoints()
    feed(saver(checkpoints, StopSignals(), keep_every=2), clock, 11)
    assert checkpoints.saved == [4, 8, 11] and checkpoints.kept == [8]
    checkpoints = SpyCheckpoints()
    feed(saver(checkpoints, StopSignals(), start_step=6), clock, 5)
    assert checkpoints.saved == [8, 11] and checkpoints.kept == []


def test_what_a_stop_kept_from_being_kept_is_kept_at_the_start() -> None:
    checkpoints = SpyCheckpoints()
    for start_step in (0, 4, 6, 8):
        saver(checkpoints, StopSignals(), start_step=start_step, keep_every=2).on_train_begin()
    assert checkpoints.kept == [8]
    saver(checkpoints, StopSignals(), start_step=4).on_train_begin()
    assert checkpoints.kept == [8]


def test_saves_every_few_minutes(clock) -> None:
    checkpoints = SpyCheckpoints()
    # Every second, which is two steps; a save at an epoch's end counts.
    feed(saver(checkpoints, StopSignals(), minutes=1 / 60, steps_per_epoch=5), clock, 11)
    assert checkpoints.saved == [2, 4, 5, 7, 9, 10, 11]


SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_saves_and_stops(number, clock, capfd) -> None:
    checkpoints = SpyCheckpoints()
    before = [signal.getsignal(known) for known in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals() as stop:
        callback = saver(checkpoints, stop)
        feed(callback, clock, 1)
        assert checkpoints.saved == [] and not callback.model.stop_training
        os.kill(os.getpid(), number)
        time.sleep(0)
        # A second signal would act as usual.
        assert [signal.getsignal(known) for known in (signal.SIGINT, signal.SIGTERM)] == before
        feed(callback, clock, 1)
    assert stop.received == number
    assert checkpoints.saved == [1] and callback.model.stop_training
    assert "stopping after this step" in capfd.readouterr().err


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_names_itself(value) -> None:
    guard = NonFiniteGuard(10, SpyCheckpoints())
    guard.on_train_batch_end(0, {"l1": 1.0, "kl": 0.0})
    with pytest.raises(NonFiniteError) as raised:
        guard.on_train_batch_end(1, {"l1": 1.0, "kl": value})
    assert str(raised.value).startswith(f"stopped at step 12: kl is {value}; the last good checkpoint is step-7")
    assert "l1" not in str(raised.value) and raised.value.exit_code == 1


def test_in_a_thread_there_are_no_signals_to_wait_for() -> None:
    before = signal.getsignal(signal.SIGINT)

    def received() -> int | None:
        with StopSignals() as stop:
            assert signal.getsignal(signal.SIGINT) is before
            return stop.received

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(received).result() is None


def test_losses_of_one_letter_have_a_line(clock, writer, monkeypatch) -> None:
    monkeypatch.setattr(callbacks.shutil, "get_terminal_size", lambda **_: os.terminal_size((40, 24)))
    stream = Terminal()
    bar = progress(stream, writer)
    bar.on_train_batch_begin(0)
    bar.on_train_batch_end(0, {"g": 1.0, "d": 2.0})
    assert stream.getvalue().split("\r\x1b[K")[-1].endswith("g 1  d 2")
