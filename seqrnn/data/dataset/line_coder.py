r"""Blocks of lines to the integers of one text field, with no object a line; in this process or another.

What its methods take and return is numbers, strings, bytes, tuples and lists, so that it can be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from seqrnn.data.dataset.columns import smallest_dtype
from seqrnn.data.dataset.encoding import OverLength, over_length_error
from seqrnn.data.dataset.line_blocks import LineBlock, utf8_lines
from seqrnn.data.dataset.split import RandomSplit, SourceSplit, TailSplit, TextSplit
from seqrnn.data.encodings import Errors
from seqrnn.data.limits import LONGEST, require_length
from seqrnn.data.record import Record
from seqrnn.data.text.counts import Parts
from seqrnn.data.text.encoded import EncodedTexts
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.learners import countable, token_counts
from seqrnn.data.text.tokenizer import UNK, Tokenizer, TokenizerSettings

SPLITS = {kind.__name__: kind for kind in (RandomSplit, SourceSplit, TailSplit)}


class LineJob(Struct, frozen=True):
    r"""How lines become examples: whole with their `\n` if they are `pieces` of one text, else without.

    Of lines that are examples of their own, blank ones are none. One `stream` may have
    lines of any length.
    """

    settings: TokenizerSettings
    pieces: bool
    stream: bool
    errors: Errors
    over_length: OverLength

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> LineJob:
        """Return the job that `to_json` was asked of."""
        return msgspec.json.decode(text, type=cls)


class Coded(NamedTuple):
    """Examples of one part: ids in the column's type, lengths (n,) int64, and the counts of a report."""

    ids: bytes | memoryview
    lengths: bytes | memoryview
    tokens: int
    unknown: int
    truncated: int
    skipped: int


class LineCoder:
    """Counts or encodes one block after the other; `offset` is the weight of all before for the split."""

    def __init__(self, job: LineJob) -> None:
        self._job = job
        self._countable = countable(job.settings)
        self._counts = token_counts(job.settings)
        self._tokenizer: Tokenizer | None = None
        self._split: TextSplit = RandomSplit(0.0, 0)

    def hold_out(self, name: str, values: Mapping[str, Any]) -> None:
        """Divide by the split of a class and its values from now on; nothing is held out before."""
        self._split = SPLITS[name](**values)

    def measure(self, name: str, line: int, content: bytes) -> int:
        """Return the weight of a block for the split."""
        return self._split.weight(self._examples(LineBlock(name, line, content)).texts)

    def count(self, offset: int, name: str, line: int, content: bytes) -> Parts:
        """Count the tokens that are not held out; return counts once they are too many to be kept here."""
        assert self._counts is not None
        texts = self._examples(LineBlock(name, line, content)).texts
        self._counts.add(self._countable(texts.only(~self._split.held_out(texts, offset))))
        return self._counts.take() if self._counts.is_full else []

    def rest(self) -> Parts:
        """Return the counts that are left."""
        return self._counts.take() if self._counts is not None else []

    def load(self, tokenizer: str) -> None:
        """Encode with this tokenizer from now on."""
        self._tokenizer = Tokenizer.from_json(tokenizer)

    def encode(self, offset: int, name: str, line: int, content: bytes) -> tuple[Any, ...]:
        """Return what is trained on and what is held out of a block, `Coded`, and its blank lines and bytes.

        Raises DataError where an example has more than `LONGEST` tokens, or is too long, if that is an error.
        """
        assert self._tokenizer is not None
        texts, numbers, blank, replaced = self._examples(LineBlock(name, line, content))
        encoded = self._tokenizer.encode_joined(texts, None if self._job.stream else LONGEST)
        if not self._job.stream and encoded.lengths.max(initial=0) > LONGEST:
            row = int((encoded.lengths > LONGEST).argmax())
            require_length(Record("", path=name, line=int(numbers[row])), int(encoded.lengths[row]), "token")
        if self._job.over_length == "error" and encoded.truncated.any():
            number = int(numbers[encoded.truncated.argmax()])
            raise over_length_error(f"{name}:{number}")
        held_out = self._split.held_out(texts, offset)
        train, valid = (self._coded(encoded.only(chosen)) for chosen in (~held_out, held_out))
        return tuple(train), tuple(valid), blank, replaced

    def _coded(self, encoded: EncodedTexts) -> Coded:
        assert self._tokenizer is not None
        cut = skipped = int(encoded.truncated.sum())
        if self._job.over_length == "skip":
            encoded, cut = encoded.only(~encoded.truncated), 0
        else:
            skipped = 0
        ids = encoded.ids.astype(smallest_dtype(len(self._tokenizer)), copy=False)
        unknown = int(np.count_nonzero(ids == UNK))
        return Coded(ids.data, encoded.lengths.data, len(ids), unknown, cut, skipped)

    def _examples(self, block: LineBlock) -> _Examples:
        content, replaced = utf8_lines(block, self._job.errors)
        texts = JoinedTexts(content, whole=self._job.pieces)
        numbers = np.arange(block.line + 1, block.line + 1 + len(texts))
        if self._job.pieces or not (blank := texts.blank()).any():
            return _Examples(texts, numbers, 0, replaced)
        return _Examples(texts.only(~blank), numbers[~blank], int(blank.sum()), replaced)


class _Examples(NamedTuple):
    """Texts, the numbers of their lines (n,), and how many lines were blank and bytes not UTF-8."""

    texts: JoinedTexts
    numbers: NDArray[np.int64]
    blank: int
    replaced: int
