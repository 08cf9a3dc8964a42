"""fastText's layout: `__label__x __label__y the text`, or with labels anywhere in the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seqrnn.data.lines import Line
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source

LABEL_PREFIX = "__label__"
_label = re.compile(rf"(?<!\S){LABEL_PREFIX}(\S+)\s*")


def read_fasttext(name: str, lines: Iterable[Line], _source: Source) -> Iterator[Record]:
    """Yield each line with its labels, which are no part of its text."""
    for line in lines:
        yield Record(without_labels(line.text), labels_in(line.text), name, line.number)


def labels_in(text: str) -> tuple[str, ...]:
    """Return the labels of a line, without their prefix."""
    return tuple(_label.findall(text))


def without_labels(text: str) -> str:
    """Return what a model reads of a line: all but its labels."""
    return _label.sub("", text).strip() if LABEL_PREFIX in text else text
