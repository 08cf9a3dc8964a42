"""Guessing from the first rows what a file is and what can be learned from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from seqrnn.data.fields.named_files import names_array, names_image
from seqrnn.data.fields.steps import steps_of
from seqrnn.data.formats import HEAD_ROWS, NUMBER_NAMES
from seqrnn.data.formats.conll import looks_like_conll, looks_like_conllu
from seqrnn.data.formats.fasttext import LABEL_PREFIX, labels_in
from seqrnn.data.formats.names import format_of_name
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.series import is_number, numbers_in_table
from seqrnn.data.lines import file_name, read_lines
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.data.text.tokens import split_tags, split_tokens
from seqrnn.errors import DataError, UsageError

HEAD_CHARACTERS = 1 << 20  # as much as one read of the file brings; rows may be whole reviews
MOST_DISTINCT = 0.7  # labels a row: 150 intents, shuffled, show 110 values in 200 rows; translations 200
MOST_DISTINCT_FIRST = 0.25  # sources a row: short sentences come again with each of their translations
MOST_DISTINCT_TAGS = 0.25  # tags a token, where a row does not fit: more would be words of another sentence
MOST_SLIPS = 0.2  # of the rows: some images of no known format, some sentences with a tag too few
LONGEST_LABEL = 60  # characters
MOST_WORDS = 4  # in a label
LEAST_ROWS = 20  # that tell a label of the first row which never comes again from a rare one
LABELS_FIRST = (
    "if the labels are in the other column, use --text-col and --label-col; "
    "to write texts from labels, use --source label"
)

TASKS_OF_TEXTS = ("language-model", "tagging")
TASKS_OF_TABLES_OF_TEXTS = (*TASKS_OF_TEXTS, "seq2seq")  # which reads numbers only where that is said


@dataclass(frozen=True)
class Guess:
    """What a file seems to be: `reason` is one sentence for the user."""

    task: str
    format: str
    reason: str
    source_kind: str = "text"  # what is read of an example
    single_words: bool = False  # most texts are one word, so that words would say nothing of new ones
    single_word_targets: bool = False  # so are most targets


def guess(source: Source, task: str | None) -> Guess:
    """Decide how the files of `source` are laid out, and what to learn if `task` is None.

    Only the first rows are looked at, but they are consumed: stdin must have been spooled.
    Raises DataError where a file is empty or its first rows are malformed, and UsageError where the
    task cannot be told, or classification is asked for and there are no labels.
    """
    name = file_name(source.paths[0])
    layout = _guess_format(source, task)
    source = _as_numbers(replace(source, format=layout), task)
    records = list(_head(read_records(source)))
    if not records:
        raise DataError(f"{name}: holds no rows with text; give a file with at least one")
    decided = _decide(records, layout, (source, task))
    return replace(
        decided,
        reason=decided.reason + _header_read_as_data(records, decided, source),
        source_kind=_kind_of(records, source, decided.task),
        single_words=_are_single_words([record.source for record in records]),
        single_word_targets=_are_single_words(_targets(records)),
    )


def _as_numbers(source: Source, task: str | None) -> Source:
    """Return the source, to be read as numbers if it is a table of them and nobody said otherwise."""
    if source.kind != "auto" or source.format not in {"tsv", "csv"} or task in TASKS_OF_TABLES_OF_TEXTS:
        return source
    path = source.paths[0]
    found = numbers_in_table(file_name(path), read_lines(path, source.encoding_errors), source)
    return source if found is None else replace(source, kind=found)


def _are_single_words(texts: list[str]) -> bool:
    return sum(len(text.split()) > 1 for text in texts) < len(texts) / 2


def _header_read_as_data(records: list[Record], decided: Guess, source: Source) -> str:
    """Return what to add to the reason where the first line looks as if it named the columns.

    Its label then is no other row's, or is no number where all others are.
    """
    first, *others = records
    looks_unlike = _is_number_column(others) and not all(map(is_number, first.targets))
    if decided.task == "classification" and len(records) >= LEAST_ROWS:
        looks_unlike = looks_unlike or set(_targets([first])).isdisjoint(_targets(others))
    is_table = source.format in {"tsv", "csv"} and source.header == "auto"
    if not (is_table and first.line == 1 and first.targets and looks_unlike):
        return ""
    return "; line 1 was read as data: --header yes, if it names the columns"


def _targets(records: list[Record]) -> list[str]:
    return [target.strip() for record in records for target in record.targets]


def _is_number_column(records: list[Record]) -> bool:
    targets = _targets(records)
    return bool(targets) and all(map(is_number, targets))


def _decide(records: list[Record], layout: str, asked: tuple[Source, str | None]) -> Guess:
    source, task = asked
    if task is None:
        return _guess_task(records, layout, source)
    name = file_name(source.paths[0])
    if task in TASKS_OF_TEXTS and (held := _held(records)) != "texts":
        raise UsageError(f"--task {task}: reads texts, but {name} holds {held}; leave it out")
    if task == "classification" and not any(record.targets for record in records) and not source.multi_label:
        raise UsageError(f"{name} ({layout}) has no labels in its first rows; use --label-col or --format")
    return Guess(task, layout, f"{task}: as asked for; {name} is read as {layout}")


def _held(records: list[Record]) -> str:
    """Return what is read of the first rows, in the plural."""
    if records[0].steps is not None or all(names_array(record) for record in records):
        return "numbers"
    return "images" if _nearly_all(map(names_image, records)) else "texts"


def _nearly_all(found: Iterable[object]) -> bool:
    """Whether what is not so is few enough to be slips, which whoever reads those rows will tell."""
    answers = list(map(bool, found))
    return answers.count(False) <= MOST_SLIPS * len(answers)


def _kind_of(records: list[Record], source: Source, task: str) -> str:
    """Return what is read of an example by the user's word, the task or the first rows."""
    if source.kind != "auto":
        return source.kind
    held = _held(records)
    if held == "images":
        return "image"
    if held == "texts":
        return "none" if task == "language-model" else "text"
    named = [name for name in NUMBER_NAMES if isinstance(records[0].fields.get(name), list)]
    if named and source.text_column is None:
        return named[0]
    steps = [steps_of(record) for record in records]
    return "vector" if all(len(example) == 1 for example in steps) else "vectors"


