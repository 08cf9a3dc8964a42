"""What the cells of a row hold: a text, labels, indicators of labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.table import Row
from seqrnn.data.text.tokens import join_tokens

if TYPE_CHECKING:
    from seqrnn.data.source import Source

YES = frozenset({"1", "1.0", "true", "yes", "y", "t"})
NO = frozenset({"0", "0.0", "false", "no", "n", "f", ""})


def text_of(value: object) -> str | None:
    """Return the text of a field, which is a string or a list of tokens, or None where it is neither."""
    match value:
        case str(text):
            return text
        case list(tokens) if all(isinstance(token, str) for token in tokens):
            return join_tokens(tokens)
    return None


def labels_of(row: Row, keys: Sequence[str], source: Source) -> tuple[str, ...]:
    """Return the labels in some columns: what each holds, or, of several indicators, which are set."""
    if source.multi_label and len(keys) > 1:
        return tuple(key for key in keys if _is_set(row, key))
    return tuple(label for key in keys for label in _labels_in(row, key, source))


def holds_indicators(cells: Sequence[object]) -> bool:
    """Whether each cell says whether a label holds, as 0 and 1 do."""
    return all(_plain(cell) in YES | NO for cell in cells)


def _plain(value: object) -> str:
    return "" if value is None else str(value).strip().lower()


def _is_set(row: Row, key: str) -> bool:
    text = _plain(row.cell(key))
    if text not in YES | NO:
        raise RowError(row.line, f'"{key}" holds {text[:20]!r}; of several label columns each holds 0 or 1')
    return text in YES


def _labels_in(row: Row, key: str, source: Source) -> tuple[str, ...]:
    match row.cell(key):
        case None:
            return ()
        case str(label):
            return source.split_labels(label)
        case int() | float() as scalar:
            return (json.dumps(scalar),)
        case list(labels) if all(isinstance(label, str) for label in labels):
            return tuple(labels)
        case list(numbers) if all(type(number) is int for number in numbers):
            return tuple(map(str, numbers))
        case {} as fields if fields:
            what = f'"{key}" is an object; name one of its fields with `data.label_column`'
            raise RowError(row.line, f"{what}, such as {key}.{next(iter(fields))}")
    raise RowError(
        row.line, f'"{key}" is no label; give a string, a number, true, false or a list of strings'
    )
