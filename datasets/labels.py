"""What data sets say of their labels, and which of them a user has chosen."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datasets.image_files import say_once
from gan_zoo.errors import UserError

HANDFUL = 20  # images; of fewer a label cannot be learnt well
# Of one face: what the authors of StarGAN ask for one at a time.
HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")


@dataclasses.dataclass(frozen=True)
class KnownLabels:
    """The labels that a data set knows.

    Attributes:
        name: of the data set, for messages.
        classes: by the name of what they are classes of, which stands for all of them.
        attributes: an image may have any number of.
        chosen: those of them that are taken where a user chooses none.
        groups: attributes that exclude each other.
    """

    name: str
    classes: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    attributes: Sequence[str] = ()
    chosen: Sequence[str] = ()
    groups: Sequence[Sequence[str]] = ()


def label_settings(known: KnownLabels, config: Any) -> dict[str, str]:
    """The settings of a model that name its labels, with what the user has left open: classes or attributes, exclusive.

    Args:
        known: what there is.
        config: `classes`, `attributes`, `exclusive`, each None or names with commas between them.

    Raises:
        UserError: for names that the data set does not know, with those that it does.
    """
    if config.attributes is None and (config.classes is not None or known.classes):
        return {"classes": ",".join(chosen_classes(known, config))}
    names = _expanded(known, config.attributes) if config.attributes is not None else known.chosen or known.attributes
    _check(known, "attributes", names, known.attributes)
    groups = [[name for name in group if name in names] for group in known.groups]
    of_data = ";".join(",".join(group) for group in groups if len(group) > 1)
    return {"attributes": ",".join(names), "exclusive": of_data if config.exclusive is None else config.exclusive}


def chosen_classes(known: KnownLabels, config: Any) -> Sequence[str]:
    """The classes that a configuration asks for, or else the first ones that there are.

    Raises:
        UserError: for names that the data set does not know, or that are not classes of one thing.
    """
    names = next(iter(known.classes.values())) if config.classes is None else _expanded(known, config.classes)
    _check(known, "classes", names, [name for several in known.classes.values() for name in several])
    if not any(set(names) <= set(several) for several in known.classes.values()):
        raise UserError(f"classes={','.join(names)}: give classes of one of {', '.join(known.classes)}")
    return names


def chosen_attributes(known: KnownLabels, config: Any) -> Sequence[str]:
    """The attributes that a configuration asks for.

    Raises:
        UserError: for names that the data set does not know.
    """
    return label_settings(known, config)["attributes"].split(",")


def _expanded(known: KnownLabels, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    return [name for given in names for name in known.classes.get(given, (given,))]


def _check(known: KnownLabels, kind: str, names: Sequence[str], there: Sequence[str]) -> None:
    if not there:
        other = "classes" if known.classes else "attributes"
        what = [name for several in known.classes.values() for name in several] or known.attributes
        rest = f"; it has {other}: {', '.join(what)}" if what else ", nor other labels"
        raise UserError(f"{known.name} has no {kind}{rest}")
    if awkward := [name for name in there if "," in name or ";" in name]:
        raise UserError(f"{known.name}: names with commas or semicolons cannot be chosen: {awkward[0]!r}")
    if unknown := [name for name in names if name not in there]:
        raise UserError(f"{kind}={','.join(names)}: {known.name} has no {unknown[0]}; there are {', '.join(there)}")


def name_rare(known: KnownLabels, names: Sequence[str], labels: np.ndarray) -> None:
    """Names the labels `[N, num_labels]` that hardly an image has."""
    counts = labels.sum(axis=0).astype(int)
    rare = [f"{name} {count}" for name, count in zip(names, counts, strict=True) if count < HANDFUL]
    if rare:
        say_once(f"{known.name} has few images to learn some labels from: {', '.join(rare)}")


def one_hot(number: int, count: int) -> np.ndarray:
    """The label of a class, `[count]` float32."""
    label = np.zeros(count, np.float32)
    label[number] = 1.0
    return label
