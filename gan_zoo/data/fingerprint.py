"""Whether two folders hold the same examples: a digest of the names and the sizes of their files, in their order."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from typing import Any


def fingerprint(source: Any, data_dir: str | os.PathLike[str] | None) -> str | None:
    """The digest of a source of examples, of the names below `data_dir`; None for one that is not made of files there.

    Args:
        source: an `ExampleSource`, or a view of one.
        data_dir: the folder that may be moved.
    """
    if data_dir is None:
        return None
    digest = hashlib.sha256()
    try:
        for path in _files(source):
            name = unicodedata.normalize("NFC", os.path.relpath(path, data_dir)).replace(os.sep, "/")
            digest.update(f"{name}\t{os.path.getsize(path)}\n".encode("utf-8", "surrogateescape"))
    except (AttributeError, OSError, ValueError):  # drawn, or out of records; removed meanwhile; on another drive
        return None
    return digest.hexdigest()


def _files(source: Any) -> Iterator[str]:
    """The files of a source.

    Raises:
        AttributeError: for one that is not made of files.
    """
    if hasattr(source, "files"):
        for paths in source.files:
            yield from (paths,) if isinstance(paths, str) else paths
    elif hasattr(source, "domains"):
        for domain in source.domains.values():
            yield from _files(domain)
    else:
        yield from _files(source.domain if hasattr(source, "domain") else source.paired)
