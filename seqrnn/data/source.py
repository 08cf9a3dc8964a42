"""Where records come from: the files, how they are laid out, and a reader over them."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal

from seqrnn.config import DataConfig
from seqrnn.data.lines import COPIES, Errors, Line, file_name, read_chunks, read_lines
from seqrnn.data.readers.conll import read_conll, read_conllu
from seqrnn.data.readers.fasttext import read_fasttext
from seqrnn.data.readers.jsonl import read_jsonl
from seqrnn.data.readers.parallel import read_parallel
from seqrnn.data.readers.table import read_csv, read_tsv
from seqrnn.data.readers.text import read_examples, read_text
from seqrnn.data.record import Record
from seqrnn.errors import OutputError, UsageError

Reader = Callable[[str, Iterable[Line], "Source"], Iterator[Record]]

READERS: dict[str, Reader] = {
    "text": read_text,
    "lines": read_examples,
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "fasttext": read_fasttext,
    "conll": read_conll,
    "conllu": read_conllu,
}


@dataclass(frozen=True)
class Source:
    """Files that belong together, and how to read them.

    `paths` are read one after the other; in format "parallel" it is one path, and `target_path`
    the file that goes with it line by line. Format "auto" must be resolved (`sniff.guess`)
    before records can be read. The other keys are those of `DataConfig`.
    """

    paths: tuple[str, ...]
    target_path: str | None = None
    format: str = "auto"
    text_column: str | None = None
    label_column: str | None = None
    header: Literal["auto", "yes", "no"] = "auto"
    multi_label: bool = False
    label_separator: str = ","
    encoding_errors: Errors = "strict"

    @classmethod
    def training(cls, data: DataConfig) -> Source:
        """Return what `data` says to train on; raises UsageError if that is nothing, or unclear."""
        source = cls._of(data, data.train, (data.source, data.target), ("--src", "--tgt"))
        if source is None:
            raise UsageError("nothing to train on; give a file, - for stdin, or --src with --tgt")
        return source

    @classmethod
    def validation(cls, data: DataConfig) -> Source | None:
        """Return what `data` says to validate on, if it says so; raises UsageError if that is unclear."""
        pair = (data.valid_source, data.valid_target)
        return cls._of(data, data.valid, pair, ("--valid-src", "--valid-tgt"))

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
            raise UsageError(f"--format parallel needs {flags[0]} and {flags[1]}; give both")
        return cls(
            paths=paths if source is None else (source,),
            target_path=target,
            format=data.format if source is None else "parallel",
            text_column=data.text_column,
            label_column=data.label_column,
            header=data.header,
            multi_label=data.multi_label,
            label_separator=data.label_separator,
            encoding_errors=data.encoding_errors,
        )

    def split_labels(self, text: str) -> tuple[str, ...]:
        """Return the labels that stand in one column: none if it is blank, several if multi-label."""
        if not self.multi_label:
            return (text,) if text.strip() else ()
        labels = (label.strip() for label in text.split(self.label_separator))
        return tuple(label for label in labels if label)


class RecordReader:
    """The records of a source, in the same order at every pass, without blank ones.

    After a pass, `blank` is how many rows were passed over because they had no text, `replaced`
    how many bytes were not UTF-8, and `oversize` how many lines were too long to be kept (they
    are blank rows, too).
    """

    def __init__(self, source: Source) -> None:
        if source.format not in {*READERS, "parallel"}:
            raise UsageError("how the files are laid out is not known; pass --format")
        self._source = source
        self._reset()

    def _reset(self) -> None:
        self.blank = self.replaced = self.oversize = 0

    def __iter__(self) -> Iterator[Record]:
        """Start a pass; raises DataError at the first row that cannot be read."""
        self._reset()
        a_blank_line_is_data = self._source.format == "text"
        for record in self._rows():
            if a_blank_line_is_data or record.source.strip():
                yield record
            else:
                self.blank += 1

    def _rows(self) -> Iterator[Record]:
        source = self._source
        if source.target_path is not None:
            return read_parallel(source.paths[0], source.target_path, self._lines, source)
        read = READERS[source.format]
        return chain.from_iterable(read(file_name(path), self._lines(path), source) for path in source.paths)

    def _lines(self, path: str) -> Iterator[Line]:
        for line in read_lines(path, self._source.encoding_errors):
            self.replaced += line.replaced
            self.oversize += line.error is not None
            yield line


def read_records(source: Source) -> RecordReader:
    """Return the records of `source`: iterate over it, any number of times.

    Raises UsageError if the format is not resolved. stdin and FIFOs give one pass; see `spool`.
    """
    return RecordReader(source)


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
        return False  # whoever reads it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))  # a directory cannot be read at all


@cache  # a second copy would find nothing left to read
def _copy(path: str) -> str:
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
    COPIES[str(copy)] = file_name(path)
    return str(copy)
