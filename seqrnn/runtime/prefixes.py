"""Which steps of a batch are the same ones, so that they are computed once.

Sequences that begin alike are in the same state as far as they do. The steps of a batch are therefore the
nodes of a prefix tree: its roots are the states to begin in, and the way to a node spells what was read.

Shapes: B batch, T time, R roots, M nodes with the roots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seqrnn.runtime.weights import Array

FEW = 8  # sequences that are not worth a search for what they share
NOTHING = 0  # the root at which nothing was read: its state is zero


@dataclass(frozen=True)
class Block:
    """Nodes of one step that are computed together, and where they stand."""

    start: int
    stop: int
    parents: Array | slice
    reads: Array | slice


@dataclass(frozen=True)
class PrefixTree:
    """The nodes in the order of their steps: of each the node before, and which vector it reads."""

    places: Array  # (B, T), the node of each step; NOTHING where a sequence has ended
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
        alive = running(lengths, steps)  # (B, T)
        order: Array | slice = slice(None)
        opens = alive
        if steps and size > FEW and not roots.any():
            filled = np.where(alive, reads, -1)
            order = np.lexsort(filled.T[::-1])
            filled = filled[order]
            differs = np.ones((size, steps), dtype=np.bool_)
            np.logical_or.accumulate(filled[1:] != filled[:-1], axis=1, out=differs[1:])
            opens = alive[order] & differs
        flags = opens.T.ravel()  # the first sequence that comes to a node stands for it
        first = int(roots.max(initial=0)) + 1
        numbers = np.cumsum(flags).reshape(steps, size) + (first - 1)
        nodes = np.where(alive[order].T, numbers, NOTHING)  # (T, B)
        before = np.concatenate([roots[order][None], nodes[:-1]])[:steps]
        places = np.empty((size, steps), dtype=np.int64)
        places[order] = nodes.T
        ends = np.where(lengths > 0, places[np.arange(size), lengths - 1], roots) if steps else roots
        head = np.zeros(first, dtype=np.int64)
        bounds = [first, *(opens.sum(axis=0).cumsum() + first).tolist()]
        return cls(
            places,
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
        jumps = [_jumps(numbers) for numbers in (self.parents, self.reads)]
        for first, end in zip(self.bounds, self.bounds[1:], strict=False):
            for start in range(first, end, most):
                stop = min(start + most, end)
                parents, reads = (
                    slice(numbers[start], numbers[start] + stop - start)
                    if jump[stop - 1] == jump[start]
                    else numbers[start:stop]
                    for numbers, jump in zip((self.parents, self.reads), jumps, strict=True)
                )
                yield Block(start, stop, parents, reads)


def running(lengths: Array, total: int) -> Array:
    """Say which of `total` steps each sequence of `lengths` (B,) has: a mask (B, total)."""
    return np.arange(total) < lengths[:, None]


def _jumps(numbers: Array) -> Array:
    """Count how often numbers (M,) have not gone up by one: the same where they stand side by side."""
    return np.cumsum(np.diff(numbers, prepend=0) != 1)
