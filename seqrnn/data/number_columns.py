"""Which columns of a table of numbers are read, and which are answers, series and times."""

from __future__ import annotations

from collections.abc import Sequence

from seqrnn.data.column_sample import RECURRING, ColumnSample
from seqrnn.data.fields.source_kind import fields_of, kind_named
from seqrnn.data.formats.column_names import LABEL_NAMES, MIN_STEPS, TEXT_NAMES, TIME_NAMES, are_steps, rank
from seqrnn.data.table_columns import (
    ColumnRoles,
    TableColumns,
    bears,
    best_named,
    go_together,
    is_label_named,
    is_series,
    is_time,
    quoted,
)
from seqrnn.data.wording import listed
from seqrnn.errors import AmbiguousDataError, UsageError

SHOWN = 8  # columns that a message lists


class NumberColumns(TableColumns):
    """Columns most of which may be of numbers."""

    @property
    def is_numeric(self) -> bool:
        """Whether every column is one of numbers, but for labels, names of series and times."""
        if kind_named(self.wanted.kind).in_columns:
            return True
        texts = self.of_kind("text", "path", "lists", "numbers")
        named = [
            column for column in self.columns if column.kind != "identifier" and bears(column, TEXT_NAMES)
        ]
        if named or any(not (is_series(column) or is_time(column)) for column in texts):
            return False
        numbers, labels = self.of_kind("number"), self.of_kind("label")
        labels = [column for column in labels if not (is_series(column) or is_time(column))]
        few_words = len(labels) <= 1 or len(numbers) > 1 or any(map(is_time, texts))
        return bool(numbers) and few_words and not self.wanted.reads_texts

    @property
    def holds_texts_to_read(self) -> bool:
        """Whether there are texts or paths; a list of strings that is named as one of labels is neither."""
        found = self.of_kind("text", "path", "lists")
        return any(not (column.kind == "lists" and is_label_named(column)) for column in found)

    def with_lists_of_numbers(self, lists: Sequence[ColumnSample]) -> ColumnRoles:
        """Read the lists of one field: the user's, or one that bears the name of what is read."""
        chosen = [column for column in lists if column.key == self.wanted.source]
        usual = fields_of(self.wanted.kind)
        named = [] if chosen else [column for column in lists if column.title in usual]
        targets = self._targets()
        read = chosen or named or [column for column in lists if column.key not in targets] or lists
        if len(read) > 1:
            what = (
                f"{self.name} has lists of numbers in several columns: {listed([c.key for c in read], SHOWN)}"
            )
            advice = "write the numbers of each step as a list in one of them, or use `data.text_column`"
            raise UsageError(f"{what}; {advice}")
        field = read[0].key
        for target in targets:
            self._refuse_labels_of_steps(self.by_key[field], self.by_key[target])
        return ColumnRoles(None if named else field, targets, shown=(field,))

    def _refuse_labels_of_steps(self, numbers: ColumnSample, labels: ColumnSample) -> None:
        """Refuse labels that may belong to the steps, unless the user says that an example has several."""
        if self.wanted.multi_label or labels.kind != "lists" or not go_together(numbers, labels):
            return
        if max(map(len, labels.cells), default=0) > 1:
            what = f'has as many labels in "{labels.key}" as there are items in "{numbers.key}"'
            advice = "numbers have no labels a step; give `data.multi_label=true` if each row has several"
            raise UsageError(f"{self.name} {what}; {advice}")

    def with_features(self) -> ColumnRoles:
        """Read the numbers in all columns but those of labels, series and times."""
        series, time = self._series(), self._time()
        targets = self._targets(series, time)
        if series is None and self.wanted.kind == "auto" and len(targets) == 1:
            self._ask_for_series(time, self.by_key[targets[0]])
        others = {*targets, series, time}
        free = [column for column in self.columns if column.key not in others]
        features = self._features(free)
        if not features:
            raise UsageError(
                f"{self.name}: no column of numbers is left to read; use `data.source_kind=text`"
            )
        kind = self.wanted.kind
        titles = [self.by_key[key].title for key in features]
        if kind == "auto":
            kind = "vectors" if series is not None or are_steps(titles) else "vector"
        has_words = any(not column.is_half_numeric for column in free)
        evidence = "only numbers are read beside numbers" if has_words else ""
        if kind == "vectors" and series is None:
            evidence = (
                "each row is a series, each column a step; `data.source_kind=vector` reads it as one vector"
            )
        time = time if kind == "vectors" else None
        return ColumnRoles(None, targets, kind, tuple(features), series, time, evidence=evidence)

    def _features(self, free: Sequence[ColumnSample]) -> list[str]:
        """Return the columns of numbers to read, without those that name or number the rows, if possible."""
        numbers = [column for column in free if column.is_half_numeric]
        numbering = [column for column in numbers if column.kind == "identifier"]
        if self.columns[0].numbers_rows and not are_steps([column.title for column in numbers]):
            numbering.append(self.columns[0])
        return [column.key for column in numbers if column not in numbering] or [c.key for c in numbers]

    def _series(self) -> str | None:
        """Return the column whose values come again in several rows and bear the name of one of series."""
        if self.wanted.series is not None or not kind_named(self.wanted.kind).sequential:
            return self.wanted.series
        named = [column for column in self.columns if is_series(column)]
        return next((column.key for column in named if column.distinct < len(column.texts)), None)

    def _ask_for_series(self, time: str | None, target: ColumnSample) -> None:
        """Ask where rows at several times have a value in common, and one answer for each such value."""
        if time is None or target.distinct < 2 or target.is_half_numeric:
            return
        for column in self.columns:
            recurs = 1 < column.distinct <= RECURRING * len(column.texts)
            if not recurs or not column.is_integer or column.key in {time, target.key}:
                continue
            answers = set(zip(column.cells, target.cells, strict=True))
            if len(answers) == column.distinct > target.distinct:
                readings = [{"data.series_column": column.key}, {"data.source_kind": "vector"}]
                what = f"rows with the same {quoted(column.key)} have the same answer"
                raise AmbiguousDataError(f"{self.name}: {what}; are they the steps of a series?", readings)

    def _time(self) -> str | None:
        if self.wanted.time is not None:
            return self.wanted.time
        found = [column for column in self.columns if bears(column, TIME_NAMES)]
        found = found or [column for column in self.columns if column.holds_dates]
        return found[0].key if found else None

    def _targets(self, *taken: str | None) -> tuple[str, ...]:
        """Return the column of labels or target numbers of a table of numbers, none of those `taken`."""
        if self.wanted.targets:
            return self.wanted.targets
        free = [column for column in self.columns if column.key not in taken and column.kind != "numbers"]
        labels = [column for column in free if column.kind == "label"]
        named = best_named([column for column in free if column.kind != "identifier"], LABEL_NAMES)
        self._ask_for_label(labels, named, free)
        if len(labels) == 1 and (named is None or named in labels):
            return (labels[0].key,)
        if named is not None:
            return (named.key,)
        if self.of_kind("numbers") or kind_named(self.wanted.kind).in_columns:
            return ()
        numbers = [column for column in free if column.kind == "number"]
        shown = listed([column.title or column.key for column in self.columns], SHOWN)
        advice = "use `data.label_column`, or `data.source_kind=text` to read them as texts"
        classes = [column for column in numbers if column.holds_few_integers]
        if len(classes) == 1 and len(numbers) > MIN_STEPS and self.wanted.kind == "auto":
            self._ask_for_steps(classes[0], len(numbers) - 1)
        if len(numbers) == 1 and not labels:
            what = f"holds one column of numbers and no answer ({shown})"
            advice = (
                "add a column with the answers, such as the next value, and name it by `data.label_column`"
            )
            raise UsageError(f"{self.name} {what}; {advice}")
        raise UsageError(f"{self.name} holds numbers; which of the columns {shown} holds the label? {advice}")

    def _ask_for_label(
        self, labels: Sequence[ColumnSample], named: ColumnSample | None, free: Sequence[ColumnSample]
    ) -> None:
        """Ask where columns of words and one of numbers may be the answer, and no usual name tells which."""
        if not labels or (named is not None and rank(named.title, LABEL_NAMES) < len(LABEL_NAMES) - 1):
            return
        numbers = [named] if named is not None else [free[-1]] if free[-1].holds_indicators else []
        found = list(dict.fromkeys(column.key for column in [*numbers, *reversed(labels)]))
        if len(found) > 1:
            readings = [{"data.label_column": key} for key in found[:2]]
            shown = ", ".join(map(quoted, found[:SHOWN]))
            raise AmbiguousDataError(
                f"{self.name} holds numbers; which column holds the label: {shown}?", readings
            )

    def _ask_for_steps(self, classes: ColumnSample, others: int) -> None:
        """Ask where a row of numbers can be a series or a vector, and one column looks like its class."""
        readings = [
            {"data.label_column": classes.key, "data.source_kind": kind} for kind in ("vectors", "vector")
        ]
        what = f"column {classes.key} looks like a label ({classes.distinct} different integers)"
        question = f"are the other {others} columns the steps of a series, or one vector?"
        raise AmbiguousDataError(f"{self.name} holds numbers; {what}; {question}", readings)
