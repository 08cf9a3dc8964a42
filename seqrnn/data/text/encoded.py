"""Texts in numbers: one text's, and those of many after one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.counts import ALL_CHARACTERS
from seqrnn.data.text.joined_texts import JoinedTexts

Numbered = tuple[NDArray[Any], NDArray[np.int64]]
"""The ids of n texts after one another (N,), integers of any size, and how many each text has (n,)."""

Numbers = Callable[[JoinedTexts], Numbered]
"""From texts to their ids."""


class Encoded(NamedTuple):
    """One side of an example in numbers: whether it was cut to max_tokens, how many ids are <unk>.

    `ids` (T,) are those of tokens, or instead of them the vectors (T, F) of a sequence of numbers.
    """

    ids: NDArray[Any]
    truncated: bool = False
    unknown: int = 0


class EncodedTexts(NamedTuple):
    """n texts in numbers: `ids` (N,) of all after one another, `lengths` (n,), and which were cut (n,)."""

    ids: NDArray[Any]
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]

    @classmethod
    def cut(cls, ids: NDArray[Any], lengths: NDArray[np.int64], limit: int | None) -> EncodedTexts:
        """Make it of texts that are cut to `limit` tokens each."""
        if limit is None or lengths.max(initial=0) <= limit:
            return cls(ids, lengths, np.zeros(len(lengths), dtype=bool))
        starts = np.repeat(lengths.cumsum() - lengths, lengths)  # of the text of each id
        kept = ids[np.arange(len(ids)) - starts < limit]
        return cls(kept, np.minimum(lengths, limit), lengths > limit)

    def with_others(self, others: Mapping[int, EncodedTexts]) -> EncodedTexts:
        """Put texts where texts are empty, by the numbers of these in ascending order."""
        ends, lengths, truncated = self.lengths.cumsum(), self.lengths.copy(), self.truncated.copy()
        parts, start = [], 0
        for row, other in others.items():
            parts += [self.ids[start : ends[row]], other.ids]
            start = ends[row]
            lengths[row], truncated[row] = len(other.ids), other.truncated.any()
        return EncodedTexts(np.concatenate([*parts, self.ids[start:]]), lengths, truncated)

    def only(self, chosen: NDArray[np.bool_]) -> EncodedTexts:
        """Return the texts that are `chosen` (n,)."""
        if chosen.all():
            return self
        ids = self.ids[np.repeat(chosen, self.lengths)]
        return EncodedTexts(ids, self.lengths[chosen], self.truncated[chosen])

    def each(self, unknown_id: int) -> list[Encoded]:
        """Return each text by itself."""
        ends = np.concatenate([[0], self.lengths.cumsum()])
        unknown = np.diff(np.concatenate([[0], (self.ids == unknown_id).cumsum()])[ends]).tolist()
        bounds = ends.tolist()
        return [
            Encoded(self.ids[start:stop], cut, count)
            for start, stop, cut, count in zip(
                bounds, bounds[1:], self.truncated.tolist(), unknown, strict=False
            )
        ]


class CharacterNumbers:
    """Looks the characters of many texts up in a table that has an entry for each."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._table = np.full(ALL_CHARACTERS, unknown, dtype=np.int32)
        characters = {ord(token): number for token, number in vocabulary.items() if len(token) == 1}
        self._table[list(characters)] = list(characters.values())
        self._of_ascii = _ByteTable(self._table[:256])

    def __call__(self, texts: JoinedTexts) -> Numbered:
        """Return the id of each character, and the length of each text."""
        if texts.is_ascii:
            return self._of_ascii(texts.bare()), texts.lengths
        # "clip" leaves out a check: all code points have an entry.
        return self._table.take(texts.code_points(), mode="clip"), texts.lengths


class ByteNumbers:
    """Looks the bytes of many texts, as UTF-8, up in a table."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self._table = _ByteTable(np.array([numbers[byte] for byte in range(256)], dtype=np.int32))

    def __call__(self, texts: JoinedTexts) -> Numbered:
        """Return the id of each byte, and how many each text has."""
        return self._table(texts.bare()), texts.sizes


class _ByteTable:
    """Looks bytes up in a table (256,), by `bytes.translate` if its numbers fit in bytes: that is faster."""

    def __init__(self, ids: NDArray[np.int32]) -> None:
        self._shift = int(ids.min()) if ids.max() > 255 else 0
        fits = int(ids.max()) - self._shift <= 255
        self._bytes = (ids - self._shift).astype(np.uint8).tobytes() if fits else None
        self._ids = ids

    def __call__(self, content: bytes) -> NDArray[Any]:
        if self._bytes is None:
            return self._ids[np.frombuffer(content, dtype=np.uint8)]
        found = np.frombuffer(content.translate(self._bytes), dtype=np.uint8)
        return np.add(found, self._shift, dtype=np.int32) if self._shift else found
