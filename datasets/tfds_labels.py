"""The labels of sets of tensorflow-datasets: classes, the feature `label`, or attributes, the features `attributes`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from datasets.labels import HAIR_COLOURS, KnownLabels, chosen_attributes, chosen_classes, name_rare, one_hot
from gan_zoo.data.labelled import LabelledSource, Targets

CLASS_KEY, ATTRIBUTES_KEY = "label", "attributes"
FEW_ENOUGH = 100_000  # examples whose labels are looked through for classes that hardly an image has


def known_labels(name: str, builder: Any, chosen: Sequence[str] = ()) -> KnownLabels:
    """What a builder says of its labels; nothing is prepared.

    Args:
        name: of the set.
        builder: of TFDS.
        chosen: the attributes that are taken where a user chooses none; none: all.
    """
    import tensorflow_datasets as tfds  # late, since it takes its time

    features = builder.info.features
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    classes, attributes = features.get(CLASS_KEY), features.get(ATTRIBUTES_KEY)
    if isinstance(classes, tfds.features.ClassLabel):
        return KnownLabels(name, classes={CLASS_KEY: list(classes.names)})
    if not isinstance(attributes, tfds.features.FeaturesDict):
        return KnownLabels(name)
    names = [key for key, feature in attributes.items() if feature.np_dtype == np.bool_]
    return KnownLabels(name, attributes=names, chosen=chosen, groups=[HAIR_COLOURS])


def with_labels(images: Any, known: KnownLabels, config: Any, *, for_training: bool) -> LabelledSource:
    """The images of a split with their labels; those of no class that is asked for are left out.

    Args:
        images: a `TFDSImages`.
        known: of `known_labels`.
        config: what was chosen of them.
        for_training: whether classes of few images are named.
    """
    if config.attributes is not None or not known.classes:
        names = chosen_attributes(known, config)
        keys = [f"{ATTRIBUTES_KEY}/{name}" for name in names]
        return LabelledSource(
            Targets(images), names, lambda index: np.float32([_number(images.records[index], key) for key in keys])
        )
    names, everything = chosen_classes(known, config), known.classes[CLASS_KEY]
    places = {everything.index(name): place for place, name in enumerate(names)}
    indices: Sequence[int] = range(len(images))
    if len(names) < len(everything) or len(images) <= FEW_ENOUGH:
        numbers = np.array([_number(record, CLASS_KEY) for record in images.records])
        indices = np.flatnonzero(np.isin(numbers, list(places)))
        if for_training:
            name_rare(known, names, np.stack([numbers == number for number in places], axis=1))

    def label_of(index: int) -> np.ndarray:
        number = _number(images.records[int(indices[index])], CLASS_KEY)
        return one_hot(places[number], len(names))

    return LabelledSource(Targets(images, indices), names, label_of)


def _number(record: Any, key: str) -> int:
    return record.features.feature[key].int64_list.value[0]
