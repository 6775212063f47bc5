"""The checks of a model that is at hand, without a run around it."""

import pathlib

import tensorflow as tf

from datasets.definition import load_for
from datasets.shapes import DEFINITION
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.training.checks import Validate
from gan_zoo.training.health_log import HealthLog
from gan_zoo.training.validation import Validation


class NoCheckpoints:
    def mark_best(self, *_: object) -> None:
        pass


def shapes(model, split: str):
    kind = model.data_kind if model.data_kind in ("single", "labelled") else "paired"
    source = load_for(DEFINITION, kind, split, model.config, None)
    return evaluation_batches(source, model.config, batch_size=4, make_input=model.make_input)


def checker(model, folder: pathlib.Path, start_step: int = 1000, *, validation=None, **changes) -> Validate:
    settings = {"checkpoints": NoCheckpoints(), "training_batches": None} | changes
    callback = Validate(
        start_step,
        validation=validation or Validation(model.translators),
        batches=shapes(model, "val"),
        log=HealthLog(folder, start_step),
        every=500,
        steps_per_epoch=100,
        early_stopping=None,
        gan_mode=getattr(model.config, "gan_mode", None),
        writer=tf.summary.create_noop_writer(),
        say=lambda text: None,
        **settings,
    )
    callback.set_model(model)
    return callback
