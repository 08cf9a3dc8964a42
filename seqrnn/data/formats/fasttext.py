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
LABEL = re.compile(rf"(?<!\S){LABEL_PREFIX}(\S+)")
LABEL_AND_SPACE = re.compile(rf"(?<!\S){LABEL_PREFIX}\S+\s*")


class FastText(Format):
    """One example a line; every word that begins with `__label__` is a label, wherever it is."""

    extensions = (".ft",)

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether a label begins or ends most lines."""
        filled = [line for line in lines if line.strip()]
        labelled = [line for line in filled if LABEL.match(line.lstrip()) or LABEL.match(line.split()[-1])]
        return len(labelled) > len(filled) / 2

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield each line, cut into its labels and its text."""
        name = file_name(path)
        for line in open_lines(path):
            yield Record(text_without_labels(line.text), tuple(LABEL.findall(line.text)), name, line.number)


def text_without_labels(line: str) -> str:
    """Return what a model reads of a line: all of it but the labels."""
    return LABEL_AND_SPACE.sub("", line).strip()
