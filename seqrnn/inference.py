"""What to learn from some files, and how to read them: told from their first rows, with the evidence.

The format is told from the name of a file or its first lines, the columns of a table from their names
and cells, and the task by what each task claims of the records. Where two readings are about equally
likely, that is an error that names both.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

from seqrnn.catalog import TASKS, load
from seqrnn.data.blank_columns import blank_columns, holds_one_column, is_foreign_table
from seqrnn.data.character_spans import character_spans
from seqrnn.data.column_roles import choose_columns
from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.named_files import folder_of
from seqrnn.data.fields.steps import steps_of
from seqrnn.data.formats.conll import holds_tagged_blocks
from seqrnn.data.formats.format import HEAD_ROWS, RowError
from seqrnn.data.formats.joined_columns import BETWEEN, parts_of
from seqrnn.data.formats.number_marks import Column, two_readings
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.registry import format_named, format_of_lines, format_of_path, notes_of
from seqrnn.data.formats.series import label_keys
from seqrnn.data.formats.table import Row, Table
from seqrnn.data.formats.table_cells import holds_indicators
from seqrnn.data.formats.text_files import LOOKED_AT, name_text_files
from seqrnn.data.formats.token_rows import BLANK_ROWS
from seqrnn.data.label_evidence import nearly_alike
from seqrnn.data.lines import file_name
from seqrnn.data.sample import Sample
from seqrnn.data.several_files import ask_for_sides, tests_among
from seqrnn.data.several_labels import SeveralLabels, several_labels
from seqrnn.data.source import Source
from seqrnn.data.table_columns import ColumnRoles, ColumnSpec
from seqrnn.data.wording import listed
from seqrnn.errors import AmbiguousDataError, DataError, UsageError
from seqrnn.tasks.task import Claim

T = TypeVar("T")

HEAD_CHARACTERS = 1 << 20  # as much as one read of the file brings; rows may be whole reviews
SHOWN = 6  # columns that a line names
MOST_LONGER = 4.0  # times as many characters as another right answer
CLOSE = 0.15  # claims whose strengths differ by less are two readings
SPANS_ADVICE = "write the words of each text and their tags (B-PER, I-PER, O) as lists `tokens` and `tags`"
TEXT_TASKS = ("language-model", "tagging")  # which read no numbers and no images


@dataclass(frozen=True)
class Inference:
    """What was told from the data.

    `source` says how they are read, `settings` the same by the keys of a configuration; `reason` is one
    sentence for the user, and `notes` are more of them: what each column is, and other readings.
    """

    task: str
    source: Source
    reason: str
    source_kind: str
    sample: Sample
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what to tell the user: the decision with its evidence, then the notes."""
        return [self.reason, *self.notes]

    @property
    def format(self) -> str:
        """How the files are laid out."""
        return self.source.format


def infer(source: Source, task: str | None, given: Collection[str] = ()) -> Inference:
    """Decide how the files of `source` are laid out, and what to learn if `task` is None.

    `given` are the keys that the user has given: labels are several, and separated, as they say.

    Only the first rows are looked at, but they are consumed: stdin must have been spooled.
    Raises DataError where a file is empty or its first rows are malformed, UsageError where the task or
    a column cannot be told, and AmbiguousDataError where two readings are near.
    """
    is_told = source.format != "auto"
    source = replace(source, format=_format(source, task))
    settings: dict[str, Any] = {}
    notes: list[str] = []
    layout = format_named(source.format)
    if layout.has_columns and not layout.columns_are_known:
        source, settings, notes = _with_columns(source, task)
    elif source.text_column is None and source.label_column is None:
        source, settings, notes = _with_numbered_columns(source)
    sample = _sample(source)
    if task in {None, "classification"} and (several := _several_labels(sample, given)):
        separator = several.separator or source.label_separator
        settings |= {"data.multi_label": True, "data.label_separator": separator}
        source = replace(source, multi_label=True, label_separator=separator)
        notes.append(f"several labels: {several.evidence}; `data.multi_label=false` reads each as one")
        sample = _sample(source)
    if task is None and source.format == "text":
        _refuse_tables(sample)
        if not is_told:
            ask_for_sides(source.paths, source.encoding)
    chosen, claim = _task(sample, task)
    alike = nearly_alike(sample.targets) if chosen == "classification" else None
    notes += filter(
        None, [*notes_of(source), *tests_among(source.paths), claim.hint, _swapped(source, chosen), alike]
    )
    kind = _kind(sample, chosen)
    if kind == "notes":
        _require_steps(sample, chosen)
    settings |= {"task": chosen, "data.format": source.format, "data.source_kind": kind}
    return Inference(chosen, source, _reason(sample, chosen, claim), kind, sample, settings, tuple(notes))


