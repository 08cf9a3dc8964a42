"""Lines of input as rows that each get an answer, in their order and whatever is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from seqrnn.answering.answering_threads import SideBySide
from seqrnn.answering.row_batches import MAX_ROWS
from seqrnn.cli.process import prepare_for_many_rows
from seqrnn.cli.shard import WHOLE, Piece
from seqrnn.cli.spelling import in_flags
from seqrnn.cli.stdio import OutputStream
from seqrnn.data.answer import Answer, AnswerStyle
from seqrnn.data.fields.named_files import ARRAY_EXTENSION
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.answer_writer import beside, fields_by_style
from seqrnn.data.formats.format import HEAD_ROWS
from seqrnn.data.formats.json_text import parse_json
from seqrnn.data.formats.numbers import NO_FEATURES, Features, steps_asked
from seqrnn.data.formats.records import find_text
from seqrnn.data.formats.table_cells import text_of
from seqrnn.data.lines import Line, file_name, read_line_groups
from seqrnn.data.record import Record
from seqrnn.errors import DataError
from seqrnn.library.rows import Refusal, RowAnswerer, without_surrogates

PLAIN = AnswerStyle()


class InputRow(NamedTuple):
    """One line of input: what to answer, a JSON line's own fields, or why it has no answer."""

    id: int
    text: str
    fields: dict[str, Any] | None = None
    error: str | None = None
    steps: list[Any] | None = None

    def record(self, path: str) -> Record:
        """Return the row, of the file `path`, as a record."""
        return Record(self.text, path=path, line=self.id + 1, steps=self.steps)


class AnsweredRows(NamedTuple):
    """Some rows, each with its answer or None, and what is written of them."""

    pairs: Sequence[tuple[InputRow, Answer | None]]
    written: Sequence[str]
    replaced: int  # bytes that were not UTF-8


@dataclass
class RowTally:
    """Counts what a user should know of the rows, once all are answered."""

    truncated: int = 0
    replaced: int = 0
    errors: int = 0
    first_error: str | None = None
    notes: Sequence[str] = ()

    def count(self, part: AnsweredRows, name: str) -> None:
        """Take note of some rows of the file `name`."""
        self.replaced += part.replaced
        for row, answer in part.pairs:
            self.note(answer, f"{name}:{row.id + 1}", row.error)

    def note(self, answer: Answer | None, location: str, error: str | None) -> None:
        """Take note of the answer to the row at a location, or of why it has none."""
        if answer is not None:
            self.truncated += answer.truncated
            return
        self.errors += 1
        if self.first_error is None:
            self.first_error = f"{location}: {error}"

    def require_answers(self) -> None:
        """Raise DataError, with the first of them, where there are rows without an answer."""
        if self.first_error is not None:
            others = f", as {self.errors - 1:,} more" if self.errors > 1 else ""
            raise DataError(f"{self.first_error}; the row has no answer{others}, and --strict was given")

    def lines(self, limit: str = "max_tokens") -> Iterator[str]:
        """Yield the notes, and a sentence for each count over 0; what is longer than `limit` was cut."""
        yield from self.notes
        if self.truncated:
            yield f"rows longer than {limit}, and cut: {self.truncated:,}"
        if self.replaced:
            yield f"bytes that were not UTF-8, and read as U+FFFD: {self.replaced:,}"
        if self.errors:
            why = "(--jsonl says why of each), the first"
            yield f"rows that could not be answered: {self.errors:,} {why} at {self.first_error}"


@dataclass(frozen=True)
class RowFormat:
    """How rows are read and written: as JSON, with the text in `field`, or plainly.

    `kind` is what the model reads; numbers come as JSON in any case, those of objects in `field`, a list, or
    in the fields of `features`. `plain_fields` makes fields of a text that brought none, and `write` a line
    of an answer. `style` says how answers are named in JSON and in files. Bytes that are not UTF-8 are read
    in `encoding`. A line may name a file of numbers only if `opens_files`.
    """

    as_json: bool
    field: str | None
    kind: str
    plain_fields: Callable[[str], dict[str, Any]]
    write: Callable[[Answer, str], str]
    encoding: str = "auto"
    style: AnswerStyle = PLAIN
    opens_files: bool = True
    features: Features = NO_FEATURES


