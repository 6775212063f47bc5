"""What happens beside the training of a run, and in which order."""

import dataclasses
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.runs.checkpoints import restore_networks
from gan_zoo.training.callbacks import DataEpochs, NonFiniteGuard, Progress, SaveCheckpoints, StopSignals
from gan_zoo.training.checks import BATCH_SIZE, Validate
from gan_zoo.training.health_log import HealthLog
from gan_zoo.training.plateau import MAX_EXAMPLES, ReduceOnPlateau
from gan_zoo.training.samples import SampleImages, picture_paths
from gan_zoo.training.session import Session

NUM_SAMPLE_ROWS = 4


@dataclasses.dataclass(frozen=True)
class Layout:
    """The callbacks of a run in their order, and the two that have something to say at its end."""

    callbacks: list[keras.callbacks.Callback]
    progress: Progress
    validate: Validate | None

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped early; None if it was not."""
        return self.validate and self.validate.stopped


def lay_out(session: Session, skipped: SkippedFiles, stop: StopSignals, say: Callable[[str], None]) -> Layout:
    """Makes the callbacks of a run that was loaded or started.

    Args:
        session: what the run is made of.
        skipped: takes the files that cannot be used.
        stop: asks to save and stop.
        say: takes lines for the user.
    """
    start_step, intervals = session.start_step, session.intervals
    examples = _examples(session, skipped)  # before anything is written: there may be no good one
    writer = tf.summary.create_file_writer(str(session.workdir / "logs"))
    validate = _validate(session, skipped, writer, say=lambda line: (progress.close(), say(line)))
    progress = Progress(
        start_step,
        total_steps=session.total_steps,
        steps_per_epoch=session.steps_per_epoch,
        batch_size=session.config.batch_size,
        log_every=intervals.log_every,
        learning_rate=session.learning_rate,
        writer=writer,
        validation=lambda: validate and validate.last,
    )
    reducers = []
    if session.plateau:
        # One by one: the mean is that over the examples, and the images may differ in size.
        held_out = session.plain_batches(session.sample_source, 1, skipped).take(MAX_EXAMPLES)
        per_epoch = session.steps_per_epoch
        reducers = [ReduceOnPlateau(start_step, session.plateau, held_out, steps_per_epoch=per_epoch, writer=writer)]
    save = SaveCheckpoints(
        start_step,
        session.checkpoints,
        total_steps=session.total_steps,
        steps_per_epoch=session.steps_per_epoch,
        minutes=intervals.checkpoint_minutes,
        keep_every=intervals.keep_every,
        stop=stop,
    )
    callbacks = [
        NonFiniteGuard(start_step, session.checkpoints),
        progress,
        *reducers,  # reported before, saved after it
        *([validate] if validate else []),  # logged before, saved after it
        save,
        _samples(session, examples, writer),
        DataEpochs(start_step, session.steps_per_epoch),
    ]
    return Layout(callbacks, progress, validate)


def make_up_picture(session: Session) -> None:
    """Draws what a run that is at its end was to draw of its last step, and may have been killed before."""
    step, every = session.start_step, session.intervals.sample_every
    if not every or (step % every and step != session.total_steps):
        return
    if not all(path.exists() for path in picture_paths(session.workdir / "samples", session.model.translators, step)):
        restore_networks(session.model, session.workdir)
        examples = _examples(session, SkippedFiles())
        writer = tf.summary.create_file_writer(str(session.workdir / "logs"))
        _samples(session, examples, writer).draw(step)


def _examples(session: Session, skipped: SkippedFiles) -> Mapping[str, tf.Tensor]:
    """The examples that all sample pictures of a run show."""
    return next(iter(session.plain_batches(session.sample_source, NUM_SAMPLE_ROWS, skipped).take(1)))


def _samples(session: Session, examples: Mapping[str, tf.Tensor], writer: tf.summary.SummaryWriter) -> SampleImages:
    return SampleImages(
        session.start_step,
        translators=session.model.translators,
        examples=examples,
        folder=session.workdir / "samples",
        writer=writer,
        every=session.intervals.sample_every,
        total_steps=session.total_steps,
        seed=session.config.seed,
    )


def _validate(
    session: Session, skipped: SkippedFiles, writer: tf.summary.SummaryWriter, say: Callable[[str], None]
) -> Validate | None:
    if not session.validation:
        return None
    own = session.source is session.sample_source
    return Validate(
        session.start_step,
        validation=session.validation,
        batches=session.plain_batches(session.sample_source, BATCH_SIZE, skipped),
        training_batches=None if own else session.plain_batches(session.source, BATCH_SIZE, skipped),
        log=HealthLog(session.workdir, session.start_step, confirm=session.lock.confirm),
        checkpoints=session.checkpoints,
        every=session.check_every,
        steps_per_epoch=session.steps_per_epoch,
        early_stopping=session.early_stopping,
        gan_mode=getattr(session.config, "gan_mode", None),
        writer=writer,
        say=say,
    )
