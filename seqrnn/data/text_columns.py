"""Which column of a table of texts is read, and which holds the answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from seqrnn.data.column_sample import ColumnSample
from seqrnn.data.fields.named_files import IMAGE_EXTENSIONS
from seqrnn.data.formats.column_names import (
    ANSWER_NAMES,
    LABEL_NAMES,
    PAIRED_NAMES,
    TEXT_NAMES,
    TITLE_NAMES,
    are_a_pair,
    rank,
)
from seqrnn.data.formats.joined_columns import joined_text
from seqrnn.data.table_columns import (
    ColumnRoles,
    TableColumns,
    bears,
    best_named,
    go_together,
    is_label_named,
    is_time,
    may_be_label,
    quoted,
)
from seqrnn.errors import AmbiguousDataError, UsageError

FEATURES = re.compile(r"[A-Z0-9][\w.+/{}=-]*(?:[;|,][\w.+/{}=-]+)*")  # of a form: V;PST, Case=Nom|Number=Sing

NUMBERED_IMAGE = re.compile(r".+(?:" + "|".join(map(re.escape, IMAGE_EXTENSIONS)) + r")#\d+", re.IGNORECASE)


class TextColumns(TableColumns):
    """Columns of which one holds texts, or paths of what is read."""

    def with_texts(self) -> ColumnRoles:
        """Read the texts, or the files that paths name, of one column."""
        source = self.by_key.get(self.wanted.source or "")
        if source is None:
            self._refuse_numbered_images()
            self._ask_for_inflection()
            by_label = self.wanted.kind == "label"
            source = self._label_source() if by_label else self._code() or self._pair() or self._source()
        targets = self.wanted.targets or self._target_of(source)
        return ColumnRoles(source.key, targets, joined=source.joined)

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
        for says_little in (_is_constant, is_time):
            candidates = [column for column in candidates if not says_little(column)] or candidates
        if candidates and all(map(is_label_named, candidates)):  # beside texts that come again and again
            beside = [column for column in free if column not in candidates and not is_label_named(column)]
            if (text := best_named(beside, TEXT_NAMES)) is not None:
                return text
        if not candidates:
            candidates = self._without_texts(free)
        paths = [column for column in candidates if column.kind == "path" and not column.names_files]
        if len(paths) == 1 and not self._holds_labels(free):
            return paths[0]  # what an image shows is written, not the name of its file
        named = best_named(candidates, TEXT_NAMES)
        if (named is None or bears(named, TITLE_NAMES)) and self._holds_labels(free):
            longest = _longest_text(candidates)
            if longest is not None and (named is None or longest.words > 2 * named.words):
                return longest
        if named is not None and not (named.kind == "label" and len(candidates) > 1):
            return named
        unnamed = [column for column in candidates if not is_label_named(column)] or candidates
        if all(column.kind == "text" for column in unnamed):
            return _first_text(unnamed)
        if all(column.kind in {"label", "number"} for column in unnamed):
            return max(unnamed, key=lambda column: (column.kind != "number", column.distinct))
        return max(
            unnamed, key=lambda column: (column.kind in {"path", "lists"}, column.words, column.characters)
        )

    def _holds_labels(self, columns: Sequence[ColumnSample]) -> bool:
        """Whether a column looks like one of labels, to which texts of any length may belong."""
        return any(map(may_be_label, columns))

    def _label_source(self) -> ColumnSample:
        """Return the column of labels from which texts are to be written."""
        free = [column for column in self.columns if column.key not in self.wanted.targets]
        labels = [column for column in free if column.kind == "label"] or free
        return min(labels, key=lambda column: column.distinct)

    def _without_texts(self, free: Sequence[ColumnSample]) -> list[ColumnSample]:
        """Return the columns to choose from where none looks like one of texts."""
        target = None if self.wanted.targets else best_named(free, LABEL_NAMES)
        rest = [column for column in free if column is not target]
        others = [column for column in rest if column.kind != "identifier"] or rest or list(free)
        if target is not None and len(others) > 1 and best_named(others, TEXT_NAMES) is None:
            raise UsageError(
                f"{self.name}: which of the {len(self.columns)} columns holds the text? use "
                "`data.text_column`"
            )
        return others

    def _target_of(self, source: ColumnSample) -> tuple[str, ...]:
        """Return the column of what is to be answered to `source`."""
        read = {source.key, *source.joined}
        others = [column for column in self.columns if column.key not in read]
        free = [column for column in others if column.kind not in {"identifier", "path"}]
        if not free and len(others) == 1 and not others[0].is_named_identifier:
            return (others[0].key,)  # dates have the form of an identifier, too
        if source.kind == "lists":
            lists = [column for column in free if go_together(source, column)]
            if lists:
                return ((best_named(lists, LABEL_NAMES) or lists[0]).key,)
        free = [column for column in free if not (is_time(column) or column.is_constant)] or free
        varied = [c for c in others if not c.is_constant or rank(c.title, ANSWER_NAMES) < len(ANSWER_NAMES)]
        named = best_named([*free, *varied], LABEL_NAMES)
        self._ask_for_indicators(source, free, named)
        if named is not None:
            return (named.key,)
        for holds in (may_be_label, _is_number, _is_text):
            found = [column for column in free if holds(column)]
            if holds is _is_number and found and self.wanted.writes_texts:
                self._ask_for_numbers(source, found[0], [column for column in free if _is_text(column)])
            if len(found) == 1:
                return (found[0].key,)
            if found:
                self._ask(source, found)
        constant = best_named(others, LABEL_NAMES)
        return () if constant is None else (constant.key,)

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

    def _code(self) -> ColumnSample | None:
        """Return the first of two columns where it holds codes or numbers for the texts of the other.

        Raises AmbiguousDataError where no name says which of them is read.
        """
        if len(self.columns) != 2 or not self.wanted.writes_texts or self.wanted.targets:
            return None
        first, second = self.columns
        is_code = first.kind == "identifier" or (first.kind == "number" and first.is_integer)
        numbers_rows = first.is_named_identifier or is_label_named(first)
        if second.kind != "text" or not is_code or first.distinct < len(first.texts) or numbers_rows:
            return None
        if bears(first, TEXT_NAMES) or bears(second, tuple(PAIRED_NAMES)) or is_label_named(second):
            return first
        readings = [
            {"data.text_column": source.key, "data.label_column": target.key}
            for source, target in ((first, second), (second, first))
        ]
        readings.append({"task": "language-model", "data.text_column": second.key})
        what = f"column {quoted(first.key)} ({_sample(first)}) holds another value in each row"
        raise AmbiguousDataError(f"{self.name}: {what}; is it read, answered, or neither?", readings)

    def _refuse_numbered_images(self) -> None:
        """Refuse names of images with the numbers of their captions (0.jpg#0), which name no files."""
        for column in self.columns:
            if column.texts and all(map(NUMBERED_IMAGE.fullmatch, column.texts)):
                what = f"column {quoted(column.key)} has the number of a caption after the name of each image"
                cut = "sed -E 's/#[0-9]+//'"
                raise UsageError(
                    f"{self.name}: {what} ({_sample(column)}); cut it off with: {cut} {self.name}"
                )

    def _ask_for_inflection(self) -> None:
        """Ask where a word, a form of it and what the form expresses (V;PST) stand in three columns."""
        if len(self.columns) != 3 or not self.wanted.writes_texts or self.wanted.targets:
            return
        features = next((column for column in self.columns if _are_features(column)), None)
        if features is None:
            return
        word, form = (column.key for column in self.columns if column is not features)
        readings = [
            {"data.text_column": f"{word},{features.key}", "data.label_column": form},
            {"data.text_column": form, "data.label_column": word},
        ]
        what = f"words, forms and their features ({_sample(features)}); which is to be written?"
        raise AmbiguousDataError(f"{self.name}: {what}", readings)

    def _ask_for_numbers(
        self, source: ColumnSample, number: ColumnSample, texts: Sequence[ColumnSample]
    ) -> None:
        """Ask where a number may be answered, or a text that is about as long as that which is read."""
        alike = [text for text in texts if text.kind == "text" and 3 * text.words >= source.words]
        if source.kind == "text" and source.words > 1 and alike:
            self._ask(source, [number, alike[0]])

    def _pair(self) -> ColumnSample | None:
        """Return the texts of two columns as one, where an answer is about both."""
        texts = self.of_kind("text", "label")  # the same sentence may be compared with many
        pairs = [pair for pair in pairwise(texts) if are_a_pair(pair[0].title, pair[1].title)]
        found = next((pair for pair in pairs if any(map(_is_text, pair))), ())
        others = [column for column in self.columns if column not in found]
        if not found or not any(may_be_label(column) or _is_number(column) for column in others):
            return None
        keys = [column.key for column in found]
        rows = zip(*(column.cells for column in found), strict=True)
        cells = [joined_text(dict(zip(keys, row, strict=True)), keys) for row in rows]
        return ColumnSample(",".join(keys), "", cells, joined=keys)

    def _ask(self, source: ColumnSample, found: Sequence[ColumnSample]) -> None:
        shown = ", ".join(f"{quoted(column.key)} ({_sample(column)})" for column in found[:6])
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
    return column.kind == "text" and not is_label_named(column)


def _longest_text(columns: Sequence[ColumnSample]) -> ColumnSample | None:
    """Return the column of texts that has more than twice as many words as any other."""
    texts = [column for column in columns if column.kind == "text" and not column.names_files]
    ranked = sorted((column for column in texts if not is_label_named(column)), key=lambda c: -c.words)
    if len(ranked) < 2 or ranked[0].words <= 2 * ranked[1].words:
        return None
    return ranked[0]


def _are_features(column: ColumnSample) -> bool:
    """Whether the cells say what forms express, most of them several things."""
    several = sum(";" in text or "|" in text for text in column.texts)
    return 2 * several >= len(column.texts) and all(map(FEATURES.fullmatch, column.texts))


def _is_constant(column: ColumnSample) -> bool:
    return column.is_constant


def _is_number(column: ColumnSample) -> bool:
    return column.kind == "number"


def _is_text(column: ColumnSample) -> bool:
    return column.kind in {"text", "lists"}


def _sample(column: ColumnSample) -> str:
    return f"such as {column.texts[0][:30]!r}"
