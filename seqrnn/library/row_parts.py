"""Rows that are answered a part at a time, however many there are, and the results of the parts in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.data.answer import Answer
from seqrnn.errors import DataError
from seqrnn.library.results import LineScore, RowAnswer
from seqrnn.library.rows import NOT_FINITE, Refusal

if TYPE_CHECKING:
    from seqrnn.library.explanations import Explanation

Errors = Literal["raise", "return"]
"""What becomes of a row without an answer: an exception, or a result with its `error`."""
Result = TypeVar("Result", RowAnswer, LineScore, "Explanation")
Part = tuple[int, list[Any]]
"""The number of its first row, from 0, and its rows."""
Answering = Callable[[Part], list[Answer | Refusal]]


def parts_of(rows: Iterator[Any]) -> Iterator[Part]:
    """Yield as many rows at a time as are answered together."""
    first = 0
    while part := list(islice(rows, MAX_ROWS)):
        yield first, part
        first += len(part)


def results(parts: Iterable[list[Answer | Refusal]], kind: type[Result], errors: Errors) -> Iterator[Result]:
    """Yield what programs get of each row, in order.

    Raises DataError, with the number of the row, for one without an answer, unless its error is returned.
    """
    for number, answer in enumerate(map(_finite, chain.from_iterable(parts))):
        if isinstance(answer, Answer):
            yield kind.of(answer)
        elif errors == "raise":
            raise DataError(f"rows[{number}]: {answer.reason}")
        else:
            yield kind(error=answer.reason)


def _finite(answer: Answer | Refusal) -> Answer | Refusal:
    if isinstance(answer, Answer) and not answer.is_finite:
        return NOT_FINITE
    return answer
