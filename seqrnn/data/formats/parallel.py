"""Two files that go together line by line: the source in one, the target in the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from seqrnn.data.formats.format import Format, OpenLines
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record
from seqrnn.errors import DataError

if TYPE_CHECKING:
    from seqrnn.data.source import Source


class Parallel(Format):
    """Two files: the source side is the file that is read, `source.target_path` the other."""

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:
        """Yield each line of the source file with the target file's line of the same number.

        Where either of the two is blank, so is the record; only a multi-label example may have a blank
        target: it bears no label. Raises DataError, with both counts, if one file is longer.
        """
        assert source.target_path is not None
        name = file_name(path)
        sources, targets = open_lines(path), open_lines(source.target_path)
        for number, (text, target) in enumerate(zip_longest(sources, targets), start=1):
            if text is None or target is None:
                beyond = 1 + sum(1 for _ in (targets if text is None else sources))
                counts = [number - 1 + (beyond if line else 0) for line in (text, target)]
                raise DataError(
                    f"{name} has {counts[0]} lines, {file_name(source.target_path)} has {counts[1]}; "
                    "give two files that go together line by line"
                )
            if target.text.strip() or source.multi_label:
                yield Record(text.text, source.split_labels(target.text), name, number)
            else:
                yield Record("", (), name, number)
