"""Files of 16 bit that hold less, as of cameras and scanners of 12 bit: which number is white.

`input_range` and `target_range` of a run say it: what is read is stretched to fill its type, what is written goes back.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.images import BadExample

SETTINGS = {"input_image": "input_range", "target_image": "target_range"}  # by the key of an example
LOOKED_AT = 5  # examples
_FULL, _ROWS = 65535, 256


def stretched(image: np.ndarray, highest: int | None) -> np.ndarray:
    """`[..., C]` uint16 whose white is `highest` as uint16 whose white is 65535; what is above is clipped.

    uint8 stays as it is, and so does the fourth of four channels: alpha, or of an array, which an answer of a model
    cannot be told from. All does with None.
    """
    if highest is None or image.dtype != np.uint16:
        return image
    return _by_rows(image, lambda rows: (np.minimum(rows, highest).astype(np.uint32) * _FULL + highest // 2) // highest)


def narrowed(image: np.ndarray, highest: int | None) -> np.ndarray:
    """What `stretched` makes 65535 of, back to `highest`; rounded."""
    if highest is None or image.dtype != np.uint16:
        return image
    return _by_rows(image, lambda rows: (rows.astype(np.uint32) * highest + _FULL // 2) // _FULL)


def _by_rows(image: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`change` of all but alpha, a few rows at a time: a large picture is there twice, and not in wider numbers too."""
    made = np.empty_like(image)
    for top in range(0, len(image), _ROWS):
        made[top : top + _ROWS] = change(image[top : top + _ROWS])
    if image.shape[-1] == 4:
        made[..., 3] = image[..., 3]
    return made


def stretched_in_graph(image: tf.Tensor, highest: int | None) -> tf.Tensor:
    """`stretched` of a tensor `[..., C]`, C known."""
    if highest is None or image.dtype != tf.uint16:
        return image
    wide = tf.cast(image, tf.int64)
    return _but_alpha((tf.minimum(wide, highest) * _FULL + highest // 2) // highest, image)


def narrowed_in_graph(image: tf.Tensor, highest: int | None) -> tf.Tensor:
    """`narrowed` of a tensor `[..., C]`, C known."""
    if highest is None or image.dtype != tf.uint16:
        return image
    return _but_alpha((tf.cast(image, tf.int64) * highest + _FULL // 2) // _FULL, image)


def _but_alpha(changed: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Numbers of int64 as uint16, where they are no alpha of `image`."""
    narrow = tf.cast(tf.cast(changed, tf.int32), tf.uint16)
    if image.shape[-1] != 4:
        return narrow
    return tf.concat([narrow[..., :3], image[..., 3:]], -1)


def unfilled(source: Any, config: Any) -> list[str]:
    """A sentence for each side of a source whose 16 bit are filled to less than a quarter, by a few examples.

    Args:
        source: a `gan_zoo.data.examples.ExampleSource`.
        config: whose `input_range` and `target_range` are None where nobody has said anything.
    """
    domains = getattr(source, "domains", None) or {None: source}
    highest: dict[str, int] = {}
    for of_domain, examples in domains.items():
        for index in np.unique(np.linspace(0, len(examples) - 1, LOOKED_AT).astype(int)):
            with contextlib.suppress(BadExample):
                example = examples[int(index)]
                for key, value in (example if of_domain is None else {of_domain: example}).items():
                    image = np.asanyarray(value)
                    if key in SETTINGS and image.dtype == np.uint16:
                        colours = image[..., :3] if image.shape[-1] == 4 else image
                        highest[key] = max(highest.get(key, 0), int(colours.max()))
    sentences = []
    for key, most in highest.items():
        if getattr(config, SETTINGS[key]) is None and 0 < most < (_FULL + 1) // 4:
            white = (1 << most.bit_length()) - 1
            sentences.append(
                f"{key}: files of 16 bit that reach {most} of {_FULL}, in {LOOKED_AT} examples, and so all but black: "
                f"--set {SETTINGS[key]}={white} makes that white"
            )
    return sentences
