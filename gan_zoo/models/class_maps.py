"""Input images whose pixels are numbers of classes, of which the networks see a channel for each class.

Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs" (arXiv 1711.11585),
feed label maps so: the channel of a pixel's class is 1, the others are 0. At the border of a model such a map is an
image of one channel like any other, so that nothing but this file has to know of it: the class n is the level n of 255.
"""

import dataclasses

import tensorflow as tf

from gan_zoo.config import Config, option
from gan_zoo.images import to_uint8


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassMapsConfig(Config):
    """The setting of a model whose inputs may be such maps.

    `input_classes` takes the place of `input_channels`, which is 1 with it whatever was given.
    """

    input_classes: int | None = option(
        None,
        "the input images are label maps: their numbers, from 0 to input_classes - 1, are those of classes, and the "
        "networks see a channel for each; takes the place of input_channels",
        2,
        256,
    )

    def __post_init__(self) -> None:
        if self.input_classes is not None:
            object.__setattr__(self, "input_channels", 1)  # the dataclass is frozen
        super().__post_init__()

    @property
    def idle(self) -> dict[str, str]:
        reason = f"input_classes={self.input_classes}"
        idle = {} if self.input_classes is None else dict.fromkeys(("input_channels", "input_range"), reason)
        return super().idle | idle

    @property
    def seen_channels(self) -> int:
        """The channels of the input image as the networks see it."""
        return self.input_channels if self.input_classes is None else self.input_classes


def seen(image: tf.Tensor, classes: int | None) -> tf.Tensor:
    """An input image as the networks see it.

    Args:
        image: `[B, H, W, C]` in [-1, 1]; with `classes` C is 1, and class n is n / 127.5 - 1.
        classes: how many there are; None for an image of colours, which stays as it is.

    Returns:
        Of classes `[B, H, W, classes]`, 1 in the channel of the class and 0 in the others; of a number that is none of
        a class 0 in all of them.
    """
    if classes is None:
        return image
    return tf.one_hot(tf.cast(to_uint8(image[..., 0]), tf.int32), classes, dtype=image.dtype)
