"""A training run from its configuration to its last checkpoint: what may start, resume, and how it ends."""

import contextlib
import dataclasses
import functools
import math
import os
import pathlib
import signal
from collections.abc import Callable, Iterator
from typing import Literal

import keras
import tensorflow as tf

from gan_zoo.callbacks import DataEpochs, NonFiniteGuard, Progress, SaveCheckpoints, StopSignals
from gan_zoo.checkpoint_files import best_record
from gan_zoo.checkpoints import Checkpoints, latest_checkpoint, latest_step
from gan_zoo.checks import BATCH_SIZE, Validate, finish
from gan_zoo.config import Config, Run
from gan_zoo.early_stopping import early_stopping
from gan_zoo.errors import UserError
from gan_zoo.health_log import HealthLog, lines_until
from gan_zoo.models.base import TranslationModel
from gan_zoo.pipeline import ExampleSource, batch_order, evaluation_batches, training_stream
from gan_zoo.plateau import MAX_EXAMPLES, Plateau, ReduceOnPlateau
from gan_zoo.samples import SampleImages
from gan_zoo.schedules import EpochSchedule, epoch_factors
from gan_zoo.skipped_files import SkippedFiles
from gan_zoo.translated_batches import has_masks
from gan_zoo.validation import Validation
from gan_zoo.workdir import check_workdir, make_workdir

