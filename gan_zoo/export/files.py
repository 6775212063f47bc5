"""The signatures that speak in the numbers of the run's files: images of 16 bit, and files themselves."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gan_zoo.data.value_range import narrowed_in_graph, stretched_in_graph
from gan_zoo.export.decoding import translated_files
from gan_zoo.export.requests import Limits, checked_image
from gan_zoo.images import PICTURE_CHANNELS


def of_files(
    translator: Any,
    answer: Callable[[tf.Tensor], tf.Tensor],
    limits: Callable[[], Limits],
    ranges: tuple[int | None, int | None],
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
    """The signatures by name, those of them that the translator can have.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        answer: from images `[B, H, W, C]`, uint8 or uint16, to translations of the type of the run's files.
        limits: of the images, asked for while a signature is traced.
        ranges: white in files of 16 bit, of what the translator takes and of what it gives; None: 65535.
    """
    channels, decoded_channels = translator.input_channels, translator.input_channels
    if translator.chroma is not None:
        channels, decoded_channels = None, 3

    def in_numbers_of_files(image: tf.Tensor) -> tf.Tensor:
        return narrowed_in_graph(answer(image), ranges[1])

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, channels], tf.uint16, name="image")])
    def translate_uint16(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"translation": in_numbers_of_files(stretched_in_graph(checked_image(image, limits()), ranges[0]))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def translate_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        made = translated_files(image_bytes, limits(), decoded_channels, in_numbers_of_files, ranges[0])
        return {"translation_bytes": made}

    functions = {}
    if translator.input_classes is None:
        functions["translate_uint16"] = translate_uint16
    if {translator.input_channels, translator.output_channels} <= set(PICTURE_CHANNELS):
        functions["translate_bytes"] = translate_bytes
    return functions
