"""The labels that a translator can give an image, as a user names them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.errors import UserError


def wanted_labels(translator: Any, names: Sequence[str] | None, flag: str = "--label") -> dict[str, np.ndarray]:
    """The labels to translate to, `[num_labels]` float32 each, by what their pictures are called.

    Args:
        translator: a `gan_zoo.models.base.Translator` that takes labels.
        names: of classes: a translation to each; of attributes: one translation, to an image that has these and no
            others. None: a translation to each label alone.
        flag: what to call it in messages.

    Raises:
        UserError: for a name that the translator does not know, with those that it does.
    """
    known = list(translator.labels)
    if names is not None:
        for name in names:
            if name not in known:
                raise UserError(f"{flag}={','.join(names)}: unknown is {name!r}; there are {', '.join(known)}")
        if not names:
            raise UserError(f"{flag} is empty; there are {', '.join(known)}")
    numbers = np.eye(len(known), dtype=np.float32)
    if names is None or translator.one_label:
        return {name: numbers[known.index(name)] for name in names or known}
    return {" ".join(names): np.max([numbers[known.index(name)] for name in names], axis=0)}


def first_label(translator: Any, count: tf.Tensor | int) -> tf.Tensor:
    """The first label alone for each of `count` images, `[count, num_labels]` float32; graph-safe."""
    return tf.one_hot(tf.zeros([count], tf.int32), len(translator.labels))
