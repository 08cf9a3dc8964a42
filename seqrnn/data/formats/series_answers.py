"""Tables whose rows are the steps of series, with the answer to each series in all of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from seqrnn.data.answer import Answer
from seqrnn.data.formats.answer_writer import Answered, AnswerWriter, Sink
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.series import name_of_series
from seqrnn.data.formats.table import Row

ROWS = 1024  # that are written at a time


class SeriesWriter(AnswerWriter):
    """Keeps the answers to the series, and writes all `rows` of the table in their order at the end.

    `key` is that of the column that says which series a row belongs to, `writer` the table's own.
    """

    shards = "none"

    def __init__(self, rows: Iterator[Row], key: str, writer: AnswerWriter) -> None:
        self._rows = rows
        self._key = key
        self._writer = writer
        self.is_binary = writer.is_binary  # type: ignore[misc]
        self._answers: dict[object, tuple[Answer | None, str | None]] = {}

    def begin(self, out: Sink) -> None:
        """Write what comes before the first row."""
        self._writer.begin(out)

    def write(self, examples: Sequence[Answered], out: Sink) -> None:  # noqa: ARG002
        """Keep the answers to some series."""
        self._answers |= {
            row.fields[self._key]: (answer, row.error) for row, answer in examples if row.fields
        }

    def end(self, out: Sink) -> None:
        """Write the rows."""
        while rows := list(islice(self._rows, ROWS)):
            self._writer.write(list(map(self._answered, rows)), out)
        self._writer.end(out)

    def _answered(self, row: Row) -> Answered:
        if row.error is not None or not row.fields:
            return Answered(row, None)
        try:
            answer, error = self._answers[name_of_series(row, self._key)]
        except RowError as failure:
            return Answered(row._replace(error=str(failure)), None)
        return Answered(row._replace(error=error), answer)
