"""The input of `classify` and `generate`: lines of text, or a file that comes back in its own form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.cli.rows import RowFormat, RowTally
    from seqrnn.cli.shard import Piece, Shard
    from seqrnn.config import DataConfig
    from seqrnn.data.answer import Answer, AnswerStyle
    from seqrnn.library.opened_model import OpenedModel
    from seqrnn.library.rows import RowAnswerer
    from seqrnn.tasks.task import Task


@dataclass(frozen=True)
class Input:
    """What a command line says of the input, and of what is written of it."""

    path: str
    output: str | None
    as_json: bool
    layout: str = "auto"
    text_column: str | None = None
    encoding: str | None = None
    prefix: str = ""
    probs: bool = False
    several: Mapping[str, Any] | None = None  # options that want more than one answer to a row
    abstains: bool = False
    shard: Shard | None = None  # that alone is answered
    explains: bool = False


def answer_input(
    model: OpenedModel, given: Input, answerer: RowAnswerer, write: Callable[[Answer, str], str]
) -> RowTally:
    """Answer the rows of the input in order; return what the user should know of them.

    Raises UsageError for what cannot be, before anything is written, and DataError for damage.
    """
    from seqrnn.cli.file_rows import FileRows, file_format, file_source
    from seqrnn.cli.stdio import OutputStream
    from seqrnn.data.source import spool
    from seqrnn.library.measuring import with_settings

    task, data = model.run.task, with_settings(model.run.config, {"encoding": given.encoding})
    layout = row_format(task, data, given, write)
    name = file_format(given.path, data, given.layout, given.as_json)
    if given.output is not None:
        _refuse_same_file(given.path, given.output)
        _refuse_other_form(given.output, given, name)
    if name is None:
        if given.prefix and not given.as_json:
            raise UsageError(f"--prefix {given.prefix}: lines have no names; add --jsonl")
        return _answer_lines(model, given, layout, answerer)
    _refuse_several(given, name)
    source = file_source(data, given.path, name, given.text_column, task.output_per_token)
    rows = FileRows(source if given.shard is None else spool(source), layout, answerer, given.shard)
    with OutputStream(given.output) as out:
        return rows.write(out, model.side_by_side)


def _answer_lines(model: OpenedModel, given: Input, layout: RowFormat, answerer: RowAnswerer) -> RowTally:
    from seqrnn.cli.file_rows import taken_for_lines
    from seqrnn.cli.rows import answer_rows
    from seqrnn.cli.stdio import OutputStream

    path, piece = piece_of_lines(given.path, layout.encoding, given.shard)
    note_of = partial(taken_for_lines, data=model.run.config.data, as_json=given.as_json)
    with OutputStream(given.output) as out:
        return answer_rows(path, out, layout, answerer, model.side_by_side, piece, note_of)


def piece_of_lines(path: str, encoding: str, shard: Shard | None) -> tuple[str, Piece]:
    """Return the part of the lines of a file that is answered, and where they can be read a second time."""
    from seqrnn.cli.shard import WHOLE
    from seqrnn.data.lines import count_lines
    from seqrnn.data.source import Source, spool

    if shard is None:
        return path, WHOLE
    copy = spool(Source((path,))).paths[0]
    return copy, shard.piece(count_lines(copy, encoding))


def row_format(
    task: Task,
    data: DataConfig,
    given: Input,
    write: Callable[[Answer, str], str],
    opens_files: bool = True,
) -> RowFormat:
    """Return how the rows of the input are read and written. Raises UsageError for what cannot be."""
    from seqrnn.cli.rows import RowFormat
    from seqrnn.data.formats.column_names import field_of
    from seqrnn.data.formats.numbers import Features

    return RowFormat(
        given.as_json,
        given.text_column or field_of(data.text_column),
        data.source_kind,
        task.plain_fields,
        write,
        data.encoding,
        _style(task, data, given),
        opens_files,
        Features.of(data),
    )


def _style(asked: Task, data: DataConfig, given: Input) -> AnswerStyle:
    from seqrnn.data.answer import AnswerStyle
    from seqrnn.tasks.task import RowTask

    if given.explains:
        return AnswerStyle(explains=True)
    task = RowTask.of(asked)
    kind = task.answer_kind
    if given.probs and kind == "number":
        raise UsageError("--probs: a number has no probability; leave it out")
    classes: Sequence[str] = task.classes if given.probs else ()
    separator = data.label_separator if kind == "labels" else " "
    return AnswerStyle(kind, separator, given.prefix, given.probs, classes, given.abstains)


def _refuse_several(given: Input, name: str) -> None:
    """Raise UsageError where more answers are wanted than a row of a file can hold."""
    from seqrnn.data.formats.registry import format_named

    if given.as_json or getattr(format_named(name), "ranks_labels", False):
        return
    for option, value in (given.several or {}).items():
        if value is not None and value != 1:
            raise UsageError(f"{option}: a {name} file has one answer a row; add --jsonl, or leave it out")


def _refuse_other_form(output: str, given: Input, name: str | None) -> None:
    """Raise UsageError where the name of the output promises another form than that of the answers."""
    from seqrnn.data.formats.registry import COMPRESSED, format_named, format_of_name

    if output.endswith(COMPRESSED):
        raise UsageError(f"-o {output}: nothing is compressed here; pipe it: ... | gzip > {output}")
    wanted = format_of_name(output)
    if wanted is None:
        return
    kind, what = format_named(wanted), None
    if given.as_json:
        if not kind.is_json:
            what = "--jsonl writes lines of JSON; name a .jsonl file, or leave it out"
    elif name is None or given.explains:
        if kind.is_json or not kind.has_lines:
            advice = "name a .txt file, or a .jsonl file with --jsonl"
            what = f"lines are answered by lines, not as {wanted}; {advice}"
    elif wanted != (own := format_named(name).answered_as or name):
        what = (
            f"a {name} file comes back as {own}, not as {wanted}; name it so, or a .jsonl file with --jsonl"
        )
    if what is not None:
        raise UsageError(f"-o {output}: {what}")


def _refuse_same_file(path: str, output: str) -> None:
    """Raise UsageError where the answers would overwrite the rows that are yet to be read."""
    if path != "-" and os.path.isfile(path) and os.path.exists(output) and os.path.samefile(path, output):
        raise UsageError(f"-o {output}: is the file that is read; name another one")
