"""The signatures of a translator that takes labels."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gan_zoo.export.requests import Limits, checked_image, checked_shape


def of_labels(
    translator: Any,
    image_spec: tf.TensorSpec,
    answered: Callable[..., dict[str, tf.Tensor]],
    limits: Callable[[], Limits],
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
    """The signatures by name: to a label that a client chooses, and what labels there are.

    Args:
        translator: has `labels` and `one_label`.
        image_spec: of the images.
        answered: from images and labels to what a client gets.
        limits: of the images, asked for while a signature is traced.
    """

    @tf.function(input_signature=[image_spec, tf.TensorSpec([None, len(translator.labels)], tf.float32, name="label")])
    def translate_to(image: tf.Tensor, label: tf.Tensor) -> dict[str, tf.Tensor]:
        image = checked_image(image, limits())
        known = ", ".join(translator.labels).replace("{", "(").replace("}", ")")  # braces are places for numbers
        why = f"a row for each image, of {known}"
        label = checked_shape("label", label, [tf.shape(image)[0], len(translator.labels)], why)
        return {"translation": answered(image, label)["translation"]}

    @tf.function(input_signature=[])
    def labels() -> dict[str, tf.Tensor]:
        return {"names": tf.constant(translator.labels), "exclusive": tf.constant(translator.one_label)}

    return {"translate_to": translate_to, "labels": labels}
