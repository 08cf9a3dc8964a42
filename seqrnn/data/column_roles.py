"""Which columns of a table hold what a model reads and what it answers, told from the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.source_kind import kind_named, number_kinds
from seqrnn.data.formats.column_names import (
    LABEL_NAMES,
    MIN_STEPS,
    SERIES_NAMES,
    TEXT_NAMES,
    TIME_NAMES,
    TITLE_NAMES,
    are_a_pair,
    are_steps,
    normal_name,
    rank,
)
from seqrnn.data.formats.token_rows import BLANK_ROWS
from seqrnn.data.token_columns import token_columns
from seqrnn.errors import AmbiguousDataError, UsageError

SHOWN = 8  # columns that a message lists


@dataclass(frozen=True)
class ColumnRoles:
    """The keys of the columns, and the input: texts or paths (`kind` auto), or numbers."""

    source: str | None = None
    targets: tuple[str, ...] = ()
    kind: str = "auto"
    features: tuple[str, ...] = ()
    series: str | None = None
    time: str | None = None
    sentence: str | None = None
    evidence: str = ""  # for what is not plain to see
    shown: tuple[str, ...] = ()  # the input, where neither `source` nor `features` need to say so


@dataclass(frozen=True)
class ColumnSpec:
    """What is settled already: the columns that the user has chosen, what is to be read, and the task."""

    source: str | None = None
    targets: tuple[str, ...] = ()
    series: str | None = None
    time: str | None = None
    sentence: str | None = None
    kind: str = "auto"
    may_tag: bool = False  # nothing says that the rows are no tokens
    reads_texts: bool = False  # the task that was asked for learns from nothing else
    blank_rows: int = 0  # between the first rows
    multi_label: bool = False  # each example bears several labels


def choose_columns(name: str, columns: Sequence[ColumnSample], wanted: ColumnSpec) -> ColumnRoles:
    """Tell the roles of the columns of the file `name`.

    Raises UsageError where nothing says which column is which, and AmbiguousDataError, with the settings
    of each reading, where two are near.
    """
    table = _Columns(name, columns, wanted)
    if wanted.may_tag and (tokens := table.with_tokens()):
        return tokens
    lists = table.of_kind("numbers")
    if kind_named(wanted.kind).has_numbers or (wanted.kind == "auto" and wanted.source is None):
        if lists and not table.holds_texts_to_read:
            return table.with_lists_of_numbers(lists)
        if table.is_numeric:
            return table.with_features()
    return table.with_texts()


class _Columns:
    def __init__(self, name: str, columns: Sequence[ColumnSample], wanted: ColumnSpec) -> None:
        self.name = name
        self.wanted = wanted
        self.columns = [column for column in columns if column.kind != "empty"]
        self.by_key: Mapping[str, ColumnSample] = {column.key: column for column in columns}

    def of_kind(self, *kinds: str) -> list[ColumnSample]:
        """Return the columns of some kinds that the user has not chosen for another role."""
        taken = {*self.wanted.targets, self.wanted.series, self.wanted.time}
        return [column for column in self.columns if column.kind in kinds and column.key not in taken]

    @property
    def holds_texts_to_read(self) -> bool:
        """Whether there are texts or paths; a list of strings that is named as one of labels is neither."""
        found = self.of_kind("text", "path", "lists")
        return any(not (column.kind == "lists" and _is_label_named(column)) for column in found)

    @property
    def is_numeric(self) -> bool:
        """Whether every column is one of numbers, but for labels, names of series and times."""
        if kind_named(self.wanted.kind).in_columns:
            return True
        texts = self.of_kind("text", "path", "lists", "numbers")
        named = [
            column for column in self.columns if column.kind != "identifier" and _names(column, TEXT_NAMES)
        ]
        if named or any(not (_is_series(column) or _is_time(column)) for column in texts):
            return False
        numbers, labels = self.of_kind("number"), self.of_kind("label")
        labels = [column for column in labels if not (_is_series(column) or _is_time(column))]
        return bool(numbers) and len(labels) <= 1 and not self.wanted.reads_texts

    def with_tokens(self) -> ColumnRoles | None:
        """Read sentences, of which each row is a token; None where nothing tells of them."""
        wanted = self.wanted
        tag = wanted.targets[0] if len(wanted.targets) == 1 else None
        columns, blank = list(self.by_key.values()), wanted.blank_rows
        found = token_columns(columns, wanted.sentence, wanted.source, tag, blank)
        if found is None or (found.signs == 0 and wanted.sentence is None):
            return None
        if found.signs == 1 and wanted.sentence is None:
            columns_of_tokens = {"data.text_column": found.token, "data.label_column": found.tag}
            readings = [
                {"data.sentence_column": found.sentence, **columns_of_tokens},
                {"task": "classification", **columns_of_tokens},
            ]
            stays = f'"{found.sentence}" is the same for some rows each'
            what = f"has one word a row, and {'blank rows' if found.sentence == BLANK_ROWS else stays}"
            raise AmbiguousDataError(f"{self.name}: {what}; do they make a sentence?", readings)
        evidence = f"a token a row, and a sentence as long as {found.sentence} stays the same or blank"
        if found.sentence == BLANK_ROWS:
            evidence = "a token a row, and a sentence up to each blank row"
        return ColumnRoles(found.token, (found.tag,), sentence=found.sentence, evidence=evidence)

    def with_lists_of_numbers(self, lists: Sequence[ColumnSample]) -> ColumnRoles:
        """Read the lists of one field: the user's, or one that bears the name of what is read."""
        kinds = number_kinds() if self.wanted.kind == "auto" else (self.wanted.kind,)
        chosen = [column for column in lists if column.key == self.wanted.source]
        named = [] if chosen else [column for column in lists if column.title in kinds]
        field = (chosen or named or lists)[0].key
        targets = self._targets(())
        for target in targets:
            self._refuse_labels_of_steps(self.by_key[field], self.by_key[target])
        return ColumnRoles(None if named else field, targets, shown=(field,))

    def _refuse_labels_of_steps(self, numbers: ColumnSample, labels: ColumnSample) -> None:
        """Refuse labels that may belong to the steps, unless the user says that an example has several."""
        if self.wanted.multi_label or labels.kind != "lists" or not _go_together(numbers, labels):
            return
        if max(map(len, labels.cells), default=0) > 1:
            what = f'has as many labels in "{labels.key}" as there are items in "{numbers.key}"'
            advice = "numbers have no labels a step; give `data.multi_label=true` if each row has several"
            raise UsageError(f"{self.name} {what}; {advice}")

    def with_features(self) -> ColumnRoles:
        """Read the numbers in all columns but those of labels, series and times."""
        series, time = self._series(), self._time()
        targets = self._targets({series, time})
        others = {*targets, series, time}
        free = [column for column in self.columns if column.key not in others]
        features = [column.key for column in free if column.kind != "identifier"] or [c.key for c in free]
        if not features:
            raise UsageError(
                f"{self.name}: no column of numbers is left to read; use `data.source_kind=text`"
            )
        kind = self.wanted.kind
        titles = [self.by_key[key].title for key in features]
        if kind == "auto":
            kind = "vectors" if series is not None or are_steps(titles) else "vector"
        evidence = ""
        if kind == "vectors" and series is None:
            evidence = (
                "each row is a series, each column a step; `data.source_kind=vector` reads it as one vector"
            )
        time = time if kind == "vectors" else None
        return ColumnRoles(None, targets, kind, tuple(features), series, time, evidence=evidence)

    def _series(self) -> str | None:
        """Return the column whose values come again in several rows and bear the name of one of series."""
        if self.wanted.series is not None or not kind_named(self.wanted.kind).sequential:
            return self.wanted.series
        named = [column for column in self.columns if _is_series(column)]
        return next((column.key for column in named if column.distinct < len(column.texts)), None)

    def _time(self) -> str | None:
        if self.wanted.time is not None:
            return self.wanted.time
        found = [column for column in self.columns if _names(column, TIME_NAMES)]
        found = found or [column for column in self.columns if column.holds_dates]
        return found[0].key if found else None

    def _targets(self, others: object) -> tuple[str, ...]:
        """Return the column of labels or target numbers of a table of numbers."""
        taken = others if isinstance(others, set) else set()
        if self.wanted.targets:
            return self.wanted.targets
        free = [column for column in self.columns if column.key not in taken and column.kind != "numbers"]
        labels = [column for column in free if column.kind == "label"]
        named = _best_named([column for column in free if column.kind != "identifier"], LABEL_NAMES)
        if len(labels) == 1 and (named is None or named in labels):
            return (labels[0].key,)
        if named is not None:
            return (named.key,)
        if self.of_kind("numbers") or kind_named(self.wanted.kind).in_columns:
            return ()
        numbers = [column for column in free if column.kind == "number"]
        names = [column.title or column.key for column in self.columns]
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        advice = "use `data.label_column`, or `data.source_kind=text` to read them as texts"
        classes = [column for column in numbers if column.holds_few_integers]
        if len(classes) == 1 and len(numbers) > MIN_STEPS and self.wanted.kind == "auto":
            self._ask_for_steps(classes[0], len(numbers) - 1)
        if len(numbers) == 1 and not labels:
            raise UsageError(f"{self.name} holds one column of numbers and no label ({shown}); {advice}")
        raise UsageError(f"{self.name} holds numbers; which of the columns {shown} holds the label? {advice}")

    def _ask_for_steps(self, classes: ColumnSample, others: int) -> None:
        """Ask where a row of numbers can be a series or a vector, and one column looks like its class."""
        readings = [
            {"data.label_column": classes.key, "data.source_kind": kind} for kind in ("vectors", "vector")
        ]
        what = f"column {classes.key} looks like a label ({classes.distinct} different integers)"
        question = f"are the other {others} columns the steps of a series, or one vector?"
        raise AmbiguousDataError(f"{self.name} holds numbers; {what}; {question}", readings)

    def with_texts(self) -> ColumnRoles:
        """Read the texts, or the files that paths name, of one column."""
        source = self.by_key.get(self.wanted.source or "")
        if source is None:
            self._ask_for_pairs()
            source = self._label_source() if self.wanted.kind == "label" else self._source()
        targets = self.wanted.targets or self._target_of(source)
        return ColumnRoles(source.key, targets)

    def _source(self) -> ColumnSample:
        """Return the column of texts: the one that is named so, or that has the longest."""
        free = [column for column in self.columns if column.key not in self.wanted.targets]
        if not free:
            raise UsageError(
                f"{self.name}: no column is left for the text; use `data.text_column` and `data.label_column`"
            )
        candidates = [column for column in free if column.kind in {"text", "path", "lists"}]
        if any(_is_text_to_read(column) for column in candidates):
            candidates = [column for column in candidates if not column.names_files]
        candidates = [column for column in candidates if not column.is_constant] or candidates
        if not candidates:
            candidates = self._without_texts(free)
        named = _best_named(candidates, TEXT_NAMES)
        if (named is None or _names(named, TITLE_NAMES)) and self._holds_labels(free):
            longest = _longest_text(candidates)
            if longest is not None and (named is None or longest.words > 2 * named.words):
                return longest
        if named is not None and not (named.kind == "label" and len(candidates) > 1):
            return named
        unnamed = [
            column for column in candidates if rank(column.title, LABEL_NAMES) == len(LABEL_NAMES)
        ] or candidates
        if all(column.kind == "text" for column in unnamed):
            return _first_text(unnamed)
        if all(column.kind in {"label", "number"} for column in unnamed):
            return max(unnamed, key=lambda column: (column.kind != "number", column.distinct))
        return max(
            unnamed, key=lambda column: (column.kind in {"path", "lists"}, column.words, column.characters)
        )

    def _holds_labels(self, columns: Sequence[ColumnSample]) -> bool:
        """Whether a column looks like one of labels, to which texts of any length may belong."""
        return any(column.kind == "label" or column.holds_few_integers for column in columns)

    def _label_source(self) -> ColumnSample:
        """Return the column of labels from which texts are to be written."""
        free = [column for column in self.columns if column.key not in self.wanted.targets]
        labels = [column for column in free if column.kind == "label"] or free
        return min(labels, key=lambda column: column.distinct)

    def _without_texts(self, free: Sequence[ColumnSample]) -> list[ColumnSample]:
        """Return the columns to choose from where none looks like one of texts."""
        target = None if self.wanted.targets else _best_named(free, LABEL_NAMES)
        rest = [column for column in free if column is not target]
        others = [column for column in rest if column.kind != "identifier"] or rest or list(free)
        if target is not None and len(others) > 1 and _best_named(others, TEXT_NAMES) is None:
            raise UsageError(
                f"{self.name}: which of the {len(self.columns)} columns holds the text? use "
                "`data.text_column`"
            )
        return others

    def _target_of(self, source: ColumnSample) -> tuple[str, ...]:
        """Return the column of what is to be answered to `source`."""
        others = [column for column in self.columns if column is not source]
        free = [column for column in others if column.kind not in {"identifier", "path"}]
        if not free and len(others) == 1 and not others[0].is_named_identifier:
            return (others[0].key,)  # dates have the form of an identifier, too
        if source.kind == "lists":
            lists = [column for column in free if _go_together(source, column)]
            if lists:
                return ((_best_named(lists, LABEL_NAMES) or lists[0]).key,)
        free = [column for column in free if not (_is_time(column) or column.is_constant)] or free
        named = _best_named([*free, *others], LABEL_NAMES)
        self._ask_for_indicators(source, free, named)
        if named is not None:
            return (named.key,)
        for holds in (_may_be_label, _is_number, _is_text):
            found = [column for column in free if holds(column)]
            if len(found) == 1:
                return (found[0].key,)
            if found:
                self._ask(source, found)
        return ()

    def _ask_for_indicators(
        self, source: ColumnSample, free: Sequence[ColumnSample], named: ColumnSample | None
    ) -> None:
        """Ask where several columns say of a label each whether a text bears it."""
        found = [c for c in free if c.holds_indicators]
        if len(found) < 2 or (named is not None and named not in found) or len(free) > len(found):
            return
        every, one = ",".join(column.key for column in found), (named or found[0]).key
        readings = [{"data.text_column": source.key, "data.label_column": key} for key in (every, one)]
        what = f"columns of 0 and 1: {', '.join(column.key for column in found[:6])}"
        raise AmbiguousDataError(
            f"{self.name}: {what}; is each a label of its own, or one the answer?", readings
        )

    def _ask_for_pairs(self) -> None:
        """Ask where the answer is about two texts, of which a model would read one."""
        texts = self.of_kind("text")
        pairs = [pair for pair in pairwise(texts) if are_a_pair(pair[0].title, pair[1].title)]
        if not pairs or not any(_may_be_label(column) or _is_number(column) for column in self.columns):
            return
        first, second = (column.key for column in pairs[0])
        readings = [{"data.text_column": key} for key in (first, second)]
        what = f'the answer is about two texts, "{first}" and "{second}", and a model reads one column'
        question = "put both into one column, such as `FIRST ||| SECOND`, or choose one:"
        raise AmbiguousDataError(f"{self.name}: {what}; {question}", readings)

    def _ask(self, source: ColumnSample, found: Sequence[ColumnSample]) -> None:
        shown = ", ".join(f'"{column.key}" ({_sample(column)})' for column in found[:6])
        readings = [{"data.text_column": source.key, "data.label_column": column.key} for column in found[:2]]
        raise AmbiguousDataError(
            f"{self.name}: which column holds what is to be answered: {shown}?", readings
        )


