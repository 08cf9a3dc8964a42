"""Files that are answered in their own form: their examples, and what writes them with the answers."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from seqrnn.data.answer import Answer, AnswerKind, AnswerStyle, probability
from seqrnn.data.formats.format import Format, OpenLines
from seqrnn.data.record import Record
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.data.formats.table import Row
    from seqrnn.data.source import Source

_spread = re.compile(r"(\{\n[ \t]+)(\S.*\S)\n([ \t]*)\}", re.DOTALL)
"""An object with a field a line: how it begins, its fields, and how far its last line is indented."""
MAX_CLASS_COLUMNS = 1000  # of a table: what opens tables takes thousands badly


class Answered(NamedTuple):
    """An example of a file with its answer, or with None where its row has an error."""

    row: Row
    answer: Answer | None


class Sink(Protocol):
    """Where a writer puts what it makes."""

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write each text and a newline."""

    def write_bytes(self, content: bytes) -> None:
        """Write bytes as they are."""

    def write_json(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write each record as a line of JSON, nan and infinity as null."""


class AnswerWriter(ABC):
    """Writes the examples of a file, in its own form, with their answers."""

    is_binary: ClassVar[bool] = False
    shards: ClassVar[Literal["joined", "files", "none"]] = "joined"
    """What several processes write, a part each: pieces of one file, or files; or that they cannot."""

    def begin(self, out: Sink) -> None:  # noqa: B027
        """Write what comes before the first example. Raises UsageError for a style that cannot be written."""

    @abstractmethod
    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some examples with their answers."""

    def pause(self, out: Sink, examples_follow: bool) -> None:  # noqa: B027
        """Write what is held of the examples so far, after which another process goes on."""

    def break_off(self, out: Sink) -> None:  # noqa: B027
        """Write what is held of the examples so far, as no more can be read; the file is left unfinished."""

    def end(self, out: Sink) -> None:  # noqa: B027
        """Write what comes after the last example."""


@dataclass(frozen=True)
class Asked:
    """A file that is opened to be answered.

    `rows` are its examples, each with what a model reads of it; one that cannot be read has an error
    instead. Taking them raises RowError or DataError where the file cannot be read any further. Several
    rows in a row may have the same record, of whose answer `answer_of` returns that to the row; it is of
    another `kind` then. The field that is `joined` of several is none of the file.
    """

    rows: Iterator[tuple[Row, Record | None]]
    writer: Callable[[AnswerStyle], AnswerWriter]
    answer_of: Callable[[Row, Record, Answer], Answer] = lambda row, record, answer: answer  # noqa: ARG005
    kind: AnswerKind | None = None
    joined: str | None = None


class AnswerableFormat(Format):
    """A format whose files can be answered in their own form."""

    ranks_labels: ClassVar[bool] = False  # an example is answered by as many labels as are wanted

    @abstractmethod
    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:
        """Open the file at `path`, whose examples need not have answers of their own.

        Raises RowError, UsageError or DataError where it has no examples that the source describes.
        """


def answer_values(answer: Answer | None, style: AnswerStyle) -> dict[str, Any]:
    """Return the prediction and its probability, which a number has not, by their names."""
    values = {"prediction": None if answer is None else answer.prediction}
    if style.kind != "number":
        values["probability"] = None if answer is None else answer.probability
    return values


def answer_names(style: AnswerStyle) -> list[str]:
    """Return the names of the columns that a table gets: the prediction, its probability, those of classes.

    Raises UsageError for more than a table should have.
    """
    names = list(answer_values(None, style))
    if not style.has_probabilities:
        return names
    if len(style.classes) > MAX_CLASS_COLUMNS:
        what = f"`probs`: {len(style.classes):,} classes would be as many columns, of {MAX_CLASS_COLUMNS:,}"
        raise UsageError(f"{what} at most; add `jsonl`, or leave it out")
    return [*names, *(f"p_{name}" for name in style.classes)] if style.classes else [*names, "probabilities"]


def answer_columns(answer: Answer | None, style: AnswerStyle) -> list[Any]:
    """Return the columns that a row of a table gets; see `answer_names`."""
    values = list(answer_values(answer, style).values())
    if not style.has_probabilities:
        return values
    if not style.classes:
        return [*values, None if answer is None else list(map(probability, answer.parts))]
    return values + ([None] * len(style.classes) if answer is None else [*map(probability, answer.classes)])


def fields_by_style(answer: Answer | None, style: AnswerStyle) -> dict[str, Any]:
    """Return the fields that an object gets where a style asks for them.

    They are `abstained`, and `probabilities`: of each class by its name, or of each tag.
    """
    abstained = {"abstained": answer is not None and answer.abstained} if style.abstains else {}
    if not style.has_probabilities:
        return abstained
    return {**abstained, "probabilities": None if answer is None else _probabilities(answer, style)}


def _probabilities(answer: Answer, style: AnswerStyle) -> dict[str, Any] | list[Any]:
    if not style.classes:
        return list(map(probability, answer.parts))
    return dict(zip(style.classes, map(probability, answer.classes), strict=True))


def names_beside(taken: Iterable[str], names: Iterable[str], prefix: str = "") -> list[str]:
    """Return each name with the prefix or, where that is `taken`, with a number too, such as `score_2`."""
    known, free = set(taken), []
    for name in names:
        numbered = (f"{prefix}{name}_{number}" for number in count(2))
        free.append(next(spelled for spelled in chain((prefix + name,), numbered) if spelled not in known))
        known.add(free[-1])
    return free


def beside(fields: Mapping[str, Any], answered: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return what was answered under names that the row's own `fields` do not have."""
    return dict(zip(names_beside(fields, answered, prefix), answered.values(), strict=True))


def object_line(row: Row, answer: Answer | None, style: AnswerStyle) -> str:
    """Return an object of JSON as the file has it, with its answer added at its end.

    What is no object becomes one that holds its text and the error.
    """
    is_object = bool(row.fields)
    own = row.fields if is_object or row.error is None else {"text": row.raw}
    answered = answer_values(answer, style) | fields_by_style(answer, style)
    if row.error is not None:
        answered["error"] = row.error
    added = beside(own, answered, style.prefix)
    if not is_object:
        return json.dumps({**own, **added}, ensure_ascii=False, allow_nan=False)
    return _extended(str(row.raw), added)


def _extended(text: str, added: Mapping[str, Any]) -> str:
    """Return the text of an object with further fields, on lines of their own if its fields are."""
    members = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for name, value in added.items()
    ]
    spread = _spread.fullmatch(text.strip())
    if spread is None:
        return ", ".join([text.rstrip().removesuffix("}").rstrip(), *members]) + "}"
    first, body, last = spread.groups()
    return f"{last}{first}{body}" + "".join(f",\n{first[2:]}{member}" for member in members) + f"\n{last}}}"