def _several_labels(sample: Sample, given: Collection[str]) -> SeveralLabels | None:
    """Return how examples bear several labels, unless the user has said all of it."""
    source = sample.source
    if "data.multi_label" in given:
        if not source.multi_label or "data.label_separator" in given:
            return None
        sample = _sample(replace(source, multi_label=False))
    return several_labels(sample)


def _sample(source: Source) -> Sample:
    records = list(_first(read_records(source), lambda record: len(record.source)))
    if not records:
        raise DataError(
            f"{file_name(source.paths[0])}: holds no rows with text; give a file with at least one"
        )
    return Sample(file_name(source.target_path or source.paths[0]), source, records)


def formatted(source: Source, task: str) -> Source:
    """Return the source with its format told, and all else as it is settled: for data to be measured."""
    return replace(source, format=_format(source, task))


def with_sentences(source: Source, task: str) -> Source:
    """Return the source of a tagger with the columns of a table of tokens, if that is what its files are.

    What a tagger was trained on may have had sentences of another form, which say nothing of columns.
    """
    layout = format_named(source.format)
    may_be = isinstance(layout, TableFormat) and not layout.columns_are_known
    if task != "tagging" or not may_be or source.sentence_column is not None:
        return source
    with suppress(AmbiguousDataError, UsageError, DataError):  # which reading the file tells better
        found, _, _ = _with_columns(source, task)
        if found.sentence_column is not None:
            return replace(
                source,
                text_column=found.text_column,
                label_column=found.label_column,
                sentence_column=found.sentence_column,
            )
    return source


def _format(source: Source, task: str | None) -> str:
    """Return the format by the user's word, the file name's extension or the first lines."""
    path = source.paths[0]
    known = format_of_path(path) if source.format == "auto" else source.format
    if source.format == "auto":
        _require_one_format(source)
    if known is not None and not format_named(known).has_lines:
        return known
    lines = [line.text for line in islice(source.lines(path), HEAD_ROWS)]
    if not any(line.strip() for line in lines):
        raise DataError(f"{file_name(path)}: is empty; give a file with at least one line of text")
    if known is not None:
        in_blocks = source.format == "auto" and known == "tsv" and holds_tagged_blocks(lines)
        return "conll" if in_blocks and task in {None, "tagging"} else known
    return "text" if task == "language-model" else format_of_lines(lines)


def _require_one_format(source: Source) -> None:
    """Raise DataError where the names of the files say that they are of several formats."""
    known = {path: found for path in source.paths if (found := format_of_path(path)) is not None}
    for path, found in known.items():
        first = next(iter(known))
        if found != known[first]:
            what = f"is {found} by its name, and {file_name(first)} is {known[first]}"
            raise DataError(f"{file_name(path)}: {what}; give files of one format, or say `data.format`")


