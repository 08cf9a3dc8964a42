"""Numbers in texts, and in the fields of an object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from seqrnn.data.fields.source_kind import fields_of, kind_named, number_kinds
from seqrnn.data.formats.table import missing
from seqrnn.data.limits import LONGEST

if TYPE_CHECKING:
    from seqrnn.config import DataConfig

OBJECTS = "jsonl"  # a format whose rows are objects, which name their numbers


class Features(NamedTuple):
    """The fields that hold a number each, as the columns of a table do.

    `of_step` tells whether an object is one step of a series, so that it alone cannot be answered.
    """

    names: tuple[str, ...] = ()
    of_step: bool = False

    @classmethod
    def of(cls, data: DataConfig) -> Features:
        """Return the fields of the objects that a model is asked about: the columns of its training data.

        Columns that had numbers and no names are no fields.
        """
        if not data.feature_columns:
            return NO_FEATURES
        from seqrnn.data.formats.registry import features_for

        names = features_for(data.feature_columns, data.format, OBJECTS, None)
        return cls(names, data.series_column is not None)


NO_FEATURES = Features()


def steps_in(fields: Mapping[str, Any], kind: str, column: str | None = None) -> list[Any] | None:
    """Return the numbers of an object, a list a time step, or None where `kind` is not read or not there.

    They are in the field `column` or in the one that bears the name of the kind; of kind "auto" any
    will do. A list that holds no lists is a series of single numbers if these are vectors, else it is
    one step.
    """
    if kind not in {"auto", *number_kinds()}:
        return None
    names = (column,) if column else fields_of(kind)
    name = next((name for name in names if isinstance(fields.get(name), list)), None)
    if name is None or any(isinstance(item, str) for item in fields[name]):
        return None
    value: list[Any] = fields[name]
    if not value or any(isinstance(item, list) for item in value):
        return value
    # Nothing reads beyond one step more than an example may have; a list for each would cost much memory.
    return [[item] for item in value[: LONGEST + 1]] if "vectors" in {kind, name} else [value]


def steps_asked(
    value: Mapping[str, Any] | Any, kind: str, column: str | None = None, features: Features = NO_FEATURES
) -> list[Any]:
    """Return the numbers of a value that a model is asked about: those of an object, or all of it.

    An object has them in its field `column`; else in `features`, or in a list as `steps_in` has it.
    Raises ValueError, which says why, where there are none.
    """
    if not isinstance(value, Mapping):
        value, column, features = {kind: value}, None, NO_FEATURES
    if column is None and any(name in value for name in features.names):
        if features.of_step:
            what = "the object is one step of a series"
            raise ValueError(
                f'{what}; give all of them as a list of lists in "{kind}", or a file of such rows'
            )
        return steps_of_row([number_in(value, name) for name in features.names], kind)
    steps = steps_in(value, kind, column)
    if steps is None:
        raise ValueError(without_numbers(kind, column, features))
    return steps


def steps_of_row(numbers: list[float], kind: str) -> list[list[float]]:
    """Return the numbers of a row as one vector or, where these are sequences, as a series of them."""
    return [[number] for number in numbers] if kind_named(kind).sequential else [numbers]


def is_number(text: str) -> bool:
    """Whether the text is read as a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def number_in(fields: Mapping[str, Any], key: str) -> float:
    """Return the number in a field. Raises ValueError, which says why, where there is none."""
    if key not in fields:
        raise ValueError(f"{missing(fields, key)}; add it, or leave the row out")
    value = fields[key]
    if isinstance(value, bool) or not is_number(str(value)):
        shown = "" if value is None else str(value)[:20]
        raise ValueError(f"column {key!r} holds {shown!r}, which is no finite number; fix the row")
    return float(value)


def without_numbers(kind: str, column: str | None, features: Features = NO_FEATURES) -> str:
    """Say that nothing of a kind was found."""
    if features.names and column is None and not features.of_step:
        fields = ", ".join(f'"{name}"' for name in features.names)
        return f'no numbers in the fields {fields}; give one in each, or a list of them in "{kind}"'
    return f'no numbers in the field "{column or kind}"; name it with `data.text_column`'
