"""What the benchmarks of served models share: an untrained model, exported and loaded again."""

import tempfile
from typing import Any

import tensorflow as tf
from absl import flags

from gan_zoo.config import parse_settings
from gan_zoo.export import saved_model
from gan_zoo.models import MODELS
from gan_zoo.models.base import Translator


def exported(values: flags.FlagValues) -> tuple[Translator, Any]:
    """Builds the model that the flags `model`, `image_size` and `set` ask for.

    Returns:
        Its first translator, and the signatures of an export of that one, by name.
    """
    config_class = MODELS[values.model].config_class
    settings = parse_settings(config_class, [f"image_size={values.image_size}", *values.set])
    model = MODELS[values.model](config_class.from_dict(settings))
    name, translator = next(iter(model.translators.items()))
    with tempfile.TemporaryDirectory() as folder:
        path = saved_model.export({name: translator}, folder, 0)
        return translator, tf.saved_model.load(str(path)).signatures
