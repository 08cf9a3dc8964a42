"""The history of a training: one JSON line an evaluation."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqrnn.errors import ModelError, OutputError
from seqrnn.run.files import read_regular
from seqrnn.strict_json import parse_object

METRICS = "metrics.jsonl"
REMOVE = "remove the line"  # what to do about one that cannot be read: the others still tell the history


class MetricsLog:
    """`metrics.jsonl` of a run directory: lines with at least `step`, in the order of steps."""

    def __init__(self, run: Path) -> None:
        self.path = run / METRICS

    def append(self, values: Mapping[str, Any]) -> None:
        """Add a line; nan and infinity, which JSON does not have, become null. Raises `OutputError`."""
        line = json.dumps(finite(values), ensure_ascii=False, allow_nan=False) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        try:
            with open(os.open(self.path, flags, 0o666), "ab") as file:
                file.write(line.encode())
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}") from error

    def read(self) -> list[dict[str, Any]]:
        """All lines. One that a crash cut short at the end is left out; raises `ModelError` for others."""
        return [values for values, _ in self._lines()]

    def cut(self, step: int) -> None:
        """Drop the lines after `step`, and a torn one at the end, before a training continues there.

        Raises `ModelError` where the file cannot be read and `OutputError` where it cannot be cut.
        """
        length = 0
        for values, end in self._lines():
            if values["step"] > step:
                break
            length = end
        try:
            if os.path.lexists(self.path):
                os.truncate(self.path, length)
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}") from error

    def _lines(self) -> list[tuple[dict[str, Any], int]]:
        """Each complete line, and the byte at which it ends."""
        if not os.path.lexists(self.path):  # a link to nothing is damage, not the absence of a history
            return []
        *lines, _torn = read_regular(self.path).split(b"\n")
        found, end = [], 0
        for number, line in enumerate(lines, start=1):
            end += len(line) + 1
            location = Path(f"{self.path}:{number}")
            values = parse_object(line, location, REMOVE)
            step = values.get("step")
            if type(step) is not int or step < 0:  # True is an int to Python
                raise ModelError(f"{location}: has no step; {REMOVE}")
            found.append((values, end))
        return found


def finite(value: Any) -> Any:
    """The same value with null for each number that is not finite."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
