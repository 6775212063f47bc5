"""What models of labelled images share: the names of their labels, and what a trained one is asked for."""

import dataclasses

import tensorflow as tf

from gan_zoo.config import Config, option
from gan_zoo.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelledConfig(Config):
    """Settings that say what the labels are; what a user leaves open, the data set fills in.

    A label is one vector of floats whatever it says, `[num_labels]`: a 1 for each attribute that the image has, or for
    its class alone.
    """

    classes: str | None = option(
        None, "the classes, with commas between them, of which each image has one (none: those of the data set)"
    )
    attributes: str | None = option(
        None, "instead of classes: attributes, with commas between them, of which an image has any number"
    )
    exclusive: str | None = option(
        None,
        "attributes of which an image is asked for one at a time, as hair colours are, with commas between them; "
        "several groups with semicolons (none: those of the data set)",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.classes is not None and self.attributes is not None:
            raise UserError("classes and attributes are both given: give one of them")
        if self.input_channels != self.target_channels:
            raise UserError(
                f"input_channels={self.input_channels} and target_channels={self.target_channels}: images of any label "
                "have the same"
            )

    def check_labels(self) -> None:
        """Refuses labels that a model cannot have. Not before the data set has filled in what is written in short.

        Raises:
            UserError: with what would be right.
        """
        names = self.label_names
        if not names:
            raise UserError("the names of the labels are needed: give --set classes=... or attributes=...")
        if not all(names) or len(set(names)) < len(names):
            raise UserError(f"{self.label_kind}={','.join(names)}: give names, each once, with commas between them")
        if self.classes is not None and len(names) < 2:
            raise UserError(f"classes={self.classes}: give two at least")
        grouped = [name for group in self.exclusive_groups for name in group]
        if unknown := [name for name in grouped if name not in names]:
            raise UserError(f"exclusive={self.exclusive}: {unknown[0]} is no attribute; there are {', '.join(names)}")
        if len(set(grouped)) < len(grouped):
            raise UserError(f"exclusive={self.exclusive}: an attribute can be in one group, and once")

    @property
    def idle(self) -> dict[str, str]:
        idle = {"direction": "labelled images, which have one side"}
        if self.attributes is None:
            idle["exclusive"] = "classes, of which an image has one anyway"
        return super().idle | idle

    @property
    def label_kind(self) -> str:
        """classes or attributes."""
        return "classes" if self.attributes is None else "attributes"

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels in the order of their numbers; empty where nobody has said them yet."""
        text = getattr(self, self.label_kind)
        return () if text is None else tuple(name.strip() for name in text.split(","))

    @property
    def exclusive_groups(self) -> list[tuple[str, ...]]:
        """The groups of attributes of which an image is asked for one at a time."""
        groups = (self.exclusive or "").split(";") if self.attributes is not None else []
        return [tuple(name.strip() for name in group.split(",")) for group in groups if group.strip()]


def asked_for(config: LabelledConfig, label: tf.Tensor) -> tf.Tensor:
    """What images of `label` are asked for, one label after the other, as StarGAN's authors test.

    A class is asked for instead of the image's own. An attribute that excludes others is switched on and those off; any
    other is inverted.

    Args:
        config: says the labels.
        label: `[B, num_labels]` float32.

    Returns:
        `[B, num_labels, num_labels]`: row k is the label that is asked for to change label k.
    """
    names = config.label_names
    each = tf.eye(len(names), dtype=label.dtype)  # [num_labels, num_labels]
    if config.label_kind == "classes":
        return tf.tile(each[tf.newaxis], [tf.shape(label)[0], 1, 1])
    group_of = {name: group for group in config.exclusive_groups for name in group}
    cleared = tf.constant(
        [[1.0 if other in group_of.get(name, (name,)) else 0.0 for other in names] for name in names], label.dtype
    )
    excludes = tf.constant([1.0 if name in group_of else 0.0 for name in names], label.dtype)
    own = label[:, tf.newaxis]  # [B, 1, num_labels]
    switched = tf.where(excludes[:, tf.newaxis] > 0, each, each * (1.0 - own))
    return own * (1.0 - cleared) + switched
