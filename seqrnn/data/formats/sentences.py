"""Sentences a token a line: put together from lines, and written again with a tag after each token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, NamedTuple

from seqrnn.data.answer import Answer, AnswerStyle, probability
from seqrnn.data.formats.answer_writer import Answered, AnswerWriter, Sink, names_beside
from seqrnn.data.formats.column_names import column_number
from seqrnn.data.formats.format import RowError
from seqrnn.data.formats.table import Row
from seqrnn.data.lines import Line, in_one_cell
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens
from seqrnn.errors import UsageError

Role = Literal["word", "comment", "document", "blank"]
NOTHING = "_"  # what such files have where there is no value
GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(\S.*)")
"""The first line of CoNLL-U Plus, which names the columns."""
ADDED = ("PREDICTION", "PROBABILITY")
NAMESPACE = "SEQRNN:"  # of columns that are not those of Universal Dependencies


class Token(NamedTuple):
    """A line and its columns: a word, or what comes between words or sentences; `error` if malformed."""

    line: Line
    cells: Sequence[str]
    role: Role
    error: str | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns hold word and tag, by number from 1 or by one of `names`; no tag is the last one.

    Where the format names its columns, each line has as many.
    """

    word: str
    tag: str | None
    names: Sequence[str] = ()

    def word_index(self, count: int, line: int) -> int:
        """Return the index of the word in a row of `count` columns."""
        return self._index(self.word, "`data.text_column`", count, line)

    def tag_index(self, count: int, line: int) -> int:
        """Return the index of the tag in a row of `count` columns."""
        if count < 2:
            raise RowError(line, "1 column, expected 2 or more (token ... tag); fix the line")
        return count - 1 if self.tag is None else self._index(self.tag, "`data.label_column`", count, line)

    def _index(self, column: str, flag: str, count: int, line: int) -> int:
        if column.upper() in self.names:
            return self.names.index(column.upper())
        if not column.isdecimal():
            known = f"one of {', '.join(self.names)}" if self.names else "its number, from 1"
            raise UsageError(f"{flag} {column}: the columns of this format have no such name; give {known}")
        number = column_number(column)
        if not 1 <= number <= count:
            raise RowError(line, f"no column {number}, there are {count}; use {flag} with one of them")
        return number - 1


@dataclass
class Sentence:
    """The lines of a sentence, those before it that are no words included.

    `error` says what is wrong with it, and at which line.
    """

    columns: Columns
    width: int  # of a line, in columns
    word: int  # which of them is the word
    tokens: list[Token] = field(default_factory=list)
    words: list[Token] = field(default_factory=list)  # those of the lines that are words, or should be
    error: RowError | None = None

    def add(self, token: Token) -> None:
        """Take a line, and note what is wrong with it."""
        self.tokens.append(token)
        if token.role != "word":
            return
        self.words.append(token)
        cells = token.cells
        if token.error is not None or len(cells) != self.width or not cells[self.word].strip():
            self.error = self.error or RowError(token.line.number, token.error or self._fault(cells))

    def _fault(self, cells: Sequence[str]) -> str:
        if len(cells) != self.width:
            found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            return f"{found}, expected {self.width} as in the first row; fix the line"
        return f"no word in column {self.word + 1}; fix the line, or use `data.text_column`"

    def labelled(self, name: str) -> Record:
        """Return its input, and its tags. Raises RowError for a malformed line."""
        tag = self.columns.tag_index(self.width, self.words[0].line.number)
        if self.error is not None:
            raise self.error
        return self._record(name, tuple([token.cells[tag].strip() for token in self.words]))

    def _record(self, name: str, tags: tuple[str, ...]) -> Record:
        numbers = [token.line.number for token in self.words]
        return Record(join_tokens(self._texts()), tags, name, numbers[0], lines=numbers)

    def _texts(self) -> list[str]:
        return [token.cells[self.word] for token in self.words]

    def asked(self, name: str) -> tuple[Row, Record | None]:
        """Return its lines with their input, whose tags need not be there."""
        if self.error is not None:
            return Row(self.error.line, {}, str(self.error), self.tokens), None
        number, fields = self.words[0].line.number, {"tokens": self._texts()}
        try:
            tag = self.columns.tag_index(self.width, number)
            fields["tags"] = [token.cells[tag].strip() for token in self.words]
        except (RowError, UsageError):  # there are no tags
            pass
        return Row(number, fields, None, self.tokens), self._record(name, ())


