"""What reaches the user of an error: one line and an exit code, or the whole traceback where it is our mistake."""

import errno
import os

import pytest
import tensorflow as tf

from gan_zoo.errors import NonFiniteError, UserError, one_line_errors


def system_error(number: int, *filename: str) -> OSError:
    return OSError(number, os.strerror(number), *filename)


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (UserError("a\nb"), "a b", 2),
        (NonFiniteError("l1 is nan"), "l1 is nan", 1),
        (system_error(errno.EROFS, "/x/ü"), "'/x/ü': Read-only file system", 2),
        (system_error(errno.ENAMETOOLONG, "x"), "'x': File name too long", 2),
        (system_error(errno.EACCES, "x"), "no permission for 'x'", 2),
        (system_error(errno.ENOTDIR, "x"), "'x': a file stands where a folder is needed", 2),
        (system_error(errno.ENOSPC), "no space left on the disk: free", 2),
        (system_error(errno.ENOSPC, "x"), "no space left on the disk for 'x': free", 2),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\ntensor"), "out of memory: smaller", 2),
        (tf.errors.ResourceExhaustedError(None, None, "x; No space left on device"), "no space left on the disk", 2),
    ],
)
def test_one_line(error, message, code, capsys) -> None:
    with pytest.raises(SystemExit) as leaving, one_line_errors():
        raise error
    err = capsys.readouterr().err
    assert leaving.value.code == code and err.startswith(f"error: {message}") and err.count("\n") == 1


@pytest.mark.parametrize("error", [OSError("who knows"), system_error(errno.EBADF), ValueError("a mistake of ours")])
def test_our_mistakes_keep_their_traceback(error) -> None:
    with pytest.raises(type(error), match=str(error).replace("[", r"\[")), one_line_errors():
        raise error
