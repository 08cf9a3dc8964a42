"""Tables of one token a row: the rows of a sentence are put together to a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from seqrnn.data.answer import Answer
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.limits import LONGEST
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens

if TYPE_CHECKING:
    from seqrnn.data.source import Source


BLANK_ROWS = "-"  # instead of a column: sentences end there


class TokenRows(NamedTuple):
    """The keys of the columns of a table of tokens; `tag` is None where tags need not be there."""

    sentence: str
    token: str
    tag: str | None


def token_records(table: Table, name: str, source: Source) -> Iterator[Record]:
    """Yield a record for each sentence of a table.

    A sentence ends before a row with another value in its column, and at a blank row; a blank cell there
    repeats the value of the row before. Raises RowError for a row without a token or a tag, and for a
    sentence of more than `LONGEST` tokens.
    """
    columns = _columns(table, source, tagged=True)
    for rows in _sentences(table.rows, columns.sentence):
        if not rows[0].is_blank:
            yield _record(rows, columns, name)


def answerable_tokens(table: Table, name: str, source: Source) -> Iterator[tuple[Row, Record | None]]:
    """Yield each row of a table with its sentence, in whose `lines` it is, or with why it has none."""
    columns = _columns(table, source, tagged=False)
    for rows in _sentences(table.rows, columns.sentence):
        checked = [_checked(row, columns.token) for row in rows]
        sound = [row for row in checked if row.fields and row.error is None]
        record = _record(sound, columns, name) if sound else Record("", (), name, rows[0].line)
        yield from ((row, None if row.error else record) for row in checked)


def token_answer(row: Row, sentence: Record, answer: Answer) -> Answer:
    """Return the answer to the token of a row; a blank row, or a token that was cut off, has none."""
    index = sentence.lines.index(row.line) if sentence.lines else None
    if index is None or index >= len(answer.parts):
        return Answer(None, None, truncated=index is not None)
    tag, score = None if answer.abstained else answer.prediction[index], answer.parts[index]
    found = Answer(tag, score, [(tag, score)], answer.truncated, answer.unknown)
    return found._replace(abstained=answer.abstained)


def _sentences(rows: Iterable[Row], sentence: str) -> Iterator[list[Row]]:
    """Yield the rows of each sentence; a blank row is by itself."""
    held: list[Row] = []
    current = ""
    for row in rows:
        value = "" if sentence == BLANK_ROWS else _cell(row, sentence)
        if held and (row.is_blank or value not in {"", current}):
            yield held
            held = []
        current = value or current
        if row.is_blank:
            yield [row]
            continue
        held.append(row)
        if len(held) > LONGEST:
            what = f"a sentence of over {LONGEST:,} tokens begins at this row"
            raise RowError(held[0].line, f"{what}; name the column of sentences with `data.sentence_column`")
    if held:
        yield held


def _checked(row: Row, token: str) -> Row:
    """Return the row, or one with an error where it has no token."""
    try:
        if row.fields and row.error is None:
            _filled(row, token, "token", "`data.text_column`")
    except RowError as error:
        return row._replace(error=str(error))
    return row


def _columns(table: Table, source: Source, tagged: bool) -> TokenRows:
    def key(choice: str | None, flag: str) -> str:
        if choice is None:
            raise RowError(table.line, f"which column holds the tokens, and which their tags? use {flag}")
        return choice if table.names is None or choice == BLANK_ROWS else table.find(choice, flag)

    tag = key(source.label_column, "`data.label_column`") if tagged else None
    return TokenRows(
        key(source.sentence_column, "`data.sentence_column`"),
        key(source.text_column, "`data.text_column`"),
        tag,
    )


def _record(rows: list[Row], columns: TokenRows, name: str) -> Record:
    words = [_filled(row.checked(), columns.token, "token", "`data.text_column`") for row in rows]
    tag = columns.tag
    tags = () if tag is None else tuple(_filled(row, tag, "tag", "`data.label_column`") for row in rows)
    lines = [row.line for row in rows]
    return Record(join_tokens(words), tags, name, rows[0].line, rows[0].fields, lines=lines)


def _filled(row: Row, key: str, what: str, flag: str) -> str:
    text = _cell(row, key)
    if not text:
        raise RowError(row.line, f'no {what} in column "{key}"; fix the row, or use {flag}')
    return text


def _cell(row: Row, key: str) -> str:
    if row.fields and row.error is None and key not in row.fields:
        raise RowError(row.line, f'no field "{key}"; name another one')
    value = row.fields.get(key)
    return "" if value is None else str(value).strip()