def split_sentences(
    tokens: Iterable[Token], columns: Columns, rest: list[Token] | None = None
) -> Iterator[Sentence]:
    """Put lines together to sentences, which end where words do; what follows the last goes to `rest`.

    Raises UsageError and RowError where the first word has no such columns.
    """
    sentence = Sentence(columns, 0, 0)
    for token in tokens:
        if token.role == "word" and not sentence.width:
            sentence.width = len(columns.names) or len(token.cells)
            sentence.word = columns.word_index(sentence.width, token.line.number)
        elif sentence.words and token.role in {"blank", "document"}:
            yield sentence
            sentence = Sentence(columns, sentence.width, sentence.word)
        sentence.add(token)
    if sentence.words:
        yield sentence
    elif rest is not None:
        rest += sentence.tokens


class TaggedLines(AnswerWriter):
    """Writes the lines as they are, words with their predicted tags in one more column.

    With `names`, the first line of the file names the columns, as CoNLL-U Plus has it. `rest` are lines
    after the last sentence.
    """

    def __init__(self, style: AnswerStyle, rest: Sequence[Token], names: Sequence[str] = ()) -> None:
        if style.kind != "tags":
            what = "a file of a token a line has a tag for each, and this model gives one answer a text"
            raise UsageError(f"{what}; give one text a line, or add `jsonl`")
        if style.prefix and not names:
            raise UsageError(f"`prefix` {style.prefix}: the columns have no names; leave it out")
        self._style = style
        self._rest = rest
        added = names_beside(names, ADDED[: 1 + style.probs], style.prefix.upper() or NAMESPACE)
        self._names = [*names, *added] if names else []

    def begin(self, out: Sink) -> None:
        """Write the names of the columns."""
        if self._names:
            out.write_lines([f"# global.columns = {' '.join(self._names)}"])

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some sentences."""
        out.write_lines(chain.from_iterable(self._lines(*example) for example in examples))

    def end(self, out: Sink) -> None:
        """Write what is left."""
        out.write_lines(token.line.text for token in self._rest)

    def _lines(self, row: Row, answer: Answer | None) -> Iterator[str]:
        width = next(len(token.cells) for token in row.raw if token.role == "word")
        index = 0
        for token in row.raw:
            if token.role == "word":
                yield _extended(token.line.text, self._cells(answer, index))
                index += 1
            elif (text := self._other(token, width)) is not None:
                yield text

    def _cells(self, answer: Answer | None, index: int) -> list[str]:
        """Return the cells of a token, which has no tag where the sentence was cut or has an error."""
        if answer is None or index >= len(answer.prediction or ()):
            return [NOTHING] * (1 + self._style.probs)
        probabilities = [f"{probability(answer.parts[index]):.6g}"] if self._style.probs else []
        return [str(answer.prediction[index]), *probabilities]

    def _other(self, token: Token, width: int) -> str | None:
        """Return a line that is no word; one with as many columns as words have gets more as well."""
        text = token.line.text
        if token.role == "comment" and self._names and token.line.number == 1 and GLOBAL_COLUMNS.match(text):
            return None
        if len(token.cells) < max(width, 2):
            return text
        tag = "O" if token.role == "document" else NOTHING
        return _extended(text, [tag, *[NOTHING] * self._style.probs])


def _extended(text: str, cells: Sequence[str]) -> str:
    """Return a line with further cells, apart as its own are."""
    text = text.rstrip(" \t") or NOTHING
    if "\t" in text or " " not in text.strip():
        return "\t".join([text, *map(in_one_cell, cells)])
    return " ".join([text, *(join_tokens([cell]) for cell in cells)])
