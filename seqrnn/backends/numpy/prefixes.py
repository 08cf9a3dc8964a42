"""Which steps of a batch are the same ones, so that they are computed once.

Sequences that begin alike are in the same state as far as they do. The steps of a batch are therefore the
nodes of a prefix tree: its roots are the states to begin in, and the path to a node spells the tokens read.
Three sequences `a b`, `a c` and `d` need four nodes instead of five:

    node     0      1  2  3    4
    reads    -      a  d  b    c
    parent   -      0  0  1    1
    step     root   1  1  2    2

Shapes: B batch, T time, R roots, M nodes with the roots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.weights import Array

TOO_FEW = 8  # sequences that are not worth a search for what they share
NOTHING = 0  # the root at which nothing was read: its state is zero


class Block(NamedTuple):
    """Nodes of one step that are computed together, from `start` up to `stop`."""

    start: int
    stop: int
    parents: Array | slice
    reads: Array | slice


class PrefixTree(Struct, frozen=True):
    """The nodes in the order of their steps: of each the node before, and which vector it reads."""

    node_ids: Array  # (B, T), the node of each step; NOTHING where a sequence has ended
    last: Array  # (B,), the node of each sequence's end
    parents: Array  # (M,)
    reads: Array  # (M,)
    bounds: Sequence[int]  # (T + 1,), the first node of each step, and M

    @classmethod
    def of(cls, reads: Array, lengths: Array, roots: Array) -> PrefixTree:
        """Grow the tree of sequences that read the vectors numbered `reads` (B, T), up to `lengths` (B,).

        `roots` (B,) says where each begins. Where all begin with nothing, those that begin alike share nodes.
        """
        size, steps = reads.shape
        alive = sequence_mask(lengths, steps)  # (B, T)
        order: Array | slice = slice(None)
        opens = alive
        if steps and size > TOO_FEW and not roots.any():
            order, differs = _in_alphabetical_order(np.where(alive, reads, -1))
            opens = alive[order] & differs
        flags = opens.T.ravel()  # the first sequence that comes to a node is the one that reads for it
        first = int(roots.max(initial=0)) + 1
        numbers = np.cumsum(flags).reshape(steps, size) + (first - 1)
        nodes = np.where(alive[order].T, numbers, NOTHING)  # (T, B)
        before = np.concatenate([roots[order][None], nodes[:-1]])[:steps]
        node_ids = np.empty((size, steps), dtype=np.int64)
        node_ids[order] = nodes.T
        ends = np.where(lengths > 0, node_ids[np.arange(size), lengths - 1], roots) if steps else roots
        head = np.zeros(first, dtype=np.int64)
        bounds = [first, *(opens.sum(axis=0).cumsum() + first).tolist()]
        return cls(
            node_ids,
            ends,
            np.concatenate([head, before.ravel()[flags]]),
            np.concatenate([head, reads[order].T.ravel()[flags]]),
            bounds,
        )

    @property
    def size(self) -> int:
        """Nodes with the roots: M."""
        return len(self.parents)

    def blocks(self, most: int) -> Iterator[Block]:
        """Yield the nodes in the order in which they can be computed, `most` of one step at a time."""
        parents, reads = _Runs(self.parents), _Runs(self.reads)
        for first, end in pairwise(self.bounds):
            for start in range(first, end, most):
                stop = min(start + most, end)
                yield Block(start, stop, parents.between(start, stop), reads.between(start, stop))


def _in_alphabetical_order(words: Array) -> tuple[Array, Array]:
    """Return the order of `words` (B, T), and where each is no longer like the one before.

    The second is (B, T), in that order: true from the first step at which the two differ.
    """
    order = np.lexsort(words.T[::-1])
    words = words[order]
    differs = np.ones(words.shape, dtype=np.bool_)
    np.logical_or.accumulate(words[1:] != words[:-1], axis=1, out=differs[1:])
    return order, differs


class _Runs:
    """Numbers (M,), of which those that go up by one, as they mostly do, can be had as a slice."""

    def __init__(self, numbers: Array) -> None:
        self._numbers = numbers
        self._jumps = np.cumsum(np.diff(numbers, prepend=0) != 1)  # so far

    def between(self, start: int, stop: int) -> Array | slice:
        if stop - start > 1 and self._jumps[stop - 1] != self._jumps[start]:
            return self._numbers[start:stop]
        first = self._numbers.item(start)
        return slice(first, first + stop - start)
