"""Batches of examples with two sides: each example once, limits kept, next to no padding on either side."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.data.dataset.batching import BatchLimits, BatchOrder, Lengths, batch_rows

DRAW = np.random.default_rng(1)
SOURCES = DRAW.integers(3, 13, size=6000)
LENGTHS = np.stack((SOURCES, np.maximum(SOURCES + DRAW.integers(-3, 4, size=6000), 1)), axis=1)
TOLD = Lengths(len(LENGTHS), LENGTHS.__getitem__)


@pytest.mark.parametrize("order", [BatchOrder(), BatchOrder(1, 0)])
@pytest.mark.parametrize("limits", [BatchLimits(64, 10_000), BatchLimits(500, 300), BatchLimits(8, 5)])
def test_every_pair_is_in_one_batch_and_both_sides_count_towards_the_limit(order, limits):
    batches = list(batch_rows(TOLD, limits, order))
    assert sorted(np.concatenate(batches)) == list(range(len(LENGTHS)))
    for rows in batches:
        assert len(rows) <= limits.rows
        assert len(rows) == 1 or LENGTHS[rows].max(axis=0).sum() * len(rows) <= limits.positions


@pytest.mark.parametrize(("rows", "most"), [(32, 0.02), (128, 0.05)])
def test_neither_side_is_padded_much(rows, most):
    batches = list(batch_rows(TOLD, BatchLimits(rows, 10**6), BatchOrder(1, 0)))
    computed = sum(LENGTHS[batch].max(axis=0) * len(batch) for batch in batches)
    assert (1 - LENGTHS.sum(axis=0) / computed < [most, 2 * most]).all()


def test_the_longest_source_stands_first_and_epochs_mix_pairs_of_the_same_lengths():
    first, second = (list(batch_rows(TOLD, BatchLimits(64, 10**6), BatchOrder(1, epoch))) for epoch in (0, 1))
    for rows in first:
        assert (np.diff(LENGTHS[rows, 0]) <= 0).all()
    together = {frozenset(rows) for rows in first}
    assert len(together & {frozenset(rows) for rows in second}) < 3
    again = batch_rows(TOLD, BatchLimits(64, 10**6), BatchOrder(1, 0))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
