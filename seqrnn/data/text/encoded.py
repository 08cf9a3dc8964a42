"""Texts in numbers: one text's, and those of many after one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.counts import ALL_CHARACTERS
from seqrnn.data.text.normalizing import code_points

Numbered = tuple[NDArray[np.int32], NDArray[np.int64]]
"""The ids of n texts after one another (N,), and how many each text has (n,)."""

Numbers = Callable[[Sequence[str]], Numbered]
"""From texts to their ids."""


class Encoded(NamedTuple):
    """One side of an example in numbers: whether it was cut to max_tokens, how many ids are <unk>.

    `ids` (T,) are those of tokens, or in their place the vectors (T, F) of a sequence of numbers.
    """

    ids: NDArray[Any]
    truncated: bool = False
    unknown: int = 0


class EncodedTexts(NamedTuple):
    """n texts in numbers: `ids` (N,) of all after one another, `lengths` (n,), and which were cut (n,)."""

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]

    @classmethod
    def cut(cls, ids: NDArray[np.int32], lengths: NDArray[np.int64], limit: int | None) -> EncodedTexts:
        """Make it of texts that are cut to `limit` tokens each."""
        if limit is None or lengths.max(initial=0) <= limit:
            return cls(ids, lengths, np.zeros(len(lengths), dtype=bool))
        starts = np.repeat(lengths.cumsum() - lengths, lengths)  # of the text of each id
        kept = ids[np.arange(len(ids)) - starts < limit]
        return cls(kept, np.minimum(lengths, limit), lengths > limit)

    def with_others(self, others: Mapping[int, EncodedTexts]) -> EncodedTexts:
        """Put texts in the places of empty ones, by the numbers of these in ascending order."""
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
        places = ends.tolist()
        return [
            Encoded(self.ids[start:stop], cut, count)
            for start, stop, cut, count in zip(
                places, places[1:], self.truncated.tolist(), unknown, strict=False
            )
        ]


class CharacterNumbers:
    """Looks the characters of many texts up in a table that has a place for each."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._table = np.full(ALL_CHARACTERS, unknown, dtype=np.int32)
        characters = {ord(token): number for token, number in vocabulary.items() if len(token) == 1}
        self._table[list(characters)] = list(characters.values())

    def __call__(self, texts: Sequence[str]) -> Numbered:
        """Return the id of each character, and the length of each text."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        # "clip" leaves out a check: all code points have a place.
        return self._table.take(code_points("".join(texts)), mode="clip"), lengths


class ByteNumbers:
    """Looks the bytes of many texts, as UTF-8, up in a table (256,)."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self._table = np.array([numbers[byte] for byte in range(256)], dtype=np.int32)

    def __call__(self, texts: Sequence[str]) -> Numbered:
        """Return the id of each byte, and how many each text has."""
        joined = "".join(texts)
        content = joined.encode("utf-8", "surrogatepass")
        sizes = (
            map(len, texts)
            if joined.isascii()
            else (len(text.encode("utf-8", "surrogatepass")) for text in texts)
        )
        lengths = np.fromiter(sizes, dtype=np.int64, count=len(texts))
        return self._table.take(np.frombuffer(content, dtype=np.uint8), mode="clip"), lengths
