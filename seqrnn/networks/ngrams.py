"""A linear model of hashed n-grams, whose scores are added to those of a recurrent one ("wide and deep").

N-grams of tokens are phrases; n-grams of characters tell of a word that is rare or unknown what it has in
common with others. Bojanowski et al. 2017 (fastText) hash both; Cheng et al. 2016 train such a linear model
together with a deep one.

Shapes: B batch, T steps, F n-grams, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqrnn.data.text.vocabulary import BLANK, BOS
from seqrnn.networks.ops import Ops, Value
from seqrnn.networks.sizes import NgramSizes


class Ngrams:
    """Scores each class by the sum of a number for each n-gram, over the root of how many there are."""

    def __init__(self, ops: Ops, sizes: NgramSizes, classes: int, dropout: float) -> None:
        """Build it; training leaves out a share `dropout` of the n-grams."""
        self._ops = ops
        self._sizes = sizes
        self._sum = ops.sum_of_rows(sizes.buckets, classes, dropout)

    def __call__(self, arrays: Mapping[str, Value]) -> Value:
        """Score `source`, tokens (B, T) of `lengths` (B,), and `code_points` (B, C), 0 at the end: (B, K)."""
        ops = self._ops
        tokens = ops.kept(arrays["source"], ops.mask(arrays["lengths"], arrays["source"]))
        found = self._buckets(tokens, self._sizes.of_tokens)
        if self._sizes.of_characters:
            found += self._buckets(arrays["code_points"], self._sizes.of_characters)
        return self._sum(ops.concat(found, axis=1))

    def _buckets(self, steps: Value, sizes: Sequence[int]) -> list[Value]:
        """Return the bucket of each n-gram of `steps` (B, T), 0 at the end: for each size (B, F).

        A mark before the first step and one after the last tell where a sequence begins and ends.
        """
        ops = self._ops
        marked = [ops.insert_axis(ops.tokens_like(mark, steps), 1) for mark in (BOS, BLANK)]
        steps = ops.concat([marked[0], steps, marked[1]], axis=1)
        return [self._of_size(size, steps) for size in sizes]

    def _of_size(self, size: int, steps: Value) -> Value:
        """Return the buckets of n-grams of one size, 0 where one would reach beyond the mark at the end."""
        ops = self._ops
        parts = ops.windows(steps, size)
        return ops.kept(ops.hashed(parts, self._sizes.buckets), ops.present(parts[max(size - 2, 0)]))
