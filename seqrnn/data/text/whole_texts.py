"""Texts that are one token each, such as labels: without the white space around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.joined_texts import JoinedTexts

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""As the `tokenizers` library knows it; Python's has four control characters more."""


class WholeTextTally:
    """Counts whole texts, unless nothing is in them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, texts: JoinedTexts) -> None:
        """Count some texts."""
        self._counts.update(filter(None, _bare(texts)))

    def take(self) -> Counter[str]:
        """Return the counts, and count from nothing."""
        counts, self._counts = self._counts, Counter()
        return counts


class WholeTextNumbers:
    """Looks whole texts up in a vocabulary."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._vocabulary = vocabulary
        self._unknown = unknown

    def __call__(self, texts: JoinedTexts) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids of all texts (N,), and 1 for each text (n,), or 0 where nothing is in it."""
        bare = list(_bare(texts))
        lengths = np.fromiter(map(bool, bare), dtype=np.int64, count=len(bare))
        found = map(self._vocabulary.get, filter(None, bare), repeat(self._unknown))
        return np.fromiter(found, dtype=np.int32), lengths


def _bare(texts: JoinedTexts) -> Iterator[str]:
    return (text.strip(WHITE_SPACE) for text in texts.texts())
