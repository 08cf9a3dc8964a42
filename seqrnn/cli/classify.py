"""`seqrnn classify`: one answer a line, in order, as the lines come."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
    from seqrnn.engine.predictor import Answer, Labeller
    from seqrnn.tasks.classification import Choice

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
    text_col: Annotated[str, typer.Option(help="Field that holds the text of a JSON line.")] = "text",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Label each line of a file or of standard input.

    With --jsonl a line may itself be a JSON object; its other fields are handed through.
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
    tally = Tally()
    with Output(output) as out:
        for lines in read_line_groups(data, "replace"):
            tally.replaced += sum(line.replaced for line in lines)
            answered = _answer(list(read_rows(lines, jsonl, text_col)), labeller, choice)
            _count(answered, tally)
            if jsonl:
                out.write_json(_record(row, answer, labeller) for row, answer in answered)
            else:
                out.write_lines(_line(answer, probs) for _, answer in answered)
    if not quiet:
        say(*opened.warnings, *tally.lines())


def _answer(rows: list[Row], labeller: Labeller, choice: Choice) -> Answered:
    """Answer all rows that can be answered, in their order."""
    answers = iter(labeller.classify([row.text for row in rows if row.error is None], choice))
    return [(row, next(answers) if row.error is None else None) for row in rows]


def _count(answered: Answered, tally: Tally) -> None:
    tally.errors += sum(answer is None for _, answer in answered)
    tally.truncated += sum(answer is not None and answer.truncated for _, answer in answered)


def _line(answer: Answer | None, probs: bool) -> str:
    """Write an answer as labels, each with its probability if wanted, separated by TABs."""
    return "\t".join(_cells(answer, probs))


def _cells(answer: Answer | None, probs: bool) -> Iterator[str]:
    for label, score in answer.ranking if answer else []:
        yield label
        if probs:
            yield f"{math.exp(score):.4f}"


def _record(row: Row, answer: Answer | None, labeller: Labeller) -> dict[str, Any]:
    """Write an answer with all that is known of it; the input's own fields come after the id."""
    ranking = answer.ranking if answer else []
    several = labeller.task.config.data.multi_label
    best = ranking[0][0] if ranking else None
    return {
        "id": row.id,
        **row.fields,
        "prediction": [label for label, _ in ranking] if several else best,
        "score": ranking[0][1] if ranking else None,
        "nbest": [{"prediction": label, "score": score} for label, score in ranking],
        "truncated": answer is not None and answer.truncated,
        "unknown": answer.unknown if answer else 0,
        "error": row.error,
    }