def _guess_format(source: Source, task: str | None) -> str:
    """Return the format by the user's word, the file name's extension or the first lines."""
    path = source.paths[0]
    known = format_of_name(path) if source.format == "auto" else source.format
    if known == "npz":  # has no lines to look at
        return known
    lines = [line.text for line in islice(read_lines(path, source.encoding_errors), HEAD_ROWS)]
    if not any(line.strip() for line in lines):
        raise DataError(f"{file_name(path)}: is empty; give a file with at least one line of text")
    if known is not None:
        return known
    return "text" if task == "language-model" else _guess_from_content(lines)


def _guess_from_content(lines: list[str]) -> str:
    if looks_like_conllu(lines):
        return "conllu"
    if looks_like_conll(lines):
        return "conll"
    lines = [line for line in lines if line.strip()]
    if any(line.startswith(LABEL_PREFIX) for line in lines) or _nearly_all(map(labels_in, lines)):
        return "fasttext"
    if all(line.startswith("{") for line in lines):
        return "jsonl"
    if all("\t" in line for line in lines):
        return "tsv"
    return "text"


def _head(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the first `HEAD_ROWS` records, or fewer if they are long."""
    characters = 0
    for record in islice(records, HEAD_ROWS):
        yield record
        characters += len(record.source)
        if characters > HEAD_CHARACTERS:
            return


def _guess_task(records: list[Record], layout: str, source: Source) -> Guess:
    name = file_name(source.target_path or source.paths[0])
    targets = _targets(records)
    seen = f"in the first {len(records)} rows" if len(records) > 1 else "in its only row"
    if (held := _held(records)) != "texts":
        return _guess_from_targets(records, layout, f"{name} (read as {layout}) holds {held}")
    if not targets and not source.multi_label:
        return Guess(
            "language-model", layout, f"language-model: {name} (read as {layout}) is text without labels"
        )
    if not source.multi_label and _are_aligned(records, layout):
        tags = {tag for record in records for tag in split_tags(record.targets)}
        values = _count(len(tags), "tag") + f" {seen}, one for each token"
        return Guess("tagging", layout, f"tagging: {name} (read as {layout}) holds {values}")
    if source.multi_label or layout == "fasttext" or _are_labels(targets):
        values = _count(len(set(targets)), "label") + f" {seen}"
        return Guess("classification", layout, f"classification: {name} (read as {layout}) holds {values}")
    values = _no_labels(records, seen)
    sources = [record.source for record in records]
    if _are_labels(sources) and len(set(sources)) <= MOST_DISTINCT_FIRST * len(sources):
        raise UsageError(f"{name} (read as {layout}) holds {values}; {LABELS_FIRST}")
    return Guess("seq2seq", layout, f"seq2seq: {name} (read as {layout}) holds {values}")


def _guess_from_targets(records: list[Record], layout: str, holds: str) -> Guess:
    """Decide what to learn of numbers or images, of which only the targets tell anything."""
    targets = _targets(records)
    if not targets and "notes" in records[0].fields:
        return Guess(
            "polyphony", layout, f"polyphony: {holds}, the notes of music, of which the next ones are learnt"
        )
    if not targets:
        raise UsageError(f"{holds} without labels; name the column or field of the labels with --label-col")
    if _are_labels(targets):
        values = f"with {_count(len(set(targets)), 'label')}"
        return Guess("classification", layout, f"classification: {holds} {values}")
    if _is_number_column(records):
        return Guess("regression", layout, f"regression: {holds}, and a number for each example")
    return Guess("seq2seq", layout, f"seq2seq: {holds} with {_no_labels(records)}")


def _no_labels(records: list[Record], seen: str = "") -> str:
    """Say how many targets there are, where `seen` tells, and why they are taken for texts to write."""
    targets = _targets(records)
    values = " ".join(filter(None, (_count(len(set(targets)), "target"), seen)))
    if len(records) == 1:
        return f"{values}; --task classification, if that is a label"
    numbers = "; --task regression learns them as numbers" if _is_number_column(records) else ""
    return f"{values}, too many or too long for labels{numbers}"


def _count(distinct: int, noun: str) -> str:
    return f"only one {noun}" if distinct == 1 else f"{distinct} different {noun}s"


def _are_aligned(records: list[Record], layout: str) -> bool:
    """Whether there is one target for each token, as no labels or translations have it."""
    if layout in {"conll", "conllu"}:
        return True
    counts = [(len(split_tokens(record.source)), len(split_tags(record.targets))) for record in records]
    if layout not in {"parallel", "jsonl"} or max(tokens for tokens, _ in counts) < 2:
        return False
    fitting = [tokens == tags for tokens, tags in counts]
    tags = [tag for record in records for tag in split_tags(record.targets)]
    few = len(set(tags)) <= MOST_DISTINCT_TAGS * len(tags)
    return all(fitting) or (few and _nearly_all(fitting))


def _are_labels(values: list[str]) -> bool:
    """Whether the values are short and come back again and again."""
    short = all(len(value) <= LONGEST_LABEL and len(value.split()) <= MOST_WORDS for value in values)
    return short and len(set(values)) <= MOST_DISTINCT * len(values)