def _with_columns(source: Source, task: str | None) -> tuple[Source, dict[str, Any], list[str]]:
    """Return the source with its columns chosen, the same as settings, and what to say of them."""
    name = file_name(source.paths[0])
    layout = format_named(source.format)
    assert isinstance(layout, TableFormat)
    try:
        table = layout.opened(source.paths[0], source, source.lines)
        wanted = _wanted(source, table, task)
        features = _features(source, table)
        _ask_about_marks(name, table)
        first = list(_first((row.checked() for row in table.rows), _characters))
        rows = [row for row in first if row.fields]
    except RowError as error:
        raise DataError(f"{name}:{error.line}: {error}") from error
    if not rows:
        raise DataError(f"{name}: holds no rows with text; give a file with at least one")
    columns = _columns(table, rows, source)
    if (spans := character_spans(columns)) is not None and source.label_column in {None, spans[0]}:
        what = f"{spans[0]!r} holds spans of characters, such as {spans[1]}, and tags are one for each token"
        raise UsageError(f"{name}: {what}; {SPANS_ADVICE}")
    if table.ragged and task in {None, "seq2seq"} and _are_references(columns):
        return replace(source, header="no"), {"data.header": "no"}, []
    between = sum(bool(row.fields) and not before.fields for before, row in pairwise(first))
    wanted = replace(wanted, blank_rows=between)
    roles = choose_columns(name, columns, wanted)
    roles = replace(roles, features=features) if features else roles
    if table.ragged and len(columns) == 2 and (roles.source, roles.targets) == ("1", ("2",)):
        # An evaluation may have further columns, which are other right answers.
        settled = {"header": "no", **_text_in(roles, columns)}
        told = {f"data.{name}": value for name, value in settled.items()}
        return replace(source, **settled), told, [_described(table, roles, columns)]  # type: ignore[arg-type]
    return _chosen(source, table, roles, columns, task)


def _with_numbered_columns(source: Source) -> tuple[Source, dict[str, Any], list[str]]:
    """Return the same as `_with_columns` for a format whose columns have no names."""
    layout = format_named(source.format)
    lines = islice(source.lines(source.paths[0]), HEAD_ROWS if layout.has_lines else 0)
    chosen = layout.columns_of([line.text for line in lines])
    settings = {f"data.{name}": value for name, value in chosen.items()}
    notes = [f"columns: read: {chosen['text_column']}; answer: {chosen['label_column']}"] if chosen else []
    return replace(source, **chosen), settings, notes  # type: ignore[arg-type]


def _are_references(columns: list[ColumnSample]) -> bool:
    """Whether all columns after the second are further targets, which not every row has.

    The first are there wherever later ones are, and all are about as long.
    """
    if len(columns) < 3:
        return False
    filled = [len(column.filled) for column in columns[1:]]
    first, *others = (column.characters for column in columns[1:])
    alike = all(first / MOST_LONGER <= other <= first * MOST_LONGER for other in others)
    return filled[-1] < filled[0] and alike and filled == sorted(filled, reverse=True)


def _wanted(source: Source, table: Table, task: str | None) -> ColumnSpec:
    """Return what the user has settled, each column by its key."""

    def key(choice: str | None, flag: str) -> str | None:
        return choice if choice is None else table.find(choice, flag)

    sentence = source.sentence_column
    return ColumnSpec(
        source=key(source.text_column, "`data.text_column`"),
        targets=() if source.label_column is None else label_keys(table, source),
        series=key(source.series_column, "`data.series_column`"),
        time=key(source.time_column, "`data.time_column`"),
        sentence=sentence if sentence == BLANK_ROWS else key(sentence, "`data.sentence_column`"),
        kind=source.kind,
        multi_label=source.multi_label,
        may_tag=task in {None, "tagging"} and source.kind in {"auto", "text"} and not source.multi_label,
        reads_texts=source.kind == "auto" and task in {*TEXT_TASKS, "seq2seq"},
    )


def _features(source: Source, table: Table) -> tuple[str, ...]:
    """Return the columns of numbers that are settled, as those of a training are in an evaluation."""
    return tuple(table.find(name, "`data.feature_columns`") for name in source.feature_columns)


def _columns(table: Table, rows: list[Row], source: Source) -> list[ColumnSample]:
    keys = list(dict.fromkeys(key for row in rows for key in row.fields))
    titles = dict(zip(table.keys, table.names or (), strict=True)) if table.has_header else {}
    if table.names is None:
        titles = {key: key for key in keys}
    folder = folder_of(source.paths[0])
    columns = []
    for key in keys:
        cells = [row.fields.get(key) for row in rows]
        texts = [cell for cell in cells[:LOOKED_AT] if isinstance(cell, str)]
        names_files = source.text_in != "cells" and name_text_files(texts, folder)
        joined = tuple(parts_of(key, [other for other in keys if other != key]))
        columns.append(ColumnSample(key, titles.get(key, ""), cells, names_files, joined))
    return columns


