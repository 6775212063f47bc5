"""A training run from its configuration to its last checkpoint."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.data.pipeline import ExampleSource
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.models.base import TranslationModel
from gan_zoo.runs.checkpoints import latest_step
from gan_zoo.runs.lock import RunLock
from gan_zoo.runs.record import Run
from gan_zoo.training.callbacks import StopSignals
from gan_zoo.training.layout import lay_out, make_up_picture
from gan_zoo.training.session import Intervals, Session


def train(
    model_class: type[TranslationModel],
    config: Config,
    run: Run,
    workdir: str | os.PathLike[str],
    *,
    source: ExampleSource,
    sample_source: ExampleSource,
    strategy: tf.distribute.Strategy,
    intervals: Intervals,
    best_metric: str | None = None,
    resume_with: Sequence[str] = (),
    init_from: str | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Trains until the configured step, from the newest checkpoint in `workdir` if there is one.

    Args:
        model_class: what to train.
        config: its settings, as `run.settings` has them.
        run: what `workdir/config.json` will hold.
        workdir: made if it is missing, after all else was found right.
        source: the training examples.
        sample_source: the examples of the sample pictures and the checks; `source` where there are no others.
        strategy: from `make_strategy`.
        intervals: of checkpoints, pictures, checks and log lines, and the checks to wait for a new best.
        best_metric: by which figure of the checks a checkpoint is the best one; see `training.validation.Validation`.
        resume_with: what may differ from the run that is there, see `gan_zoo.runs.workdir.RESUME_WITH`.
        init_from: the folder of a run whose weights a new one starts with.
        say: takes lines for the user.

    Returns:
        The exit code: 0, or 128 plus the number of the signal that stopped the run.

    Raises:
        UserError: for what the user can mend; `NonFiniteError` for a loss or weight that is not finite.
    """
    with RunLock(workdir, say) as lock:
        session = Session(
            model_class,
            config,
            run,
            workdir,
            lock,
            source=source,
            sample_source=sample_source,
            strategy=strategy,
            intervals=intervals,
            best_metric=best_metric,
            resume_with=resume_with,
            init_from=init_from,
        )
        return _train(session, say)


def _train(session: Session, say: Callable[[str], None]) -> int:
    """Trains what is set up, unless there is nothing to do; returns the exit code."""
    if reason := session.nothing_to_do():
        session.finish()
        make_up_picture(session)
        say(f"nothing to do: {session.workdir} is at step {session.start_step} of {session.total_steps}: {reason}")
        return 0
    session.load_or_start(say)
    skipped = SkippedFiles(session.workdir / "skipped_files.txt", go_on=session.start_step > 0)
    with _readable_errors(skipped), StopSignals() as stop:
        stream = session.training_stream(skipped)
        layout = lay_out(session, skipped, stop, say)
        with contextlib.closing(layout.progress):
            # One epoch to Keras, whatever remains: an end of its epochs means nothing here.
            steps = session.total_steps - session.start_step
            session.model.fit(
                stream, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=layout.callbacks
            )
    return _ending(session, layout.stopped, stop, say)


def _ending(session: Session, stopped: str | None, stop: StopSignals, say: Callable[[str], None]) -> int:
    """Says how a run ended; returns its exit code."""
    step, total_steps = latest_step(session.workdir), session.total_steps
    if step == total_steps:  # also where the signal came during the last step
        say(f"done: {step} steps; the model is in {session.workdir}")
        return 0
    if stopped:
        say(f"stopped early at step {step} of {total_steps}, saved: {stopped}")
        return 0
    if stop.received is None:
        raise UserError(f"the newest whole checkpoint is that of step {step}; the same command goes on from there")
    name = signal.Signals(stop.received).name
    say(f"stopped by {name} at step {step}, saved; the same command goes on from there")
    return 128 + stop.received


@contextlib.contextmanager
def _readable_errors(skipped: SkippedFiles) -> Iterator[None]:
    """Raises what the pipeline and the machine have to say to the user, which arrives as errors of TensorFlow's."""
    try:
        yield
    except tf.errors.OpError as error:
        if skipped.failure is not None:
            raise skipped.failure from None
        if isinstance(error, tf.errors.ResourceExhaustedError):
            if "No space left" in str(error):
                raise UserError("no space left on the disk: free some and repeat") from None
            raise UserError("out of memory: a smaller batch_size, image_size or base_filters needs less") from None
        raise
