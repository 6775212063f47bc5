"""The builders of tensorflow-datasets by their names, and of a name that a file says none but TFDS' own.

TFDS imports and runs what a folder of its records names: a builder, the classes of features in `features.json`. Where
the name of the set comes from a file and not from the user, only code that TFDS itself ships may be taken.
"""

import contextlib
import difflib
import re
from collections.abc import Iterator
from typing import Any

from gan_zoo.errors import UserError

PREFIX = "tfds:"
SHIPPED_NAME = r"([a-z][a-z0-9_]*)(?:/([A-Za-z0-9][A-Za-z0-9_.+-]*))?"  # no community, no version, no arguments


def find_builder(name: str, data_dir: str | None, shipped: bool) -> Any:
    """The builder of a set; with `shipped` by code of TFDS itself, never by what the folder of the records names.

    Raises:
        UserError: for a set that TFDS does not know, and where its folder asks for other code than may be run.
    """
    return _find_shipped(name, data_dir) if shipped else _find(name, data_dir)


def _find(name: str, data_dir: str | None) -> Any:
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name.partition("/")[0], known)
        hint = f"did you mean {' or '.join(near)}?" if near else "see https://www.tensorflow.org/datasets/catalog"
        raise UserError(f"tensorflow-datasets knows no {name!r}; {hint}") from None
    except Exception as error:
        raise UserError(f"{PREFIX}{name}: {one_line(error)}") from error


def _find_shipped(name: str, data_dir: str | None) -> Any:
    """The builder of a set by the code that TFDS brings along.

    Raises:
        UserError: where it has none of that name, or the folder asks for other code.
    """
    import tensorflow_datasets as tfds

    own = f"if you trust it, give it yourself: --dataset={PREFIX}{name}, and --data_dir where it lies"
    why = f"{PREFIX}{name} stands in the run's config.json and is none of the sets that tensorflow-datasets ships"
    found = re.fullmatch(SHIPPED_NAME, name)
    try:
        builder_class = tfds.builder_cls(found[1]) if found else None
    except tfds.core.DatasetNotFoundError:
        builder_class = None
    if builder_class is None or not _of_tfds(builder_class.__module__):
        raise UserError(f"{why[:200]}: opening it would run code of whoever made the run; {own[:200]}")
    if found[2] and found[2] not in builder_class.builder_configs:
        raise UserError(f"{PREFIX}{name}: {found[1]} of tensorflow-datasets has no configuration {found[2]}")
    try:
        with _features_of_tfds(f"{own[:200]}"):
            return builder_class(data_dir=data_dir, **({"config": found[2]} if found[2] else {}))
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{PREFIX}{name}: {one_line(error)}") from error


@contextlib.contextmanager
def _features_of_tfds(advice: str) -> Iterator[None]:
    """While it lasts, `features.json` gets no class imported but those of TFDS."""
    import tensorflow_datasets as tfds

    connector = tfds.features.FeatureConnector
    find = vars(connector)["cls_from_name"]

    def find_shipped(cls: type, name: str) -> type:
        if not _of_tfds(name):
            raise UserError(f"a features.json names the class {name[:80]}, which would be imported; {advice}")
        return find.__func__(cls, name)

    connector.cls_from_name = classmethod(find_shipped)
    try:
        yield
    finally:
        connector.cls_from_name = find


def _of_tfds(module: str) -> bool:
    return module.startswith("tensorflow_datasets.")


def one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
