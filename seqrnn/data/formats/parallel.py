"""Two files that go together line by line: the text in one, what shall come out in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from seqrnn.data.lines import Line, file_name
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source


def read_parallel(
    source_path: str, target_path: str, open_lines: Callable[[str], Iterator[Line]], source: Source
) -> Iterator[Record]:
    """Yield each line of the source file with the target file's line of the same number.

    Where either of the two is blank, so is the record; only a multi-label example may have a blank
    target: it bears no label. Raises DataError, with both counts, if one file is longer.
    """
    name = file_name(source_path)
    sources, targets = open_lines(source_path), open_lines(target_path)
    for number, (text, target) in enumerate(zip_longest(sources, targets), start=1):
        if text is None or target is None:
            beyond = 1 + sum(1 for _ in (targets if text is None else sources))
            counts = [number - 1 + (beyond if line else 0) for line in (text, target)]
            raise DataError(
                f"{name} has {counts[0]} lines, {file_name(target_path)} has {counts[1]}; "
                "give two files that go together line by line"
            )
        if target.text.strip() or source.multi_label:
            yield Record(text.text, source.split_labels(target.text), name, number)
        else:
            yield Record("", (), name, number)
