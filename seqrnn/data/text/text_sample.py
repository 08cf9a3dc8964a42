"""The first rows of data, from which it is told what a token is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice

from seqrnn.data.fields.field import Side
from seqrnn.data.formats.folder_listing import files_of
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import GZIP_MAGIC
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.data.text.tokens import join_tokens
from seqrnn.errors import DataError

SAMPLE_ROWS = 20_000
SAMPLE_CHARACTERS = 4 << 20  # of sources and targets together
LISTED = 10  # rows that tell whether all are lists of tokens


@dataclass(frozen=True)
class TextSample:
    """The first rows of the data, and how many times as much text there is."""

    records: list[Record] = field(default_factory=list)
    growth: float = 1.0

    @property
    def texts(self) -> dict[Side, list[str]]:
        """The input, and the first right answer of each row that has one."""
        return {
            "source": [record.source for record in self.records],
            "target": [record.targets[0] for record in self.records if record.targets],
        }

    @property
    def has_token_lists(self) -> bool:
        """Whether the sources are lists of tokens, as JSON can hold them."""
        return bool(self.records) and all(map(_is_token_list, islice(self.records, LISTED)))


def take_sample(source: Source) -> TextSample:
    """Read the first rows of files that can be read again; a row that is malformed ends them."""
    records: list[Record] = []
    characters = 0
    try:
        for record in read_records(source):
            records.append(record)
            characters += len(record.source) + sum(map(len, record.targets[:1]))
            if len(records) >= SAMPLE_ROWS or characters >= SAMPLE_CHARACTERS:
                return TextSample(records, max(_size_of(source) / max(_bytes_of(records), 1), 1.0))
    except DataError:
        pass  # reading all rows will say so
    return TextSample(records)


def _is_token_list(record: Record) -> bool:
    return any(
        isinstance(value, list)
        and all(isinstance(item, str) for item in value)
        and join_tokens(value) == record.source
        for value in record.fields.values()
    )


def _size_of(source: Source) -> int:
    """Return the bytes of the files, unpacked."""
    paths = (*source.paths, source.target_path)
    return sum(_unpacked_size(file) for path in filter(None, paths) for file in files_of(path, source.kind))


def _unpacked_size(path: str) -> int:
    with open(path, "rb") as file:
        if file.read(2) != GZIP_MAGIC:
            return os.path.getsize(path)
        file.seek(-4, os.SEEK_END)  # which tell it, but for larger files
        return int.from_bytes(file.read(4), "little")


def _bytes_of(records: list[Record]) -> int:
    """Return about how many bytes of the files the records are made of."""
    return sum(len(text.encode()) + 1 for record in records for text in (record.source, *record.targets))
