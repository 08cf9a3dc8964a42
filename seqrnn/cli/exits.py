"""How a command ends: one line on stderr and an exit code for whatever goes wrong.

0 done               4 model directory       8 out of memory
1 a bug of ours      5 stdout, disk or port  130 SIGINT
2 usage or config    6 nan or infinity       141 closed pipe (SIGPIPE itself)
3 data               7 run locked            143 SIGTERM (the signal itself, unless training)
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from seqrnn.cli.spelling import in_flags
from seqrnn.data.lines import printable
from seqrnn.errors import MemoryLimit, OutputError, SeqrnnError, UsageError, is_out_of_memory
from seqrnn.library.installed import TRAINING, needs

BUG = 1
INTERRUPTED = 128 + 2
WANTED = {
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
"""What an option wants, by pydantic's name for the error."""
ELSEWHERE = {"lr": "learning-rate", "dim": "embedding-size", "epoch": "epochs"}
"""Options of other programs, and those that say here what they say, without their dashes."""


@contextmanager
def exit_codes(debug: bool) -> Iterator[None]:
    """Turn whatever is raised inside into one line and SystemExit; `debug` adds the traceback."""
    try:
        try:
            yield
        finally:
            _flush_stdout()
    except (SystemExit, typer.Exit):
        raise
    except BaseException as error:  # noqa: BLE001 (a panic of the tokenizers library is no Exception)
        if debug:
            traceback.print_exc()
        code, message = describe(error)
        if message:
            report(message)
        raise SystemExit(code) from None


def describe(error: BaseException) -> tuple[int, str]:
    """The exit code of an exception and the sentence to show; no sentence for an interruption."""
    match error:
        case SeqrnnError():
            return error.exit_code, in_flags(str(error))
        case KeyboardInterrupt() | typer.Abort():
            return INTERRUPTED, ""
        case MemoryError():
            return MemoryLimit.exit_code, "out of memory; try a smaller batch, model or input"
        case RuntimeError() if is_out_of_memory(error):
            wanted = str(error).splitlines()[0].split("] ")[-1]
            return MemoryLimit.exit_code, f"{wanted}; try a smaller --batch-size, --hidden-size or input"
        case typer.TyperException():
            return error.exit_code, _usage(error)
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in TRAINING:
            return UsageError.exit_code, needs("this", TRAINING[str(error.name).partition(".")[0]])
        case OSError():
            location = f"{error.filename}: " if error.filename else ""
            return OutputError.exit_code, f"{location}{error.strerror or error}"
    what = f"{type(error).__name__}: {error}"
    return BUG, f"a bug in seqrnn ({what}); run it again with --debug and report the traceback"


def report(message: str) -> None:
    """Show an error as the one line that scripts and people look for."""
    with suppress(OSError):  # nobody is left to tell
        print(f"seqrnn: error: {printable(' '.join(message.split()))}", file=sys.stderr, flush=True)


def _flush_stdout() -> None:
    """Write out what help or `--version` printed, while a failure can still be reported."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _usage(error: Any) -> str:
    """Say what is wrong with a command line, from Typer's exceptions, whose classes are private."""
    if not error.message and not hasattr(error, "param"):
        return ""  # a program without arguments has shown its help
    see = f"; see {error.ctx.command_path} --help" if getattr(error, "ctx", None) else ""
    if hasattr(error, "possibilities"):
        known = ELSEWHERE.get(error.option_name.removeprefix("--"))
        meant = f"--{known}" if known else next(iter(error.possibilities or ()), None)
        near = f"; did you mean {meant}?" if meant else see
        return f"{error.option_name}: no such option{near}"
    parameter = getattr(error, "param", None)
    if parameter is None:
        return f"{error.format_message().rstrip('.')}{see}"
    if hasattr(error, "param_type"):
        return f"{_name(parameter)}: missing {parameter.param_type_name}{see}"
    return f"{_name(parameter)}: {_bad_value(error, parameter)}"


def _bad_value(error: Any, parameter: Any) -> str:
    """Word a value of the wrong type as the configuration does."""
    from seqrnn.config_check import limit, refusal

    if not hasattr(error.__cause__, "errors"):  # not pydantic's, with which Typer reads values
        return str(error.message)
    cause, choices = error.__cause__.errors()[0], parameter.type_descriptor.choices or ()
    if choices:
        return refusal(f"one of {', '.join(choices)}", cause["input"], choices)
    if cause["type"] not in WANTED:
        return str(cause["msg"])
    limits = {name: limit(cause["ctx"][name]) for name in ("ge", "le") if name in cause.get("ctx", {})}
    return refusal(WANTED[cause["type"]].format(**limits), cause["input"])


def _name(parameter: Any) -> str:
    """`--hidden-size` for an option, `DATA` for an argument."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))