def answer_rows(
    path: str,
    out: OutputStream,
    layout: RowFormat,
    answerer: RowAnswerer,
    side_by_side: SideBySide,
    piece: Piece = WHOLE,
    note_of: Callable[[Sequence[str]], Sequence[str]] = lambda texts: (),  # noqa: ARG005
) -> RowTally:
    """Answer each line of a `piece` of a file, in order and as soon as lines have come.

    Rows that `answerer` refuses are answered by an empty line. Parts of what has come are answered
    `side_by_side`. `note_of` tells what the user should know of the first of them.
    """
    tally = RowTally()
    name = file_name(path)
    prepare_for_many_rows()

    def answered(lines: Sequence[Line]) -> AnsweredRows:
        pairs = with_answers(list(read_rows(lines, layout)), answerer, name)
        if layout.as_json:
            written = [out.json_line(json_record(row, answer, layout)) for row, answer in pairs]
        else:
            written = [layout.write(answer, row.text) if answer else "" for row, answer in pairs]
        return AnsweredRows(pairs, written, sum(line.replaced for line in lines))

    for number, part in enumerate(side_by_side(answered, line_parts(path, layout.encoding, piece))):
        out.write_lines(part.written)
        if number == 0:
            tally.notes = note_of([row.text for row, _ in part.pairs[:HEAD_ROWS]])
        tally.count(part, name)
    return tally


def line_parts(path: str, encoding: str, piece: Piece) -> Iterator[Sequence[Line] | None]:
    """Yield the lines of a piece of a file in the parts that are answered at a time; None is a wait."""
    groups = read_line_groups(path, "replace", encoding, skip=piece.start)
    return piece.within(parts_of(groups))


def with_answers(
    rows: Sequence[InputRow], answerer: RowAnswerer, name: str
) -> list[tuple[InputRow, Answer | None]]:
    """Answer rows of the file `name` together; a row without an answer says why in its error."""
    asked = [row.record(name) if row.error is None else Refusal(row.error) for row in rows]
    return [_with_answer(row, found) for row, found in zip(rows, answerer(asked), strict=True)]


def parts_of(groups: Iterable[Sequence[Line]]) -> Iterator[Sequence[Line] | None]:
    """Cut groups of lines into parts that end with each `MAX_ROWS`-th line, and at a wait, for which None is.

    So where a part ends depends on the number of its lines alone, as long as nobody waits for lines.
    """
    held: list[Line] = []
    try:
        for lines in groups:
            held.extend(lines)
            while held and (stop := MAX_ROWS - (held[0].number - 1) % MAX_ROWS) <= len(held):
                yield held[:stop]
                del held[:stop]
            if not lines:
                if held:
                    yield held
                held = []
                yield None
    except DataError:  # what comes before damage is answered
        if held:
            yield held
        raise
    if held:
        yield held


def json_record(row: InputRow, answer: Answer | None, layout: RowFormat) -> dict[str, Any]:
    """Return an answer with all that is known of it; the input's own fields come after the id."""
    own = layout.plain_fields(row.text) if answer or row.text else {}
    fields = {"id": row.id, **(own if row.fields is None else row.fields)}
    told = _explained if layout.style.explains else _answered
    answered = told(row, answer) | fields_by_style(answer, layout.style)
    return fields | beside(fields, answered, layout.style.prefix)


def _answered(row: InputRow, answer: Answer | None) -> dict[str, Any]:
    return {
        "prediction": answer.prediction if answer else None,
        "score": answer.score if answer else None,
        "probability": answer.probability if answer else None,
        "nbest": _nbest(answer) if answer else [],
        "truncated": answer is not None and answer.truncated,
        "unknown": answer.unknown if answer else 0,
        "error": None if row.error is None else in_flags(row.error),
    }


