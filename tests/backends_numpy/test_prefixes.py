"""What sequences begin with is computed once, and every sequence finds its own way through the tree."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.backends.numpy.prefixes import NOTHING, TOO_FEW, PrefixTree


def grow(rows, roots=None):
    lengths = np.array([len(row) for row in rows])
    reads = np.full((len(rows), max(lengths, default=0)), 99)  # what is behind an end does not matter
    for row, line in zip(rows, reads, strict=True):
        line[: len(row)] = row
    starts = np.zeros(len(rows), dtype=np.int64) if roots is None else np.array(roots)
    return PrefixTree.of(reads, lengths, starts)


def spelled(tree, node, first):
    """What is read on the way from a root to a node."""
    read = []
    while node >= first:
        read.append(int(tree.reads[node]))
        node = tree.parents[node]
    return node, read[::-1]


def some_rows(count, seed=1):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 3, size).tolist() for size in generator.integers(0, 7, count)]


@pytest.mark.parametrize("count", [1, TOO_FEW, TOO_FEW + 1, 300])
def test_every_place_spells_what_its_sequence_has_read_so_far(count):
    rows = some_rows(count)
    tree = grow(rows)
    for row, node_ids, last in zip(rows, tree.node_ids, tree.last, strict=True):
        for step, node in enumerate(node_ids):
            expected = row[: step + 1] if step < len(row) else []
            assert spelled(tree, node, 1) == (NOTHING, expected)
        assert spelled(tree, last, 1) == (NOTHING, row)


def test_many_sequences_share_all_that_they_begin_with():
    rows = some_rows(300)
    prefixes = {tuple(row[:stop]) for row in rows for stop in range(1, len(row) + 1)}
    assert grow(rows).size == 1 + len(prefixes)


def test_sequences_that_begin_in_states_of_their_own_share_nothing():
    rows = some_rows(40)
    tree = grow(rows, range(1, 41))
    assert tree.size == 41 + sum(map(len, rows))
    for number, (row, last) in enumerate(zip(rows, tree.last, strict=True), 1):
        assert spelled(tree, last, 41) == (number, row)


@pytest.mark.parametrize("most", [2, 5, 1000])
def test_blocks_are_all_nodes_once_each_after_its_parent_and_of_one_step(most):
    tree = grow(some_rows(300))
    numbers = np.arange(tree.size)
    done = 1
    for block in tree.blocks(most):
        assert block.start == done
        assert block.stop - block.start <= most
        done = block.stop
        parents = numbers[block.parents]
        assert (parents == tree.parents[block.start : block.stop]).all()
        assert (parents < block.start).all()
        reads = np.arange(int(tree.reads.max()) + 2 + tree.size)[block.reads]
        assert (reads == tree.reads[block.start : block.stop]).all()
        steps = {len(spelled(tree, node, 1)[1]) for node in range(block.start, block.stop)}
        assert len(steps) == 1
    assert done == tree.size


def test_what_stands_side_by_side_is_a_slice():
    (first, second) = grow([[4, 5]]).blocks(8)
    assert (first.parents, first.reads) == (slice(0, 1), slice(4, 5))
    assert (second.parents, second.reads) == (slice(1, 2), slice(5, 6))


@pytest.mark.parametrize("rows", [[], [[]], [[]] * 20])
def test_nothing_to_read(rows):
    tree = grow(rows)
    assert tree.size == 1
    assert tree.last.tolist() == [NOTHING] * len(rows)
    assert list(tree.blocks(4)) == []
