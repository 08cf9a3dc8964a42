"""Files that are one text each."""

from __future__ import annotations

from seqrnn.data.formats.format import OpenLines
from seqrnn.data.lines import LINE_LIMIT
from seqrnn.errors import DataError


def text_of_file(path: str, open_lines: OpenLines) -> str:
    r"""Return the whole text of the file at `path`, its lines apart by `\n`.

    Raises DataError, with the path, where it cannot be read and where it is longer than a line may be.
    """
    lines, size = [], 0
    for line in open_lines(path):
        size += len(line.text) + 1
        if size > LINE_LIMIT or line.error is not None:
            raise DataError(f"{path}: a text of over 16 MiB; break it up")
        lines.append(line.text)
    return "\n".join(lines)
