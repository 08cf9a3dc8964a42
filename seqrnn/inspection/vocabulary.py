"""How the number of different tokens grows, and how many tokens of held-out texts would be unknown.

Shapes: N tokens of the training part, M of the validation part, V different tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.text.tokenizer import SPECIALS, TokenizerSettings

FIRST = len(SPECIALS)  # the smallest id of a token
POINTS = 8  # of the growth
SIZES = (100, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)


@dataclass(frozen=True)
class Growth:
    """How many different tokens (`types`) the first `tokens` have."""

    tokens: int
    types: int


@dataclass(frozen=True)
class Coverage:
    """The share of the training tokens, 0 to 1, that the `size` most frequent ones make up."""

    size: int
    share: float


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of one side: of a kind (word, char, bpe ...), in the texts that were measured.

    `types` are all different ones of the training part, `kept` those that the settings leave in the
    vocabulary. `unknown` counts the tokens of the validation part that are not in it, of `held_out` tokens.
    `expected_types` is an estimate for all of the training part, by Heaps' law, where only a sample was
    measured.
    """

    kind: str
    tokens: int
    types: int
    once: int
    kept: int
    growth: list[Growth]
    coverage: list[Coverage]
    held_out: int
    unknown: int
    unknown_share: float | None
    expected_types: int | None = None


def describe_vocabulary(
    ids: NDArray[np.int32], held_out: NDArray[np.int32], settings: TokenizerSettings, growth: float
) -> Vocabulary:
    """Describe ids (N,) and (M,), by ascending rank as a vocabulary without limits numbers them.

    `settings` are those of a training, which has `growth` times as many tokens as were measured.
    """
    counts = np.bincount(ids[ids >= FIRST] - FIRST)  # (V,)
    kept = known_types(counts, settings)
    unknown = int(((held_out < FIRST) | (held_out >= FIRST + kept)).sum())
    points = _growth(ids)
    return Vocabulary(
        kind=settings.kind,
        tokens=len(ids),
        types=int((counts > 0).sum()),
        once=int((counts == 1).sum()),
        kept=kept,
        growth=points,
        coverage=_coverage(counts),
        held_out=len(held_out),
        unknown=unknown,
        unknown_share=unknown / len(held_out) if len(held_out) else None,
        expected_types=_heaps(points, growth) if growth > 1 else None,
    )


def known_types(counts: NDArray[np.int64], settings: TokenizerSettings) -> int:
    """Return how many tokens, with counts (V,) that fall, are in the vocabulary that training learns."""
    frequent = int((counts >= settings.min_count).sum())
    return max(min(frequent, settings.vocabulary_size - FIRST), 0)


def _growth(ids: NDArray[np.int32]) -> list[Growth]:
    if not len(ids):
        return []
    _, first = np.unique(ids, return_index=True)
    first.sort()
    counts = sorted({len(ids) >> shift for shift in range(POINTS)} - {0})
    return [Growth(count, int(np.searchsorted(first, count))) for count in counts]


def _coverage(counts: NDArray[np.int64]) -> list[Coverage]:
    covered = np.cumsum(np.sort(counts[counts > 0])[::-1])
    sizes = [*(size for size in SIZES if size < len(covered)), *([len(covered)] if len(covered) else [])]
    return [Coverage(size, float(covered[size - 1] / covered[-1])) for size in sizes]


def _heaps(points: list[Growth], growth: float) -> int | None:
    """Extrapolate from the last two points as types = k * tokens ^ b."""
    if len(points) < 2 or points[-2].types < 1:
        return None
    half, full = points[-2:]
    exponent = np.log(full.types / half.types) / np.log(full.tokens / half.tokens)
    return round(float(full.types * growth**exponent))
