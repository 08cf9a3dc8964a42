"""fastText's layout: `__label__x __label__y the text`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seqrnn.data.lines import Line
from seqrnn.data.record import Record

if TYPE_CHECKING:
    from seqrnn.data.source import Source

LABEL_PREFIX = "__label__"
LABELS = re.compile(rf"(?:\s*{LABEL_PREFIX}\S+)*\s*")


def read_fasttext(name: str, lines: Iterable[Line], _source: Source) -> Iterator[Record]:
    """Yield each line with the labels that stand before its text."""
    for line in lines:
        text_start = LABELS.match(line.text).end()  # type: ignore[union-attr]  # it matches nothing, too
        labels = (word.removeprefix(LABEL_PREFIX) for word in line.text[:text_start].split())
        yield Record(line.text[text_start:], tuple(labels), name, line.number)