def _first_text(columns: Sequence[ColumnSample]) -> ColumnSample:
    """Return the first column of texts, unless its short values recur and those of the next do not."""
    first, *others = columns
    recurs = first.distinct < 0.8 * len(first.texts)
    longer = [column for column in others if column.words > 2 * first.words]
    return longer[0] if recurs and longer and longer[0].distinct > 0.95 * len(longer[0].texts) else first


def _is_text_to_read(column: ColumnSample) -> bool:
    """Whether the cells are texts, and not those that shall be written."""
    return column.kind == "text" and rank(column.title, LABEL_NAMES) == len(LABEL_NAMES)


def _longest_text(columns: Sequence[ColumnSample]) -> ColumnSample | None:
    """Return the column of texts that has more than twice as many words as any other."""
    texts = [column for column in columns if column.kind == "text" and not column.names_files]
    ranked = sorted((column for column in texts if not _is_label_named(column)), key=lambda c: -c.words)
    if len(ranked) < 2 or ranked[0].words <= 2 * ranked[1].words:
        return None
    return ranked[0]


def _is_label_named(column: ColumnSample) -> bool:
    return rank(column.title, LABEL_NAMES) < len(LABEL_NAMES)


def _names(column: ColumnSample, usual: tuple[str, ...]) -> bool:
    return normal_name(column.title) in usual


def _is_series(column: ColumnSample) -> bool:
    return _names(column, SERIES_NAMES) or normal_name(column.title).endswith("_id")


def _is_time(column: ColumnSample) -> bool:
    return _names(column, TIME_NAMES) or column.holds_dates


def _may_be_label(column: ColumnSample) -> bool:
    return column.kind == "label" or column.holds_few_integers


def _is_number(column: ColumnSample) -> bool:
    return column.kind == "number"


def _is_text(column: ColumnSample) -> bool:
    return column.kind in {"text", "lists"}


def _best_named(columns: Sequence[ColumnSample], usual: tuple[str, ...]) -> ColumnSample | None:
    """Return the column that bears the likeliest of the usual names, if one does."""
    ranked = [column for column in columns if column.title and rank(column.title, usual) < len(usual)]
    return min(ranked, key=lambda column: rank(column.title, usual), default=None)


def _go_together(tokens: ColumnSample, tags: ColumnSample) -> bool:
    pairs = list(zip(tokens.cells, tags.cells, strict=False))
    return all(isinstance(b, list) and isinstance(a, list) and len(a) == len(b) for a, b in pairs)


def _sample(column: ColumnSample) -> str:
    return f"such as {column.texts[0][:30]!r}"