def _chosen(
    source: Source, table: Table, roles: ColumnRoles, columns: list[ColumnSample], task: str | None
) -> tuple[Source, dict[str, Any], list[str]]:
    settings: dict[str, Any] = {
        "text_column": roles.source,
        "label_column": ",".join(roles.targets) or None,
        "series_column": roles.series,
        "time_column": roles.time,
        "sentence_column": roles.sentence,
        "feature_columns": roles.features,
    }
    targets = [column.cells for column in columns if column.key in roles.targets]
    if len(targets) > 1 and task in {None, "classification"} and all(map(holds_indicators, targets)):
        settings["multi_label"] = True
    settings |= _text_in(roles, columns)
    if table.names is not None:
        settings["header"] = "yes" if table.has_header else "no"
    if table.marks is not None and table.marks.mark != "auto":
        settings["decimal_mark"] = table.marks.mark
    kind = source.kind if roles.kind == "auto" else roles.kind
    notes = [_described(table, roles, columns)]
    return (
        replace(source, kind=kind, **settings),
        {f"data.{name}": value for name, value in settings.items()},
        notes,
    )


def _text_in(roles: ColumnRoles, columns: list[ColumnSample]) -> dict[str, str]:
    """Return the setting that says so where the cells that are read name files."""
    in_files = any(column.key == roles.source and column.names_files for column in columns)
    return {"text_in": "files"} if in_files else {}


def _described(table: Table, roles: ColumnRoles, columns: list[ColumnSample]) -> str:
    """Say what each column was taken for."""
    parts = {
        "read": [roles.source] if roles.source else list(roles.features or roles.shown),
        "answer": list(roles.targets),
        "series": [roles.series] if roles.series else [],
        "time": [roles.time] if roles.time else [],
        "sentence": [roles.sentence] if roles.sentence else [],
    }
    joined = parts_of(roles.source or "", [column.key for column in columns if not column.joined])
    used = {key for keys in (*parts.values(), joined) for key in keys}
    parts["left out"] = [column.key for column in columns if column.key not in used]
    named = "; ".join(f"{role}: {listed(keys, SHOWN)}" for role, keys in parts.items() if keys)
    if roles.evidence:
        named += f"; {roles.evidence}"
    if joined:
        named += f"; read as one text, apart by {BETWEEN.strip()}"
    if _text_in(roles, columns):
        named += "; its cells name text files, which are read (`data.text_in`)"
    if table.comments:
        named += f"; comment lines before them: {table.comments}"
    if thousands := _with_thousands(table):
        named += f"; with a mark between thousands: {thousands}"
    header = "" if table.names is None else "line 1 names them; " if table.has_header else "no header; "
    return f"columns: {header}{named}"


def _marks_found(table: Table) -> Mapping[int, Column]:
    """Return the columns whose numbers are not written as programs write them, by their indices."""
    return {} if table.marks is None else table.marks.found


def _with_thousands(table: Table) -> str:
    """Return the columns of numbers with marks between thousands, each with an example."""
    found = _marks_found(table)
    examples = [f"{table.keys[i]} ({column.example})" for i, column in found.items() if column.example]
    return listed(examples, SHOWN)


def _ask_about_marks(name: str, table: Table) -> None:
    """Ask where numbers can be read in two ways, or a comma may stand between labels."""
    for index, column in _marks_found(table).items():
        key, comma = table.keys[index], {"data.decimal_mark": "comma"}
        if column.question == "thousands":
            what = f"column {key!r} holds {two_readings(column.example)}; what stands before fractions?"
            raise AmbiguousDataError(f"{name}: {what}", [{"data.decimal_mark": "point"}, comma])
        if column.question == "labels":
            what = f"column {key!r} holds {column.example!r}; is that a number, or two labels?"
            raise AmbiguousDataError(f"{name}: {what}", [comma, {"data.multi_label": "true"}])


