"""Text files to the column of one field, in blocks of lines that several processes code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from seqrnn.data.dataset.coders import Coders, coders
from seqrnn.data.dataset.columns import ColumnWriter
from seqrnn.data.dataset.encoding import OverLength
from seqrnn.data.dataset.line_blocks import LineBlock, read_blocks
from seqrnn.data.dataset.line_coder import Coded, LineCoder, LineJob
from seqrnn.data.dataset.preparation_report import PartReport
from seqrnn.data.dataset.processes import processes_for
from seqrnn.data.dataset.split import SourceSplit, TailSplit, TextSplit
from seqrnn.data.fields.field import Field, TextField
from seqrnn.data.formats.registry import format_named
from seqrnn.data.source import Source
from seqrnn.data.text.learners import most_frequent, token_counts
from seqrnn.data.text.tokenizer import Tokenizer

BLOCK = 1 << 20  # bytes; the words of one take ten times as much memory


@dataclass(frozen=True)
class LineSource:
    """A source whose lines are the examples, or the pieces, of one text field."""

    source: Source
    field: TextField
    over_length: OverLength
    taken: Callable[[int], None]  # is told the bytes of each read

    @classmethod
    def of(
        cls,
        source: Source,
        fields: Sequence[Field],
        over_length: OverLength,
        taken: Callable[[int], None] = lambda _: None,
    ) -> LineSource | None:
        """Return the source if it is such a one."""
        if not format_named(source.format).line_is_source or len(fields) != 1:
            return None
        (field,) = fields
        if isinstance(field, TextField) and field.reads_source:
            return cls(source, field, over_length, taken)
        return None

    @property
    def counts(self) -> bool:
        """Whether the vocabulary is learned by counting."""
        return token_counts(self.field.settings) is not None

    def coders(self, threads: int | None) -> Coders:
        """Start coders: one a core, or `threads`, unless they are not worth it."""
        return coders(self._job, processes_for(self.source, threads))

    @property
    def _job(self) -> LineJob:
        pieces = format_named(self.source.format).is_one_text
        errors, stream = self.source.encoding_errors, self.field.stream
        return LineJob(self.field.settings, pieces, stream, errors, self.over_length)

    def blocks(self) -> Iterator[LineBlock]:
        """Yield all lines."""
        source = self.source
        for path in source.paths:
            yield from read_blocks(path, source.encoding_errors, BLOCK, source.encoding, self.taken)

    def hold_out(self, working: Coders, split: TextSplit) -> BlockOffsets:
        """Let coders divide by a split, of which a TailSplit need not know the characters."""
        if not split.fraction:
            return BlockOffsets(None)
        working.all("hold_out", type(split).__name__, asdict(split))
        if isinstance(split, SourceSplit):
            return BlockOffsets(None)
        here = LineCoder(self._job)  # as fast as handing it on would be
        here.hold_out(type(split).__name__, asdict(split))
        weights = [here.measure(*block) for block in self.blocks()]
        if isinstance(split, TailSplit):
            split = replace(split, characters=sum(weights))
            working.all("hold_out", type(split).__name__, asdict(split))
        return BlockOffsets(weights)

    def learn(self, working: Coders, offsets: BlockOffsets, directory: Path) -> None:
        """Learn the tokens of what is not held out; needs room for different words in `directory`."""
        counts = token_counts(self.field.settings, directory)
        assert counts is not None
        for parts in working.each("count", self._calls(offsets)):
            if parts:
                counts.merge(parts)
        for parts in working.all("rest"):
            counts.merge(parts)
        self.field.tokenizer = Tokenizer(self.field.settings, most_frequent(counts, self.field.settings), [])

    def encode(self, working: Coders, offsets: BlockOffsets, parts: Sequence[LinePart]) -> tuple[int, int]:
        """Write what is trained on to the first of the parts, what is held out to the second.

        Returns how many lines were blank, and how many bytes were not UTF-8.
        """
        working.all("load", self.field.to_json())
        blank = replaced = 0
        for *coded, empty, wrong in working.each("encode", self._calls(offsets)):
            for part, examples in zip(parts, coded, strict=False):
                part.add(Coded(*examples))
            blank, replaced = blank + empty, replaced + wrong
        return blank, replaced

    def _calls(self, offsets: BlockOffsets) -> Iterator[tuple[Any, ...]]:
        return ((offset, *block) for offset, block in zip(offsets.each(), self.blocks(), strict=False))


@dataclass(frozen=True)
class BlockOffsets:
    """Where each block begins for the split, by the weights of all; None where that does not matter."""

    weights: list[int] | None

    def each(self) -> Iterator[int]:
        """Yield the offset of each block."""
        return repeat(0) if self.weights is None else accumulate(self.weights, initial=0)


class LinePart:
    """Writes the column of one part; complete when the `with` block has been left."""

    def __init__(self, directory: Path, field: TextField) -> None:
        directory.mkdir(exist_ok=True)
        self.report = PartReport()
        self._dtype = field.dtype
        self._column = ColumnWriter(directory / field.name, field.dtype)

    def add(self, coded: Coded) -> None:
        """Write some examples."""
        lengths = np.frombuffer(coded.lengths, dtype=np.int64)
        self._column.append_flat(np.frombuffer(coded.ids, dtype=self._dtype), lengths)
        self.report.examples += len(lengths)
        self.report.tokens += coded.tokens
        self.report.unknown += coded.unknown
        self.report.truncated += coded.truncated
        self.report.skipped += coded.skipped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._column.close()
