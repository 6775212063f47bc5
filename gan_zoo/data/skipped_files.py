"""What happens to files that cannot be used: said once, listed, and too many of them refused."""

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Sized
from pathlib import Path

from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, GreyExample


class SkippedFiles:
    """The bad files of a run: told once on stderr, each with its reason in a text file, too many of them refused.

    Args:
        path: the list, one `file<TAB>reason` a line, made at the first bad file; None for no list.
        go_on: add to the list that is there; else the first bad file begins it anew.
    """

    def __init__(self, path: str | os.PathLike | None = None, *, go_on: bool = False) -> None:
        self.path = Path(path) if path is not None else None
        self._listed: set[str] = set()
        if go_on and self.path is not None and self.path.exists():
            with open(self.path, encoding="utf-8", errors="backslashreplace") as file:
                self._listed = set(file)
        self.failure: UserError | None = None  # what `tf.data` turned into an error of its own
        self._reasons: dict[str, str] = {}
        self._bad: dict[int, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._reasons)

    def add(self, source: Sized, *bad: BadExample) -> None:
        """Notes bad examples of `source`; what it is known for already counts once.

        Raises:
            UserError: when more than half of the source is bad; kept as `failure` too.
        """
        with self._lock:
            new = {error.path: error.reason for error in bad if error.path not in self._reasons}
            if new:
                self._list(new)
            # A file may be bad in two sources, such as both halves of one picture.
            known = self._bad[id(source)]
            known |= {error.path for error in bad}
            total = len(source) + len(getattr(source, "rejected", ()))
            if 2 * len(known) > total:
                colour = ", and pictures in colour are needed" if isinstance(bad[-1], GreyExample) else ""
                self.failure = self.failure or UserError(
                    f"{len(known)} of {total} examples are bad, for instance {bad[-1]}{colour}"
                    + (f"; all of them: {self.path}" if self.path else "")
                )
                raise self.failure

    def _list(self, new: dict[str, str]) -> None:
        first = not self._reasons
        self._reasons |= new
        if self.path is not None:
            # What a name has that is no Unicode is shown as `\udcff`: the list stays a text.
            lines = [f"{path}\t{reason}\n" for path, reason in new.items()]
            lines = [line.encode(errors="backslashreplace").decode() for line in lines]
            # A list of an earlier run may name files that were mended since: the first entry begins it anew.
            mode = "w" if first and not self._listed else "a"
            with open(self.path, mode, encoding="utf-8", errors="backslashreplace") as file:
                file.write("".join(line for line in lines if line not in self._listed))
        if first:
            path, reason = next(iter(new.items()))
            where = f"; the list: {self.path}" if self.path else ""
            print(f"warning: bad files are skipped, the first is {path}: {reason}{where}", file=sys.stderr)
