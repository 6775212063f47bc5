"""Any Keras network that says what each pixel of a photograph is, from a file in which nothing may run.

Papers score photographs that were made of label maps by what a network trained on real ones sees in them: the
FCN-score of Isola et al. 2017 (arXiv 1611.07004, section 4.1). Figures of different networks do not compare.
"""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.metrics.label_score import IGNORE_LABEL
from gan_zoo.pretrained.keras_files import first_line, load_keras_file


class Segmenter:
    """Labels photographs by a Keras model.

    The model takes `[B, H, W, 3]` float32 RGB **in [0, 255]** (a `Rescaling` layer makes of it what a network wants)
    and gives `[B, h, w, classes]`, logits or probabilities: the largest one is the label. Photographs are resized
    bilinearly, antialiased where they shrink: to the model's input size where that is fixed, else to the size of their
    label map, as the authors' script does it.

    Args:
        path: of a file as `model.save("name.keras")` writes it.

    Attributes:
        num_classes: labels are 0 to `num_classes - 1`.
        sha256: of the file.
        protocol: what is done, in one line.

    Raises:
        UserError: if there is no such file, if it holds more than plain layers of Keras, or for other shapes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        model, self.sha256 = load_keras_file(path, "--segmenter")
        inputs, outputs = ([tuple(tensor.shape) for tensor in tensors] for tensors in (model.inputs, model.outputs))
        if len(inputs) != 1 or len(inputs[0]) != 4 or inputs[0][3] != 3:
            raise UserError(f"--segmenter: {path} takes {_shapes(inputs)}: one input [B, H, W, 3] is needed")
        if len(outputs) != 1 or len(outputs[0]) != 4 or not 2 <= (outputs[0][3] or 0) <= IGNORE_LABEL:
            raise UserError(
                f"--segmenter: {path} gives {_shapes(outputs)}: one output [B, H, W, classes] of 2 to {IGNORE_LABEL} "
                "classes is needed"
            )
        self.num_classes: int = outputs[0][3]
        self._size: tuple[int | None, int | None] = inputs[0][1:3]
        self._label = tf.function(lambda photos, size: self._labels(model, photos, size), reduce_retracing=True)
        height, width = ("any" if side is None else side for side in self._size)
        size = "the size of its label map" if self._size == (None, None) else f"{height}x{width} (height x width)"
        self.protocol = (
            f"photos through {self._path.name}, resized to {size}, bilinear and antialiased, in [0, 255]; label maps "
            "resized to its answer, nearest"
        )

    def __call__(self, photos: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Labels photographs.

        Args:
            photos: `[B, H, W, 3]` uint8.
            size: height and width of their label maps.

        Returns:
            `[B, h, w]` uint8, of the size that the model answers in.

        Raises:
            UserError: if the model cannot take images of that size, or its answer is not finite.
        """
        height, width = (fixed or free for fixed, free in zip(self._size, size, strict=True))
        try:
            labels, finite = self._label(photos, tf.constant([height, width]))
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise UserError(
                f"--segmenter: {self._path} fails on images of {width}x{height} pixels: {first_line(error)}"
            ) from None
        if not finite:
            raise UserError(f"--segmenter: {self._path} gives values that are not finite")
        return labels.numpy()

    def _labels(self, model: keras.Model, photos: tf.Tensor, size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.image.resize(tf.cast(photos, tf.float32), size, antialias=True)
        images = tf.ensure_shape(images, [None, *self._size, 3])
        scores = model(images, training=False)
        finite = tf.reduce_all(tf.math.is_finite(tf.cast(scores, tf.float32)))
        return tf.cast(tf.argmax(scores, -1), tf.uint8), finite


def _shapes(shapes: list[tuple]) -> str:
    return " and ".join(f"[{', '.join('any' if side is None else str(side) for side in shape)}]" for shape in shapes)
