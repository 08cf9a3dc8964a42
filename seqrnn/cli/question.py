"""Data that can be read in two ways: a terminal is asked, a script is given both commands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from seqrnn.cli.spelling import flag_of, in_flags
from seqrnn.errors import AmbiguousDataError, UsageError

if TYPE_CHECKING:
    from seqrnn.config_file import Layer
    from seqrnn.library.plan import Plan

T = TypeVar("T")


def settled(plan: Callable[[Mapping[str, Any]], T]) -> T:
    """Return `plan(settings)`: with no settings or, where that is ambiguous, those of the user's choice.

    Raises UsageError, with the command of each reading, where nobody can be asked.
    """
    try:
        return plan({})
    except AmbiguousDataError as question:
        commands = [_command(reading) for reading in question.readings]
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"{question.question} {' or: '.join(commands)}") from question
        return plan(_ask(in_flags(question.question), question.readings))


def settled_plan(layers: list[Layer]) -> Plan:
    """Plan a training with the settings of a command line, as `settled` does."""
    from seqrnn.config_file import from_flags
    from seqrnn.library.plan import plan_training

    return settled(lambda answers: plan_training([*layers, from_flags(answers)]))


def _ask(question: str, readings: Any) -> Mapping[str, Any]:
    import typer

    print(question, file=sys.stderr)
    for number, reading in enumerate(readings, start=1):
        print(f"  {number}: {_flags(reading)}", file=sys.stderr)
    chosen = typer.prompt("Which", type=int, err=True)
    if not 1 <= chosen <= len(readings):
        raise UsageError(f"{chosen}: not one of 1 to {len(readings)}")
    return dict(readings[chosen - 1])


def _command(reading: Mapping[str, str]) -> str:
    """Return the command line that was given, with the settings of one reading."""
    return f"seqrnn {shlex.join(sys.argv[1:])} {_flags(reading)}"


def _flags(reading: Mapping[str, str]) -> str:
    return " ".join(flag_of(key, shlex.quote(value)) or "" for key, value in reading.items())
