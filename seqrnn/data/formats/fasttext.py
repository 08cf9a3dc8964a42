"""fastText's layout: words and, anywhere among them, labels `__label__x`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from seqrnn.data.formats.format import Format, OpenLines
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source

LABEL_PREFIX = "__label__"
_label = re.compile(rf"(?<!\S){LABEL_PREFIX}(\S+)\s*")


class FastText(Format):
    """One example a line; every word that begins with `__label__` is a label, wherever it is."""

    extensions = (".ft",)
    targets_are_classes = True

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether most lines begin or end with a label."""
        filled = [line.split() for line in lines if line.strip()]
        labelled = [words for words in filled if labels_in(words[0]) or labels_in(words[-1])]
        return len(labelled) > len(filled) / 2

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield each line with its labels, which are no part of its text."""
        name = file_name(path)
        for line in open_lines(path):
            yield Record(without_labels(line.text), labels_in(line.text), name, line.number)


def labels_in(text: str) -> tuple[str, ...]:
    """Return the labels of a line, without their prefix."""
    return tuple(_label.findall(text))


def without_labels(text: str) -> str:
    """Return what a model reads of a line: all but its labels."""
    return _label.sub("", text).strip() if LABEL_PREFIX in text else text
