"""Percentiles and histograms against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from seqrnn.data.distribution import PERCENTILES, distribution
from seqrnn.data.spread_sample import SpreadSample


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).integers(1, 80, 1000),
        np.random.default_rng(2).integers(5, 8, 50),
        np.random.default_rng(3).normal(0.0, 3e-4, 500),
        np.random.default_rng(4).lognormal(8, 2, 5000),
        np.array([7]),
        np.array([0.0, 0.0]),
        np.array([-3, 0, 5]),
    ],
    ids=["many", "few", "small", "skewed", "one", "constant", "negative"],
)
def test_every_value_is_in_one_bin_and_percentiles_are_values(values):
    found = distribution(values)
    assert (found.count, found.mean) == (len(values), pytest.approx(values.mean()))
    assert (found.least, found.largest) == (values.min(), values.max())
    wanted = [np.percentile(values, share, method="inverted_cdf") for share in PERCENTILES]
    assert list(found.percentiles.values()) == wanted
    assert sum(each.number for each in found.histogram) == len(values)
    whole = np.issubdtype(values.dtype, np.integer)
    for low, high, number in found.histogram[:-1]:
        inside = (values >= low) & ((values <= high) if whole else (values < high))
        assert number == inside.sum()
    assert 1 <= len(found.histogram) <= 26
    assert distribution(values[:0]) is None


def test_a_sample_is_spread_evenly_and_stays_small():
    sample: SpreadSample[int] = SpreadSample(100)
    for number in range(1000):
        sample.add(number, 3)
    assert not sample.is_all
    assert sample.items == list(range(0, 1000, sample.items[1]))
    assert 15 <= len(sample.items) <= 33
    few: SpreadSample[str] = SpreadSample(5)
    few.add("larger than the room", 20)
    assert (few.items, few.is_all) == (["larger than the room"], True)
