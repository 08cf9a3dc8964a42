"""Messages that name flags of the command line, in the words of a program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from seqrnn.config import KEYS, flag_of
from seqrnn.errors import AmbiguousDataError, SeqrnnError

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMAND = re.compile(r"\bseqrnn (classify|generate|evaluate|train)\b")


@contextmanager
def spelled_for_python() -> Iterator[None]:
    """Name settings and arguments as Python does in what is raised inside: `top_k`, not `--top-k`."""
    try:
        yield
    except AmbiguousDataError as question:
        readings = (", ".join(f"{key_name(k)}={v!r}" for k, v in r.items()) for r in question.readings)
        question.args = (f"{in_python(str(question))} {' or: '.join(readings)}",)
        raise
    except SeqrnnError as error:
        error.args = (in_python(str(error)),)
        raise


def in_python(message: str) -> str:
    """Return a message with the names of settings and arguments instead of flags."""
    return COMMAND.sub(r"\1()", FLAG.sub(lambda found: _name(found[0]), message))


def key_name(key: str) -> str:
    """Return a setting as it is an argument of a function: its name without its section."""
    return key.rpartition(".")[2]


def _name(flag: str) -> str:
    return _names().get(flag, flag.removeprefix("--").replace("-", "_"))


def _names() -> dict[str, str]:
    """Return how a program says what a flag says; of a switch, its two ends."""
    names = {"--greedy": "sample=False", "--sample": "sample=True"}
    for key, field in KEYS.items():
        on, _, off = (flag_of(field) or "").partition("/")
        names |= {on: key_name(key), off: f"{key_name(key)}=False"}
    return names
