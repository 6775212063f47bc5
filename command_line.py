"""What the scripts share: a quiet TensorFlow, flags that explain themselves, errors of one line.

Imported first by every script: TensorFlow reads its environment when it is imported.
"""

import codecs
import contextlib
import difflib
import importlib
import os
import re
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence

from absl import flags, logging

WIDTH = 118
CHECKPOINT_HELP = "latest, best, or the step of a checkpoint that is still there"
INFERENCE_MODE_HELP = (
    "pix2pix and its kin: train normalizes each image by its own statistics and draws dropout from the seed, eval "
    "takes the running statistics and drops nothing (default: the run's own setting)"
)
MAX_PIXELS_HELP = "the largest picture that is decoded, in pixels: a small file may claim any size (default: 178956970)"
PATH_FLAGS = (  # of whichever script
    "workdir",
    "init_from",
    "hints",
    "data_dir",
    "input",
    "output",
    "encode",
    "picture",
    "weights",
    "to_pytorch",
    "generated",
    "reference",
    "segmenter",
    "weights_dir",
    "classifier",
    "class_names",
)


def _show_what_has_no_sign(error: UnicodeError) -> tuple[str, int]:
    """Writes `\\xe9` for a byte of a file's name that is no UTF-8, and for a letter that the terminal does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    shown = (f"\\x{ord(letter) - 0xDC00:02x}" if "\udc80" <= letter <= "\udcff" else None for letter in letters)
    escaped = (letter.encode("ascii", "backslashreplace").decode() for letter in letters)
    return "".join(sign or other for sign, other in zip(shown, escaped, strict=True)), error.end


SHOWN = "gan_zoo.shown"  # how streams treat such letters
codecs.register_error(SHOWN, _show_what_has_no_sign)


@contextlib.contextmanager
def _without_native_noise() -> Iterator[None]:
    """Hides what C++ code writes to stderr past every log level; shows it after all where the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(stderr, noise.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _import_tensorflow() -> None:
    tensorflow = importlib.import_module("tensorflow")
    tensorflow.config.list_physical_devices()  # looks for GPUs, and complains where there are none
    tensorflow.get_logger().setLevel("ERROR")
    logging.set_verbosity(logging.ERROR)


if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
    with _without_native_noise():
        _import_tensorflow()

from gan_zoo.errors import UserError, one_line_errors  # noqa: E402 (after TensorFlow was made quiet)


def show_all_names() -> None:
    """Lets stdout and stderr show names of files that they have no signs for, whatever the locale is."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or a notebook put something else in its place
            stream.reconfigure(errors=SHOWN)


Main = Callable[[flags.FlagValues], int | None]


def run(
    main: Main,
    flag_values: flags.FlagValues,
    usage: str,
    *,
    more_help: Callable[[flags.FlagValues], str] | None = None,
    argv: Sequence[str] | None = None,
) -> None:
    """Reads the flags, calls `main` with them and leaves with the exit code that it returns.

    Args:
        main: what the script does; None counts as 0.
        flag_values: the script's own flags.
        usage: the first lines of `--help`.
        more_help: what `--help` says below the flags; it may look at flags that stand beside `--help`.
        argv: the command line, by default this process' own.
    """
    argv = list(sys.argv if argv is None else argv)
    show_all_names()
    warnings.filterwarnings("ignore", module="PIL")  # of odd pictures, which we name ourselves
    with one_line_errors():
        wants_help = [word for word in argv[1:] if word.lstrip("-") in ("help", "h", "helpfull", "helpshort", "?")]
        if wants_help:
            with contextlib.suppress(flags.Error):
                flag_values([word for word in argv if word not in wants_help])
            flag_values.mark_as_parsed()
            print(_help_text(flag_values, usage) + (more_help(flag_values) if more_help else ""))
            sys.exit(0)
        _parse(flag_values, argv)
        _expand_paths(flag_values)
        try:
            exit_code = main(flag_values)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            exit_code = 130
        sys.exit(exit_code or 0)


def _parse(flag_values: flags.FlagValues, argv: list[str]) -> None:
    names = [f"--{name}" for name in flag_values]
    try:
        unexpected = flag_values(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        near = difflib.get_close_matches(f"--{error.flagname}", names)
        hint = f"did you mean {' or '.join(near)}?" if near else f"the flags are {', '.join(names)}"
        raise UserError(f"unknown flag --{error.flagname}; {hint}") from None
    except flags.Error as error:
        missing = re.search(r"Flag --(\w+) must have a value other than None", str(error))
        if missing:
            raise UserError(f"--{missing[1]} is missing: {flag_values[missing[1]].help}") from None
        raise UserError(str(error)) from None
    if unexpected:
        raise UserError(
            f"unexpected {unexpected[0]!r}: all arguments are flags, --name=value; they are {', '.join(names)}"
        )


def _expand_paths(flag_values: flags.FlagValues) -> None:
    """Puts the home folder for `~`, which a shell leaves alone behind `=`."""
    for name in PATH_FLAGS:
        value = flag_values[name].value if name in flag_values else None
        if value is None:
            continue
        paths = value if isinstance(value, list) else [value]
        if not all(paths) or not paths:
            raise UserError(f"--{name} is empty: give a path")
        expanded = [os.path.expanduser(path) for path in paths]
        flag_values[name].value = expanded if isinstance(value, list) else expanded[0]


def _help_text(flag_values: flags.FlagValues, usage: str) -> str:
    lines = [usage.strip(), "", "flags:"]
    for name in flag_values:
        flag = flag_values[name]
        default = "" if flag.default in (None, [], "") else f" (default: {flag.default_as_str.strip(chr(39))})"
        # absl ends the help of a flag that may be repeated with a line of its own.
        lines += entry(f"--{name}", flag.help.split(";\n")[0] + default)
    return "\n".join(lines) + "\n"


def entry(name: str, text: str) -> list[str]:
    """A name and what it means, as lines of a help text."""
    return textwrap.wrap(
        f"{name:<24} {text}", WIDTH, initial_indent="  ", subsequent_indent=" " * 27, break_on_hyphens=False
    )
