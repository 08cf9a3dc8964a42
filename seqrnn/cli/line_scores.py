"""`seqrnn evaluate --per-line`: how surprising each line is, to rank and filter text in a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqrnn.data.formats.registry import format_named, format_of_name
from seqrnn.errors import UsageError
from seqrnn.library.opened_model import OpenedModel

if TYPE_CHECKING:
    from seqrnn.cli.shard import Shard
    from seqrnn.data.answer import Answer


@dataclass(frozen=True)
class LineOutput:
    """Where scores go, and how: as JSON, of the text in `field` of JSON lines, with notes unless `quiet`."""

    path: str | None
    as_json: bool
    field: str | None
    quiet: bool
    shard: Shard | None = None


def score_lines(model: OpenedModel, data: str, output: LineOutput) -> None:
    """Write the surprisal of each line of a file, in nats a token, in order and as lines come.

    Raises UsageError where the model is no language model.
    """
    from seqrnn.cli.answer_input import piece_of_lines
    from seqrnn.cli.rows import RowFormat, answer_rows
    from seqrnn.cli.stdio import OutputStream, say, say_waiting
    from seqrnn.data.formats.column_names import field_of
    from seqrnn.library.row_answerers import line_scorer

    answerer = line_scorer(model, "--per-line")
    _require_rows(data)
    field = output.field or field_of(model.run.config.data.text_column)
    layout = RowFormat(output.as_json, field, "text", lambda text: {"text": text}, _line)
    say_waiting(data, "rows, one a line,", output.quiet)
    path, piece = piece_of_lines(data, layout.encoding, output.shard)
    with OutputStream(output.path) as out:
        tally = answer_rows(path, out, layout, answerer, model.side_by_side, piece)
    if not output.quiet:
        say(*model.run.warnings, *tally.lines())


def _require_rows(path: str) -> None:
    """Raise UsageError unless a line of the file is a row, as far as its name tells."""
    known = format_of_name(path)
    if known is not None and not format_named(known).line_is_row:
        advice = f"leave out --per-line, or give one {format_named(known).row_noun} a line"
        raise UsageError(f"{path}: rows are read one a line, not as {known}; {advice}")


def _line(answer: Answer, text: str) -> str:
    """Write the score before the line, so that `sort -n` ranks lines."""
    return f"{answer.prediction:.4f}\t{text}"
