"""What to learn from some files, and how to read them: told from their first rows, with the evidence.

The format is told from the name of a file or its first lines, the columns of a table from their names
and cells, and the task by what each task claims of the records. Where two readings are about equally
likely, that is an error that names both.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from seqrnn.catalog import TASKS, load
from seqrnn.data.blank_columns import blank_columns, holds_one_column, is_foreign_table, may_be_prose
from seqrnn.data.column_inference import TEXT_TASKS, infer_columns, numbered_columns
from seqrnn.data.fields.steps import steps_of
from seqrnn.data.formats.conll import holds_tagged_blocks
from seqrnn.data.formats.format import HEAD_ROWS
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.records import TableFormat
from seqrnn.data.formats.registry import format_named, format_of_lines, format_of_path, notes_of
from seqrnn.data.label_evidence import nearly_alike
from seqrnn.data.lines import file_name
from seqrnn.data.sample import Sample, head_of
from seqrnn.data.several_files import ask_for_sides, tests_among
from seqrnn.data.several_labels import SeveralLabels, several_labels
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError, UsageError
from seqrnn.tasks.task import Claim

CLOSE = 0.15  # claims whose strengths differ by less are two readings


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
        source, settings, notes = infer_columns(source, task)
    elif source.text_column is None and source.label_column is None:
        source, settings, notes = numbered_columns(source)
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
    records = list(head_of(read_records(source), lambda record: len(record.source)))
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
        found, _, _ = infer_columns(source, task)
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
    if task == "language-model":
        return "text"
    found = format_of_lines(lines)
    if found == "csv" and task is None and may_be_prose(lines):
        what = "has one comma with a blank after it in each line; are these two columns, or text?"
        raise AmbiguousDataError(
            f"{file_name(path)}: {what}", [{"data.format": "csv"}, {"data.format": "text"}]
        )
    return found


def _require_one_format(source: Source) -> None:
    """Raise DataError where the names of the files say that they are of several formats."""
    known = {path: found for path in source.paths if (found := format_of_path(path)) is not None}
    for path, found in known.items():
        first = next(iter(known))
        if found != known[first]:
            what = f"is {found} by its name, and {file_name(first)} is {known[first]}"
            raise DataError(f"{file_name(path)}: {what}; give files of one format, or say `data.format`")


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
