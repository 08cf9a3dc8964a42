"""The input of `classify` and `generate`: lines of text, or a file that comes back in its own form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.cli.rows import RowFormat, RowTally
    from seqrnn.cli.shard import Piece, Shard
    from seqrnn.config import DataConfig
    from seqrnn.data.answer import Answer, AnswerStyle
    from seqrnn.library.opened_model import OpenedModel
    from seqrnn.library.rows import RowAnswerer
    from seqrnn.tasks.task import RowTask


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
    from seqrnn.tasks.task import RowTask

    task, data = RowTask.of(model.run.task), with_settings(model.run.config, {"encoding": given.encoding})
    layout = row_format(task, data, given, write)
    name = file_format(given.path, data, given.layout, given.as_json)
    if given.output is not None:
        _refuse_same_file(given.path, given.output)
    if name is None:
        if given.prefix and not given.as_json:
            raise UsageError(f"--prefix {given.prefix}: lines have no names; add --jsonl")
        return _answer_lines(model, given, layout, answerer)
    _refuse_several(given, name)
    source = file_source(data, given.path, name, given.text_column)
    rows = FileRows(source if given.shard is None else spool(source), layout, answerer, given.shard)
    with OutputStream(given.output) as out:
        return rows.write(out, model.side_by_side)


def _answer_lines(model: OpenedModel, given: Input, layout: RowFormat, answerer: RowAnswerer) -> RowTally:
    from seqrnn.cli.rows import answer_rows
    from seqrnn.cli.stdio import OutputStream

    path, piece = piece_of_lines(given.path, layout.encoding, given.shard)
    with OutputStream(given.output) as out:
        return answer_rows(path, out, layout, answerer, model.side_by_side, piece)


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
    task: RowTask,
    data: DataConfig,
    given: Input,
    write: Callable[[Answer, str], str],
    opens_files: bool = True,
) -> RowFormat:
    """Return how the rows of the input are read and written. Raises UsageError for what cannot be."""
    from seqrnn.cli.rows import RowFormat, name_of
    from seqrnn.data.formats.numbers import Features

    return RowFormat(
        given.as_json,
        given.text_column or name_of(data.text_column),
        data.source_kind,
        task.plain_fields,
        write,
        data.encoding,
        _style(task, data, given),
        opens_files,
        Features.of(data),
    )


def _style(task: RowTask, data: DataConfig, given: Input) -> AnswerStyle:
    from seqrnn.data.answer import AnswerStyle

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


def _refuse_same_file(path: str, output: str) -> None:
    """Raise UsageError where the answers would overwrite the rows that are yet to be read."""
    if path != "-" and os.path.isfile(path) and os.path.exists(output) and os.path.samefile(path, output):
        raise UsageError(f"-o {output}: is the file that is read; name another one")
