"""Where records come from: the files, and how they are laid out."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from seqrnn.config import DataConfig
from seqrnn.data.encodings import Errors
from seqrnn.data.formats.column_names import columns_in
from seqrnn.data.lines import CopiedPath, Line, file_name, read_chunks, read_lines
from seqrnn.data.several_files import files_named
from seqrnn.errors import OutputError, UsageError

_quoted = re.compile(r'"([^"\\]*)"|\'([^\'\\]*)\'')


@dataclass(frozen=True)
class Source:
    """Files that belong together, and how to read them.

    The files of a configuration may be patterns and directories of shards; see `files_named`.
    `paths` are read one after the other; in format "parallel" it is one path, and `target_path`
    the file that goes with it line by line. Format "auto" must be resolved (`inference.infer`)
    before records can be read. `kind` is the kind of input, as `source_kind` and the other
    keys of `DataConfig` say.
    """

    paths: tuple[str, ...]
    target_path: str | None = None
    format: str = "auto"
    delimiter: str = "auto"
    text_column: str | None = None
    label_column: str | None = None
    series_column: str | None = None
    time_column: str | None = None
    date_order: Literal["auto", "day-first", "month-first"] = "auto"
    decimal_mark: Literal["auto", "point", "comma"] = "auto"
    sentence_column: str | None = None
    feature_columns: tuple[str, ...] = ()
    header: Literal["auto", "yes", "no", "named"] = "auto"  # named: only where all names are usual ones
    text_in: Literal["auto", "cells", "files"] = "auto"
    multi_label: bool = False
    label_separator: str = ","
    encoding: str = "auto"
    encoding_errors: Errors = "strict"
    kind: str = "auto"

    @property
    def files(self) -> tuple[str, ...]:
        """All paths."""
        return self.paths if self.target_path is None else (*self.paths, self.target_path)

    @classmethod
    def training(cls, data: DataConfig) -> Source:
        """Return what `data` says to train on; raises UsageError if that is nothing, or unclear."""
        source = cls._of(data, data.train, (data.source, data.target), ("`data.source`", "`data.target`"))
        if source is None:
            raise UsageError(
                "nothing to train on; give a file, - for stdin, or `data.source` with `data.target`"
            )
        return source

    @classmethod
    def validation(cls, data: DataConfig) -> Source | None:
        """Return what `data` says to validate on, if it says so; raises UsageError if that is unclear."""
        pair = (data.valid_source, data.valid_target)
        return cls._of(data, data.valid, pair, ("`data.valid_source`", "`data.valid_target`"))

    @classmethod
    def test(cls, data: DataConfig) -> Source | None:
        """Return what `data` says to test on, if it says so; raises UsageError if that is unclear."""
        pair = (data.test_source, data.test_target)
        return cls._of(data, data.test, pair, ("`data.test_source`", "`data.test_target`"))

    @classmethod
    def _of(
        cls,
        data: DataConfig,
        paths: tuple[str, ...],
        pair: tuple[str | None, str | None],
        flags: tuple[str, str],
    ) -> Source | None:
        source, target = pair
        if (source is None) != (target is None):
            raise UsageError(f"{flags[0]} and {flags[1]} go together; give both")
        if source is not None and paths:
            raise UsageError(f"{paths[0]} and {flags[0]} exclude each other; give one of them")
        if source is None and not paths:
            return None
        if source is None and data.format == "parallel":
            raise UsageError(f"`data.format=parallel` needs {flags[0]} and {flags[1]}; give both")
        return cls(
            paths=files_named(paths) if source is None else (source,),
            target_path=target,
            format=data.format if source is None else "parallel",
            delimiter=data.delimiter,
            text_column=data.text_column,
            label_column=data.label_column,
            series_column=data.series_column,
            time_column=data.time_column,
            date_order=data.date_order,
            decimal_mark=data.decimal_mark,
            sentence_column=data.sentence_column,
            feature_columns=data.feature_columns,
            header=data.header,
            text_in=data.text_in,
            multi_label=data.multi_label,
            label_separator=data.label_separator,
            encoding=data.encoding,
            encoding_errors=data.encoding_errors,
            kind=data.source_kind,
        )

    def lines(self, path: str, taken: Callable[[int], None] = lambda _: None) -> Iterator[Line]:
        """Yield the lines of one of the files; see `read_lines`."""
        return read_lines(path, self.encoding_errors, self.encoding, taken)

    def as_trained(self) -> Source:
        """Return how another file of the same kind is read.

        One that was without a header may have one, and one that named files may hold the texts.
        """
        header = "named" if self.header == "no" else self.header
        return replace(self, header=header, text_in="cells" if self.text_in == "cells" else "auto")

    def label_columns(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the label columns that the user chose: one of `names`, or several apart by commas."""
        return columns_in(self.label_column, names or ())

    def text_columns(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the columns to read that the user chose, in the same way."""
        return columns_in(self.text_column, names or ())

    def split_labels(self, text: str) -> tuple[str, ...]:
        """Return the labels in one column: none if it is blank, several if multi-label."""
        if not self.multi_label:
            return (text,) if text.strip() else ()
        labels = labels_in_list(text)
        found = text.split(self.label_separator) if labels is None else labels
        return tuple(label.strip() for label in found if label.strip())


def labels_in_list(text: str) -> list[str] | None:
    """Return the labels of a cell that is a list of strings, as JSON or Python writes it, or None."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) or _quoted.sub("", text).strip("[], "):
        return None
    return [double or single for double, single in _quoted.findall(text)]


def spool(source: Source) -> Source:
    """Return `source` with stdin and FIFOs replaced by temporary copies, which can be read again.

    The copies go by the originals' names in messages and are removed when the process ends; every
    call gives the same ones. Raises OutputError where they cannot be written.
    """
    originals = dict.fromkeys((*source.paths, *filter(None, (source.target_path,))))
    copies = {path: _copy(path) if _is_read_once(path) else path for path in originals}
    return replace(
        source,
        paths=tuple(copies[path] for path in source.paths),
        target_path=source.target_path and copies[source.target_path],
    )


def _is_read_once(path: str) -> bool:
    if path == "-":
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False  # reading it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))  # a directory cannot be read at all


@cache  # a second copy would find nothing left to read
def _copy(path: str) -> CopiedPath:
    try:
        directory = tempfile.mkdtemp(prefix="seqrnn-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        copy = Path(directory, os.path.basename(file_name(path)))
        with copy.open("wb") as file:
            file.writelines(read_chunks(path))
    except OSError as error:
        raise OutputError(
            f"copying {file_name(path)} to {tempfile.gettempdir()}: {error.strerror}"
        ) from error
    return CopiedPath(str(copy), file_name(path))