def _refuse_tables(sample: Sample) -> None:
    """Raise UsageError where the lines of a text look like the rows of a table."""
    name, lines = sample.name, [record.source.rstrip("\n") for record in sample.records]
    text = "if it is text, add `task=language-model`"
    if is_foreign_table(lines):
        raise UsageError(f"{name} looks like an ARFF or .ts file (@data); write it as CSV, or, {text}")
    if holds_one_column(lines):
        what = "write them as a table with a column of what is to be answered"
        raise UsageError(f"{name} has a number in each line, and nothing to answer; {what}, or, {text}")
    if (found := blank_columns(lines)) is None:
        return
    table = f"{Path(name).stem}.tsv" if Path(name).suffix != ".tsv" else f"{name}.tsv"
    command = f"awk '{found.awk}' {shlex.quote(name)} > {shlex.quote(table)}"
    raise UsageError(f"{name} has {found.evidence}; {found.advice} ({command}), {text}")


def _task(sample: Sample, task: str | None) -> tuple[str, Claim]:
    """Return the task that was asked for, or that makes the best claim, with the claim."""
    if task is not None:
        return task, _asked_for(sample, task)
    claims = {name: load(path).claim(sample) for name, path in TASKS.items()}
    ranked = sorted(((claim, name) for name, claim in claims.items() if claim), reverse=True)
    if not ranked:
        within = (
            ", such as answer.label for one within an object"
            if format_named(sample.source.format).is_json
            else ""
        )
        raise UsageError(
            f"{sample.name} (read as {sample.source.format}) holds {sample.held} without labels; "
            f"name the column or field of the labels with `data.label_column`{within}"
        )
    (best, name), *others = ranked
    if others and best.strength - others[0][0].strength < CLOSE:
        second, other = others[0]
        raise AmbiguousDataError(
            f"{sample.name} (read as {sample.source.format}) holds {best.evidence} ({name}), or "
            f"{second.evidence} ({other}); which is it?",
            [{"task": name}, {"task": other}],
        )
    return name, best


def _require_steps(sample: Sample, task: str) -> None:
    """Refuse lists of notes that are read as one chord a row, and may be melodies."""
    advice = "write the notes of each step as a list, such as [[60], [62, 64]]"
    for record in sample.records:
        flat = next((value for value in record.fields.values() if record.steps == [value]), None)
        if flat is not None and flat != sorted(set(flat)):
            what = f"{str(flat)[:40]} would be one chord, whose notes are in ascending order and there once"
            raise DataError(f"{record.location}: {what}; if it is a melody, {advice}")
    if task == "polyphony" and all(len(steps_of(record)) < 2 for record in sample.records):
        raise DataError(f"{sample.name}: no row has a second step, so there is nothing to learn; {advice}")


def _asked_for(sample: Sample, task: str) -> Claim:
    """Refuse a task that cannot learn from the sample."""
    if task in TEXT_TASKS and sample.held != "texts":
        raise UsageError(f"`task={task}`: reads texts, but {sample.name} holds {sample.held}; leave it out")
    if task == "classification" and not sample.targets.filled and not sample.source.multi_label:
        layout = sample.source.format
        raise UsageError(
            f"{sample.name} ({layout}) has no labels in its first rows; use `data.label_column` or "
            "`data.format`"
        )
    return Claim(1.0, "as asked for")


def _swapped(source: Source, task: str) -> str:
    """Say how to write texts from labels, where labels in the first column were taken for the answers."""
    first = source.label_column == "1" and source.text_column == "2"
    return (
        "`data.source_kind=label` writes a text from each label" if first and task == "classification" else ""
    )


def _kind(sample: Sample, task: str) -> str:
    return "none" if task == "language-model" and sample.kind == "text" else sample.kind


def _reason(sample: Sample, task: str, claim: Claim) -> str:
    if claim.evidence == "as asked for":
        return f"{task}: as asked for; {sample.name} is read as {sample.source.format}"
    held = "" if sample.held == "texts" or sample.kind == "notes" else f"{sample.held} with "
    return f"{task}: {sample.name} (read as {sample.source.format}) holds {held}{claim.evidence}"


def _first(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[T]:
    """Yield the first `HEAD_ROWS` items, or fewer if they have many characters."""
    total = 0
    for item in islice(items, HEAD_ROWS):
        yield item
        total += characters(item)
        if total > HEAD_CHARACTERS:
            return


def _characters(row: Row) -> int:
    return sum(len(cell) for cell in row.fields.values() if isinstance(cell, str))
