"""The errors whose message is meant for the user, and how a command shows them."""

import contextlib
import errno
import sys
from collections.abc import Iterator

import tensorflow as tf


class UserError(ValueError):
    """A mistake that the user can mend: the message says what was wrong and what would be right, in one line."""

    exit_code = 2


class NonFiniteError(UserError):
    """A run that cannot go on, because a loss or a weight is no longer a finite number."""

    exit_code = 1


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a `UserError` and what goes wrong with files, disks and memory into one line on stderr and an exit code."""
    exit_code = UserError.exit_code
    try:
        yield
    except UserError as error:
        message, exit_code = str(error), error.exit_code
    except PermissionError as error:
        message = f"no permission for {error.filename!r}: choose another folder or change its rights"
    except (FileExistsError, NotADirectoryError) as error:
        message = f"{error.filename!r}: a file stands where a folder is needed; choose another one"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = (
                f"no space left on the disk{f' for {error.filename!r}' if error.filename else ''}: free some and repeat"
            )
        elif error.errno and error.filename:
            message = f"{error.filename!r}: {error.strerror}"
        else:
            raise
    except tf.errors.ResourceExhaustedError as error:
        if "No space left" in str(error):
            message = "no space left on the disk: free some and repeat"
        else:
            message = "out of memory: smaller pictures or a smaller batch_size need less"
    else:
        return
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(exit_code)
