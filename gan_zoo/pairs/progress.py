"""How far something is that takes its time."""

import shutil
import sys
import time
from typing import TextIO

LINE_SECONDS = 10.0  # between two lines where there is no terminal
SHOW_SECONDS = 0.1
CELLS = 24


class ProgressBar:
    """A bar in one line that is rewritten on a terminal, else a line now and then.

    Args:
        total: how many there are.
        what: they are.
        stream: stdout by default.
    """

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        self.total, self.what, self.stream = total, what, stream or sys.stdout
        self._began = self._said_at = time.monotonic()

    def __call__(self, count: int) -> None:
        """Says that `count` are done."""
        now, terminal = time.monotonic(), self.stream.isatty()
        if count < self.total and now - self._said_at < (SHOW_SECONDS if terminal else LINE_SECONDS):
            return
        self._said_at = now
        if terminal:
            columns = shutil.get_terminal_size().columns - 1
            self.stream.write("\r\x1b[K" + self._line(count, now)[:columns] + ("\n" if count == self.total else ""))
            self.stream.flush()
        else:
            print(self._line(count, now), file=self.stream, flush=True)

    def clear(self) -> None:
        """Empties the line, so that another can be written."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _line(self, count: int, now: float) -> str:
        filled = CELLS * count // self.total
        rate = count / max(now - self._began, 1e-9)
        left = f", {(self.total - count) / rate:.0f} s left" if 0 < count < self.total else ""
        return f"[{'#' * filled}{'.' * (CELLS - filled)}] {count}/{self.total} {self.what}, {rate:.1f}/s{left}"
