"""`seqrnn classify`: one answer a line, in order, as the lines come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqrnn.cli.options import (
    DeviceOption,
    InputArgument,
    JsonLinesOption,
    ModelOption,
    OutputOption,
    QuietOption,
    ThreadsOption,
)

if TYPE_CHECKING:
    from seqrnn.cli.rows import Row, Tally
    from seqrnn.engine.predictor import Labeller
    from seqrnn.tasks.task import Answer, AnsweringTask, Choice

Answered = list[tuple["Row", "Answer | None"]]


def classify(
    model: ModelOption,
    data: InputArgument = "-",
    output: OutputOption = None,
    k: Annotated[
        int | None, typer.Option("-k", min=1, help="Labels to name (1; all likely ones if multi-label).")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Lowest probability of a label to name (0; 0.5 if multi-label)."),
    ] = None,
    probs: Annotated[bool, typer.Option("--probs", help="Write label TAB probability.")] = False,
    jsonl: JsonLinesOption = False,
    text_col: Annotated[
        str | None,
        typer.Option(help="Field of a JSON line that holds the text (as in training).", show_default=False),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Label each line of a file or of standard input.

    With --jsonl a line may itself be a JSON object; its fields are handed through, its id too.
    """
    from seqrnn.cli.rows import Tally, read_rows
    from seqrnn.cli.stdio import Output, say
    from seqrnn.data.lines import read_line_groups
    from seqrnn.engine.device import set_threads
    from seqrnn.engine.predictor import Labeller, open_model

    set_threads(threads)
    opened = open_model(model, device, "classify")
    labeller = Labeller(opened)
    choice = labeller.task.choice(k, threshold)
    field = text_col or _name_of(opened.config.data.text_column)
    tally = Tally()
    with Output(output) as out:
        for lines in read_line_groups(data, "replace"):
            tally.replaced += sum(line.replaced for line in lines)
            answered = _answer(list(read_rows(lines, jsonl, field)), labeller, choice)
            _count(answered, tally)
            if jsonl:
                out.write_json(_record(row, answer, labeller.task) for row, answer in answered)
            else:
                out.write_lines(
                    labeller.task.write(answer, row.text, probs) if answer else "" for row, answer in answered
                )
    if not quiet:
        say(*opened.warnings, *tally.lines())


def _name_of(column: str | None) -> str | None:
    """Return the column that was trained on, unless it is the number of one in a table."""
    return None if column is None or column.isdecimal() else column


def _answer(rows: list[Row], labeller: Labeller, choice: Choice) -> Answered:
    """Answer all rows that can be answered, in their order."""
    from seqrnn.data.record import Record

    records = [Record(row.text) for row in rows if row.error is None]
    answers = iter(labeller.answer(records, choice))
    return [(row, next(answers) if row.error is None else None) for row in rows]


def _count(answered: Answered, tally: Tally) -> None:
    tally.errors += sum(answer is None for _, answer in answered)
    tally.truncated += sum(answer is not None and answer.truncated for _, answer in answered)


def _record(row: Row, answer: Answer | None, task: AnsweringTask) -> dict[str, Any]:
    """Write an answer with all that is known of it; the input's own fields come after the id."""
    fields = {} if answer is None else task.plain_fields(row.text)
    return {
        "id": row.id,
        **(fields if row.fields is None else row.fields),
        "prediction": answer.prediction if answer else None,
        "score": answer.score if answer else None,
        "nbest": [{"prediction": label, "score": score} for label, score in answer.nbest] if answer else [],
        "truncated": answer is not None and answer.truncated,
        "unknown": answer.unknown if answer else 0,
        "error": row.error,
    }
