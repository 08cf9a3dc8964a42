"""Rows of a request to lines of JSON, as `--jsonl` of `classify` and `generate` writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import asdict

from seqrnn.cli.answer_input import Input, row_format
from seqrnn.cli.continuation import continuation_record
from seqrnn.cli.rows import InputRow, RowFormat, json_record, read_rows, read_value, with_answers
from seqrnn.cli.spelling import in_flags
from seqrnn.cli.stdio import finite_json_line
from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.formats.json_text import parse_json
from seqrnn.data.lines import Line
from seqrnn.errors import SeqrnnError, UsageError, refuse
from seqrnn.library.decoding import DecodingOptions
from seqrnn.library.opened_model import OpenedModel
from seqrnn.library.row_answerers import row_generator, row_predictor
from seqrnn.library.rows import RowAnswerer
from seqrnn.tasks.task import RowTask, Task

REQUEST = "request"  # what messages call the file that a row is in
PROMPT = "prompt"


@dataclass(frozen=True)
class Choices:
    """What the operator has chosen for all answers; None where nothing was."""

    k: int | None
    threshold: float | None
    probs: bool
    min_probability: float | None
    text_column: str | None
    decoding: DecodingOptions


class JsonAnswer(NamedTuple):
    """An answer as a line of JSON, or the error of a row that has none."""

    line: str
    is_error: bool


@dataclass(frozen=True)
class Answerer:
    """A model that is asked over HTTP. `records` may be called in several threads at once."""

    command: str
    task: str
    layout: RowFormat
    records: Callable[[Sequence[InputRow]], list[dict[str, Any]]]
    example: Any

    def read_lines(self, lines: Iterable[Line], is_json: bool) -> list[InputRow]:
        """Turn lines into rows, as the commands do; strings and lists are such too, if they are JSON."""
        rows = read_rows(lines, self.layout)
        return [self._of_json(row) if is_json and row.fields is None else row for row in rows]

    def _of_json(self, row: InputRow) -> InputRow:
        if row.error is not None or row.text.lstrip()[:1] not in {'"', "["}:
            return row
        with suppress(ValueError):
            return read_value(row.id, parse_json(row.text), self.layout)
        return row

    def read_values(self, values: Iterable[Any]) -> list[InputRow]:
        """Turn the values of a JSON list into rows."""
        return [read_value(number, value, self.layout) for number, value in enumerate(values)]

    def answers(self, rows: Sequence[InputRow]) -> list[JsonAnswer]:
        """Answer rows together: a line of JSON each, in their order."""
        return [
            JsonAnswer(finite_json_line(record)[0], record["error"] is not None)
            for record in self.records(rows)
        ]


def answerer(model: OpenedModel, choices: Choices) -> Answerer:
    """Return what answers the requests for a model.

    Raises UsageError for choices that do not fit the model, and for one whose rows are files: a server opens
    no file that a client names.
    """
    task = model.run.task
    kind = kind_named(model.run.config.data.source_kind)
    if kind.file_kind == "image":
        raise UsageError(
            f"{model.run.checkpoint.path.parent}: reads images, which rows name by their paths, and a server "
            f"opens no file that a client names; use `{task.command}()`"
        )
    _check(choices, task)
    if task.command == "generate" and not task.searches:
        return _of_prompts(model, choices)
    return _of_rows(model, choices)


def _check(choices: Choices, task: Task) -> None:
    """Raise UsageError for a choice that says something only to models of another kind."""
    named = {
        "`k`": choices.k,
        "`threshold`": choices.threshold,
        "`probs`": choices.probs or None,
        "`min_probability`": choices.min_probability,
    }
    given, usual = asdict(choices.decoding), asdict(DecodingOptions())
    written = {f"`decoding.{key}`": value for key, value in given.items() if value != usual[key]}
    unfit = named if task.command == "generate" else written
    refuse(unfit, f"has no effect on a model for {task.name}; remove it")


def _of_rows(model: OpenedModel, choices: Choices) -> Answerer:
    task = RowTask.of(model.run.task)
    row_answerer = _row_answerer(model, choices)
    given = Input(
        "-", None, True, "auto", choices.text_column, probs=choices.probs, abstains=_abstains(choices)
    )
    layout = row_format(
        task, model.run.config.data, given, lambda answer, _: answer.prediction, opens_files=False
    )

    def records(rows: Sequence[InputRow]) -> list[dict[str, Any]]:
        return [json_record(row, answer, layout) for row, answer in with_answers(rows, row_answerer, REQUEST)]

    return Answerer(task.command, task.name, layout, records, _example(layout))


def _example(layout: RowFormat) -> dict[str, Any]:
    """Return an object that the model could be asked about."""
    kind = kind_named(layout.kind)
    if layout.features.names and not layout.features.of_step and layout.field is None:
        return dict.fromkeys(layout.features.names, 0.0)
    return (
        {layout.field or layout.kind: [[0.0]]}
        if kind.has_numbers
        else {layout.field or kind.row_field: "..."}
    )


def _row_answerer(model: OpenedModel, choices: Choices) -> RowAnswerer:
    if model.run.task.command == "generate":
        return row_generator(model, choices.decoding)
    return row_predictor(model, choices.k, choices.threshold, choices.probs, choices.min_probability)


def _abstains(choices: Choices) -> bool:
    return choices.min_probability is not None


def _of_prompts(model: OpenedModel, choices: Choices) -> Answerer:
    """Continue each prompt as `seqrnn generate --prompt` would, with the same seed."""
    from seqrnn.answering.continuation import Continuation
    from seqrnn.answering.text_generator import TextGenerator
    from seqrnn.library.rows import without_surrogates

    limits, sampling = choices.decoding.for_prompts()

    def continued(row: InputRow) -> dict[str, Any]:
        if row.error is not None:
            return _record(row, None, row.error)
        try:
            generator = TextGenerator(model.run, model.backend)
            return _record(
                row, Continuation(generator, without_surrogates(row.text), limits).answer(sampling), None
            )
        except SeqrnnError as error:
            return _record(row, None, in_flags(str(error)))

    layout = RowFormat(
        True, choices.text_column or PROMPT, "text", lambda text: {PROMPT: text}, lambda *_: ""
    )
    rows_of = model.run.task
    return Answerer(
        rows_of.command, rows_of.name, layout, lambda rows: list(map(continued, rows)), {PROMPT: "..."}
    )


def _record(row: InputRow, answer: Answer | None, error: str | None) -> dict[str, Any]:
    """Return a continuation, or why there is none, with the row's own fields after the id."""
    told = continuation_record(row.id, row.text, answer, error)
    return {"id": row.id, **(row.fields or {}), **{key: value for key, value in told.items() if key != "id"}}
