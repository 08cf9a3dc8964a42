"""`seqrnn classify`: one answer a line, in order, as the lines come."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from seqrnn.cli.options import (
    THREADS,
    BackendOption,
    DeviceOption,
    FormatOption,
    InputArgument,
    JsonLinesOption,
    ModelOption,
    OutputOption,
    QuietOption,
    RowThreadsOption,
    StrictOption,
    TextFieldOption,
)
from seqrnn.errors import refuse


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
    layout: FormatOption = "auto",
    text_col: TextFieldOption = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    threads: RowThreadsOption = THREADS,
    quiet: QuietOption = False,
) -> None:
    """Label each row of a table, each file in a folder, or each line of another file or of standard input.

    A folder is answered as TSV: path, label if sub-folders name it, prediction, probability. A table (by
    its name or --format) comes back with the columns `prediction` and `probability`. With --jsonl a line
    may itself be a JSON object; its fields are handed through, its id too.
    """
    from seqrnn.answering.rows import Labeller
    from seqrnn.cli.model import open_model
    from seqrnn.cli.rows import RowFormat, answer_rows, name_of
    from seqrnn.cli.stdio import Output, say, say_waiting
    from seqrnn.cli.table_rows import TableRows, table_format, table_source
    from seqrnn.data.formats.registry import notes_of
    from seqrnn.library.opened_model import Resources
    from seqrnn.tasks.task import AnsweringTask

    network = open_model(model, "classify", Resources(backend, device, threads))
    task, config = network.run.task, network.run.config.data
    assert isinstance(task, AnsweringTask)
    labeller = Labeller(task, network.backend)
    choice = task.choice(k, threshold)
    field = text_col or name_of(config.text_column)
    rows = RowFormat(
        jsonl,
        field,
        config.source_kind,
        task.check,
        task.plain_fields,
        partial(task.write, probs=probs),
        config.encoding,
    )
    say_waiting(data, "rows, one a line,", quiet)
    table, answer = table_format(data, layout, jsonl), partial(labeller.answer, choice=choice)
    if table is not None and not jsonl:
        refuse({"--probs": probs or None, "-k": k}, f"a {table} table has one answer a row; add --jsonl")
    notes: list[str] = []
    with Output(output) as out:
        if table is not None:
            source = table_source(config, data, table, text_col)
            notes = notes_of(source)
            tally = TableRows(source, rows, answer).write(out)
        else:
            tally = answer_rows(data, out, rows, answer, network.side_by_side)
    if not quiet:
        say(*network.run.warnings, *notes, *tally.lines())
    if strict:
        tally.require_answers()
