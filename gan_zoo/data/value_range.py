"""Files of 16 bit that hold less, as of cameras and scanners of 12 bit: which number is white.

`input_range` and `target_range` of a run say it: what is read is stretched to fill its type, what is written goes back.
"""

import contextlib
from typing import Any

import numpy as np

from gan_zoo.images import BadExample

SETTINGS = {"input_image": "input_range", "target_image": "target_range"}  # by the key of an example
LOOKED_AT = 5  # examples
_FULL = 65535


def stretched(image: np.ndarray, highest: int | None) -> np.ndarray:
    """`[..., C]` uint16 whose white is `highest` as uint16 whose white is 65535; what is above is clipped.

    uint8 stays as it is, and so does the fourth of four channels: alpha, or of an array, which an answer of a model
    cannot be told from. All does with None.
    """
    if highest is None or image.dtype != np.uint16:
        return image
    full = ((np.minimum(image, highest).astype(np.uint32) * _FULL + highest // 2) // highest).astype(np.uint16)
    if image.shape[-1] == 4:
        full[..., 3] = image[..., 3]
    return full


def narrowed(image: np.ndarray, highest: int | None) -> np.ndarray:
    """What `stretched` makes 65535 of, back to `highest`; rounded."""
    if highest is None or image.dtype != np.uint16:
        return image
    narrow = ((image.astype(np.uint32) * highest + _FULL // 2) // _FULL).astype(np.uint16)
    if image.shape[-1] == 4:
        narrow[..., 3] = image[..., 3]
    return narrow


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