STRATEGIES = ("auto", "one", "mirrored")
EPOCH = "epoch"
NUM_SAMPLE_ROWS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Intervals:
    """How often something happens beside the training itself."""

    checkpoint_minutes: float = 10.0
    keep_every: int = 0  # data epochs; 0: none is kept for good
    sample_every: int = 1000  # steps; 0: no pictures
    evaluate_every: int | Literal["epoch"] = 500  # steps, or a data epoch; 0: no checks on validation examples
    log_every: int = 50  # steps
    early_stopping: int = 0  # checks without a new best, after which the run stops; 0: it does not


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
    )
    return EpochSchedule(config.learning_rate * factors, steps_per_epoch)


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
        best_metric: by which figure of the checks a checkpoint is the best one; see `gan_zoo.validation.Validation`.
        say: takes lines for the user.

    Returns:
        The exit code: 0, or 128 plus the number of the signal that stopped the run.

    Raises:
        UserError: for what the user can mend; `NonFiniteError` for a loss or weight that is not finite.
    """
    check_workdir(workdir, run, model_class.config_class)
    check_batch(config, strategy)
    if not len(source):
        raise UserError("the data set has no examples to train on")
    steps_per_epoch, total_steps = count_steps(config, len(source))
    start_step = latest_step(workdir)
    plateau = Plateau(config.learning_rate) if config.schedule == "plateau" else None
    schedule = None if plateau else learning_rate_schedule(config, total_steps, steps_per_epoch)
    with strategy.scope():
        model = build_model(model_class, config)
        model.compile(schedule)
    validation = (
        Validation(model.translators, best_metric, masks=model.data_kind == "single" and has_masks(sample_source))
        if intervals.evaluate_every
        else None
    )
    stopping = early_stopping(intervals.early_stopping, validation, model.settled_epoch * steps_per_epoch)
    checkpoints = Checkpoints(workdir, model, run, plateau)
    early = stopping and stopping.reason(lines_until(workdir, start_step), best_record(workdir))
    if reason := "more --epochs or --steps go on" if start_step >= total_steps else early:
        finish(checkpoints, start_step, intervals.keep_every * steps_per_epoch, validation and validation.best_metric)
        say(f"nothing to do: {workdir} is at step {start_step} of {total_steps}: {reason}")
        return 0
    checkpoints.check_space(best=validation is not None and validation.best_metric is not None)
    start_step = _starting_point(checkpoints, model)  # first: where it does not fit, the workdir stays as it is
    make_workdir(workdir, run)
    if validation and validation.left_out:
        say(validation.left_out)
    if start_step:
        say(f"going on after step {start_step} of {total_steps}")
        if changes := _changed_versions(checkpoints.restored_run, run):
            say(f"other versions than before, so the result may differ in rounding: {', '.join(changes)}")

    folder = pathlib.Path(workdir)
    skipped = SkippedFiles(folder / "skipped_files.txt", go_on=start_step > 0)
    size_multiple = max((each.size_multiple for each in model.translators.values()), default=1)
    sides = {"size_multiple": size_multiple, "min_side": config.min_side}
    sides |= {"make_input": model.make_input, "skip_grey": model.skip_grey}
    with _readable_errors(skipped), StopSignals() as stop:
        stream = training_stream(
            source,
            config,
            start_step=start_step,
            num_replicas=strategy.num_replicas_in_sync,
            batch_parts=config.batch_parts,
            **sides,
            skipped=skipped,
        )
        plain = functools.partial(evaluation_batches, config=config, **sides, skipped=skipped)
        examples = next(iter(plain(sample_source, batch_size=NUM_SAMPLE_ROWS).take(1)))
        writer = tf.summary.create_file_writer(str(folder / "logs"))
        progress = Progress(
            start_step,
            total_steps=total_steps,
            steps_per_epoch=steps_per_epoch,
            batch_size=config.batch_size,
            log_every=intervals.log_every,
            learning_rate=lambda step: plateau.rate if plateau else float(schedule(step - 1)),
            writer=writer,
            validation=lambda: checks[0].last if checks else None,
        )
        checks = []
        if validation:
            checks.append(
                Validate(
                    start_step,
                    validation=validation,
                    batches=plain(sample_source, batch_size=BATCH_SIZE),
                    training_batches=None if source is sample_source else plain(source, batch_size=BATCH_SIZE),
                    log=HealthLog(workdir, start_step),
                    checkpoints=checkpoints,
                    every=steps_per_epoch if intervals.evaluate_every == EPOCH else intervals.evaluate_every,
                    steps_per_epoch=steps_per_epoch,
                    early_stopping=stopping,
                    gan_mode=getattr(config, "gan_mode", None),
                    writer=writer,
                    say=lambda line: (progress.close(), say(line)),
                )
            )
        reducers = []
        if plateau:
            # One by one: the mean is that over the examples, and the images may differ in size.
            held_out = plain(sample_source, batch_size=1).take(MAX_EXAMPLES)
            reducers = [ReduceOnPlateau(start_step, plateau, held_out, steps_per_epoch=steps_per_epoch, writer=writer)]
        callbacks = [
            NonFiniteGuard(start_step, checkpoints),
            progress,
            *reducers,  # reported before, saved after it
            *checks,  # logged before, saved after it
            SaveCheckpoints(
                start_step,
                checkpoints,
                total_steps=total_steps,
                steps_per_epoch=steps_per_epoch,
                minutes=intervals.checkpoint_minutes,
                keep_every=intervals.keep_every,
                stop=stop,
            ),
            SampleImages(
                start_step,
                translators=model.translators,
                examples=examples,
                folder=folder / "samples",
                writer=writer,
                every=intervals.sample_every,
                total_steps=total_steps,
                seed=config.seed,
            ),
            DataEpochs(start_step, steps_per_epoch),
        ]
        with contextlib.closing(progress):
            # One epoch to Keras, whatever remains: an end of its epochs means nothing here.
            steps = total_steps - start_step
            model.fit(stream, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=callbacks)

    return _ending(workdir, total_steps, checks[0].stopped if checks else None, stop, say)


def _starting_point(checkpoints: Checkpoints, model: TranslationModel) -> int:
    """Brings the model to where the newest checkpoint has it, or to where a new run starts; returns the step."""
    start_step = checkpoints.restore_latest()
    if latest_checkpoint(checkpoints.folder.parent) is None:
        model.load_pretrained()
    return start_step


def _ending(
    workdir: str | os.PathLike[str],
    total_steps: int,
    stopped: str | None,
    stop: StopSignals,
    say: Callable[[str], None],
) -> int:
    """Says how a run ended; returns its exit code."""
    step = latest_step(workdir)
    if step == total_steps:  # also where the signal came during the last step
        say(f"done: {step} steps; the model is in {workdir}")
        return 0
    if stopped:
        say(f"stopped early at step {step} of {total_steps}, saved: {stopped}")
        return 0
    name = signal.Signals(stop.received).name
    say(f"stopped by {name} at step {step}, saved; the same command goes on from there")
    return 128 + stop.received


def _changed_versions(before: Run, now: Run) -> list[str]:
    if before.versions == now.versions:
        return []
    return [f"{name} {before.versions.get(name)} -> {version}" for name, version in now.versions.items()]


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
