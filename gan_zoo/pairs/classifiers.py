"""Classifiers to look for regions with: any Keras file, or MobileNetV2 with the weights of `keras.applications`."""

import difflib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import keras

from gan_zoo.errors import UserError
from gan_zoo.pretrained.fetching import WEIGHTS, fetch
from gan_zoo.pretrained.keras_files import HDF5_SUFFIXES, load_keras_file

MOBILENET = "mobilenet_v2"  # Sandler et al. 2018, arXiv 1801.04381, trained on ImageNet
CLASSES = "imagenet_classes"  # the names of ImageNet's classes, as a file that is fetched
MOBILENET_SIZE = 224


def load_classifier(classifier: str, weights_dir: str | os.PathLike[str] | None = None) -> tuple[keras.Model, str]:
    """A classifier of pictures in [0, 255].

    Args:
        classifier: the path of a file that `model.save` wrote, `.keras` or HDF5; or "mobilenet_v2".
        weights_dir: a folder of weights that others have trained; see `gan_zoo.pretrained.fetching.fetch`.

    Returns:
        The model, and the SHA-256 of its file.

    Raises:
        UserError: if there is no such thing, or a file holds more than plain layers of Keras.
    """
    if classifier == MOBILENET:
        return _mobilenet_v2(fetch(MOBILENET, weights_dir)), WEIGHTS[MOBILENET].sha256
    path = Path(classifier)
    if path.suffix not in (".keras", *HDF5_SUFFIXES) and not path.exists():
        known = f"a file that model.save('name.keras') wrote, or {MOBILENET}"
        of_keras = hasattr(keras.applications, classifier) and classifier.isidentifier()
        why = f"; save keras.applications' {classifier} to a file" if of_keras else ""
        raise UserError(f"--classifier={classifier}: give {known}{why}")
    return load_keras_file(path, "--classifier", hdf5=True)


def _mobilenet_v2(path: Path) -> keras.Model:
    photo = keras.Input((MOBILENET_SIZE, MOBILENET_SIZE, 3))
    network = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    network.load_weights(path)
    return keras.Model(photo, network(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(photo)))


def class_names(
    classifier: str, path: str | os.PathLike[str] | None, weights_dir: str | os.PathLike[str] | None = None
) -> list[str] | None:
    """The names of a classifier's classes, in its order; None if nobody says them.

    Args:
        classifier: as for `load_classifier`.
        path: of a text file, a name a line; None for those that are known: ImageNet's, of "mobilenet_v2".
        weights_dir: as for `load_classifier`.

    Raises:
        UserError: if there is no such file, or it is no text.
    """
    if path is None:
        if classifier != MOBILENET:
            return None
        index = json.loads(fetch(CLASSES, weights_dir).read_text(encoding="utf-8"))
        return [index[str(number)][1].replace("_", " ") for number in range(len(index))]
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"--class_names: there is no file {path}") from None
    except UnicodeDecodeError:
        raise UserError(f"--class_names: {path} is no text in UTF-8") from None
    return [line.strip() for line in lines if line.strip()]


def find_class(given: str, names: Sequence[str] | None, num_classes: int) -> int:
    """The number of a class.

    Args:
        given: its number, from 0, or its name.
        names: of all classes, in the order of their numbers, if they are known.
        num_classes: how many the classifier has.

    Raises:
        UserError: if there is no such class.
    """
    if names is not None and len(names) != num_classes:
        raise UserError(f"--class_names: {len(names)} names, and the classifier has {num_classes} classes")
    if given.isdecimal() and given.isascii():
        if int(given) < num_classes:
            return int(given)
        raise UserError(f"--class={given}: the classifier has the classes 0 to {num_classes - 1}")
    if names is None:
        raise UserError(f"--class={given}: give a number from 0 to {num_classes - 1}, or the names by --class_names")
    wanted = given.replace("_", " ").casefold()
    by_name = {name.replace("_", " ").casefold(): number for number, name in reversed(list(enumerate(names)))}
    if wanted not in by_name:
        near = difflib.get_close_matches(wanted, by_name) or list(by_name)[:8]
        raise UserError(f"--class={given}: there is no such class; some are {', '.join(near)}")
    return by_name[wanted]
