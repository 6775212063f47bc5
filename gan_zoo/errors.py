"""The one error type whose message is meant for the user, and how a command shows it."""

import contextlib
import errno
import sys
from collections.abc import Iterator


class UserError(ValueError):
    """A mistake that the user can mend: the message says what was wrong and what would be right, in one line."""


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a `UserError`, a full disk and a refused permission into one line on stderr and exit code 2."""
    try:
        yield
    except UserError as error:
        message = str(error)
    except PermissionError as error:
        message = f"no permission for {error.filename!r}: choose another folder or change its rights"
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        message = (
            f"no space left on the disk{f' for {error.filename!r}' if error.filename else ''}: free some and repeat"
        )
    else:
        return
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)
