"""The errors that a user can cause, and the exit code of each.

    SeqrnnError
    ├── UsageError     2   arguments that do not go together; data of two readings
    ├── ConfigError    2   a setting
    ├── DataError      3   a file to train on, to evaluate or to answer
    ├── ModelError     4   a run directory that cannot be trusted or read
    ├── OutputError    5   stdout or the disk
    ├── NumericError   6   nan or infinity where a number was needed
    ├── LockedError    7   another training owns the run directory
    └── MemoryLimit    8   no memory left

Each message is one line: where, what, and what to do. It names settings between backticks, such as
`data.text_column` and `data.format=lines`, and functions, such as `classify()`; the command line shows
its flags instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class SeqrnnError(Exception):
    """Base of every error that is shown to the user as one line."""

    exit_code: ClassVar[int] = 1


class UsageError(SeqrnnError):
    """Something is asked for that cannot be done."""

    exit_code = 2


class AmbiguousDataError(UsageError):
    """The data can be read in several ways that are equally likely.

    Each of `readings` is the settings that would choose one, such as `{"task": "regression"}`; the
    message is a question to which they are the answers.
    """

    def __init__(self, question: str, readings: Sequence[Mapping[str, str]] = ()) -> None:
        choices = (", ".join(f"`{key}={value}`" for key, value in reading.items()) for reading in readings)
        super().__init__(f"{question} {' or: '.join(choices)}".rstrip())
        self.question = question
        self.readings = readings


class ConfigError(SeqrnnError):
    """A configuration file or override is wrong."""

    exit_code = 2


class DataError(SeqrnnError):
    """Input data is missing, malformed or of no use."""

    exit_code = 3


class ModelError(SeqrnnError):
    """A model directory is damaged, foreign or of a newer format."""

    exit_code = 4


class OutputError(SeqrnnError):
    """Writing to stdout or to the disk failed."""

    exit_code = 5


class NumericError(SeqrnnError):
    """A computation gave nan or infinity."""

    exit_code = 6


class LockedError(SeqrnnError):
    """Another process trains in this run directory."""

    exit_code = 7


class MemoryLimit(SeqrnnError):
    """The work does not fit into memory."""

    exit_code = 8


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory; PyTorch has no class of its own for that on a CPU."""
    said = str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("allocate memory" in said or "out of memory" in said)
    )


def refuse(given: Mapping[str, Any], reason: str) -> None:
    """Raise UsageError for the first option that was given: whose value is not None."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name}: {reason}")
