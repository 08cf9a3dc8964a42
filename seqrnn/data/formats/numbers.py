"""The numbers in the fields of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqrnn.data.fields.source_kind import number_kinds
from seqrnn.data.limits import LONGEST


def steps_in(fields: Mapping[str, Any], kind: str, column: str | None = None) -> list[Any] | None:
    """Return the numbers of an object, a list a time step, or None where `kind` is not read or not there.

    They are in the field `column` or in the one that bears the name of the kind; of kind "auto" any
    will do. A list that holds no lists is a series of single numbers if these are vectors, else it is
    one step.
    """
    if kind not in {"auto", *number_kinds()}:
        return None
    names = (column,) if column else number_kinds() if kind == "auto" else (kind,)
    name = next((name for name in names if isinstance(fields.get(name), list)), None)
    if name is None or any(isinstance(item, str) for item in fields[name]):
        return None
    value: list[Any] = fields[name]
    if not value or any(isinstance(item, list) for item in value):
        return value
    # Nothing reads beyond one step more than an example may have; a list for each would cost much memory.
    return [[item] for item in value[: LONGEST + 1]] if "vectors" in {kind, name} else [value]


def without_numbers(kind: str, column: str | None) -> str:
    """Say that `steps_in` has found nothing of a kind."""
    return f'no numbers in the field "{column or kind}"; name it with `data.text_column`'