def _explained(row: InputRow, answer: Answer | None) -> dict[str, Any]:
    why = None if answer is None else answer.explanation
    return {
        "prediction": answer.prediction if answer else None,
        "probability": answer.probability if answer else None,
        **({} if why is None else why.as_json),
        "truncated": answer is not None and answer.truncated,
        "unknown": answer.unknown if answer else 0,
        "error": row.error,
    }


def _nbest(answer: Answer) -> list[dict[str, Any]]:
    """Return each candidate with its natural-log score and its probability, from 0 to 1."""
    return [
        {"prediction": found, "score": score, "probability": sure}
        for (found, sure), (_, score) in zip(answer.ranked, answer.nbest, strict=True)
    ]


def read_rows(lines: Iterable[Line], layout: RowFormat) -> Iterator[InputRow]:
    """Turn lines into rows; a line that is a JSON object may bring its own fields.

    Its text is in the field that the layout names or, if that is None, in the first of a usual name.
    """
    for line in lines:
        number = line.number - 1
        if line.error is not None:
            yield InputRow(number, "", error=line.error)
        elif kind_named(layout.kind).has_numbers and not _names_file(line.text, layout):
            yield _read_numbers(number, line.text, layout)
        elif layout.as_json and line.text.lstrip().startswith("{"):
            yield _read_object(number, line.text, layout.field)
        else:
            yield InputRow(number, line.text)


def read_value(number: int, value: Any, layout: RowFormat) -> InputRow:
    """Turn a value that JSON held into a row, the one of this number from 0.

    A string is a text, whatever it begins with, unless numbers are read, which it then holds; an object has
    its text or numbers in the field that the layout names, and hands its other fields through.
    """
    if kind_named(layout.kind).has_numbers:
        if isinstance(value, str):
            return _read_numbers(number, value, layout)
        return _numbers_of(number, "", value, layout)
    if isinstance(value, dict):
        return _text_in(number, value, layout.field)
    text = text_of(value)
    if text is None:
        return InputRow(
            number, "", {"text": value}, "no text; give a string, or an object with a field of text"
        )
    return InputRow(number, without_surrogates(text))


def _names_file(text: str, layout: RowFormat) -> bool:
    return layout.opens_files and text.endswith(ARRAY_EXTENSION)


def _with_answer(row: InputRow, found: Answer | Refusal) -> tuple[InputRow, Answer | None]:
    """Return the row with its answer, or with why it has none."""
    return (row._replace(error=found.reason), None) if isinstance(found, Refusal) else (row, found)


def _read_object(number: int, text: str, text_field: str | None) -> InputRow:
    try:
        fields = parse_json(text)
    except ValueError as error:
        return InputRow(number, "", {"text": text}, f"not JSON: {error}")
    return _text_in(number, fields, text_field)


def _text_in(number: int, fields: dict[str, Any], text_field: str | None) -> InputRow:
    """Find the text of an object, in the field of that name or in the first of a usual one."""
    name, value = find_text(fields, text_field)
    if value is None:
        return InputRow(number, "", fields, f'no text in the field "{name}"; name it with --text-col')
    return InputRow(number, without_surrogates(value), fields)


def _read_numbers(number: int, text: str, layout: RowFormat) -> InputRow:
    """Read a line that holds a JSON object, or nothing but its numbers; those of one vector may be bare."""
    if not text.strip():
        return InputRow(number, text, {"text": text}, "holds no numbers; give them as JSON")
    bare = not kind_named(layout.kind).sequential and text.lstrip()[0] not in "[{"
    try:
        value = parse_json(f"[{text}]" if bare else text)
    except ValueError as error:
        return InputRow(number, text, {"text": text}, f"not JSON: {error}")
    return _numbers_of(number, text, value, layout)


def _numbers_of(number: int, text: str, value: Any, layout: RowFormat) -> InputRow:
    """Find the numbers of a value: those of an object, or all of them."""
    fields = value if isinstance(value, dict) else {layout.kind: value}
    try:
        steps = steps_asked(value, layout.kind, layout.field, layout.features)
    except ValueError as error:
        return InputRow(number, text, fields, str(error))
    return InputRow(number, text, fields, steps=steps)
