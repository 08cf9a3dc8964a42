"""The characters of a batch of sentences: each word that occurs is spelled once.

Shapes: B sentences, T tokens, N tokens of all sentences, U different words, C characters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.tokenizer import BLANK, EOS

Ids = NDArray[np.int64]


def unique_spellings(characters: Ids, lengths: Ids, width: int) -> dict[str, Ids]:
    """Return the arrays that a network over characters reads.

    `characters` (B, L) are the tokens of each sentence, <eos> after each and <blank> after the
    last, `lengths` (B,) their numbers, `width` is T. Returns `spellings` (U, C), the longest first,
    `spelling_lengths` (U,) and `spelling_index` (B, T), the number of each token's spelling.
    """
    words = _one_a_row(characters[characters != BLANK])  # (N, C)
    spellings, inverse = _unique(words)
    sizes = np.count_nonzero(spellings, axis=1)
    order = np.argsort(-sizes, kind="stable")
    rank = np.argsort(order)
    index = np.zeros((len(lengths), width), dtype=np.int64)
    index[np.arange(width) < lengths[:, None]] = rank[inverse]
    return {"spellings": spellings[order], "spelling_lengths": sizes[order], "spelling_index": index}


def _one_a_row(flat: Ids) -> Ids:
    """Cut characters after each <eos>, which is dropped: (N, C), padded with <blank>."""
    ends = np.flatnonzero(flat == EOS)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    sizes = ends - starts
    positions = np.arange(sizes.max(initial=0))
    inside = positions < sizes[:, None]
    words = np.full(inside.shape, BLANK, dtype=np.int64)
    words[inside] = flat[flat != EOS]
    return words


def _unique(words: Ids) -> tuple[Ids, Ids]:
    """Return the different rows of (N, C), and which of them each row is."""
    if not words.size:
        return words, np.zeros(0, dtype=np.int64)
    packed = words.astype(np.int32).view(f"S{4 * words.shape[1]}")[:, 0]  # compared as bytes: much faster
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    return words[first], inverse
