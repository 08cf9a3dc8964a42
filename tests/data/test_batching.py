"""Which examples, or which stretch of a text, go together."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.data.dataset import batching
from seqrnn.data.dataset.batching import BatchLimits, BatchOrder, Lengths, StreamBatches, batch_rows
from seqrnn.data.text.tokenizer import BOS

LENGTHS = st.lists(st.integers(0, 30), max_size=60).map(lambda values: np.array(values, dtype=np.int64))
ORDERS = st.sampled_from([BatchOrder(), BatchOrder(seed=1, epoch=0), BatchOrder(seed=1, epoch=7)])


def told(lengths):
    return Lengths(len(lengths), lengths.__getitem__)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 80), ORDERS)
def test_every_example_is_in_one_batch_and_no_batch_is_too_large(lengths, rows, positions, order):
    batches = list(batch_rows(told(lengths), BatchLimits(rows, positions), order))
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= rows
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= positions
        assert (np.diff(lengths[batch]) <= 0).all()  # the longest first


def lists(batches):
    return [batch.tolist() for batch in batches]


RANDOM_LENGTHS = np.random.default_rng(3).integers(1, 20, 200)
LIMITS = BatchLimits(8, 10_000)


def test_an_order_depends_on_the_seed_and_the_epoch_alone():
    def order(seed, epoch):
        return lists(batch_rows(told(RANDOM_LENGTHS), LIMITS, BatchOrder(seed, epoch)))

    assert order(1, 4) == order(1, 4)
    assert order(1, 4) != order(1, 5)
    assert order(1, 4) != order(2, 4)
    assert {tuple(sorted(batch)) for batch in order(1, 4)} != {tuple(sorted(batch)) for batch in order(1, 5)}


def test_without_an_epoch_the_shortest_come_first():
    longest = [
        RANDOM_LENGTHS[batch].max() for batch in batch_rows(told(RANDOM_LENGTHS), LIMITS, BatchOrder())
    ]
    assert longest == sorted(longest)
    shuffled = [RANDOM_LENGTHS[b].max() for b in batch_rows(told(RANDOM_LENGTHS), LIMITS, BatchOrder(1, 0))]
    assert shuffled != sorted(shuffled)


def test_a_batch_holds_next_to_no_padding():
    batches = list(batch_rows(told(RANDOM_LENGTHS), LIMITS, BatchOrder(1, 0)))
    positions = sum(len(batch) * RANDOM_LENGTHS[batch].max() for batch in batches)
    assert RANDOM_LENGTHS.sum() / positions > 0.95


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (BatchOrder(), "996bfd16f4d3b34d"),
        (BatchOrder(1, 0), "5f051ff006ad684c"),
        (BatchOrder(5, 3), "aaea9f7e7990978d"),
    ],
)
def test_the_order_of_data_that_are_sorted_as_one_never_changes(order, expected):
    batches = lists(batch_rows(told(RANDOM_LENGTHS), LIMITS, order))
    assert hashlib.sha256(repr(batches).encode()).hexdigest()[:16] == expected


@pytest.fixture
def windows(monkeypatch):
    """Examples that are sorted 64 at a time, in runs of 4."""
    monkeypatch.setattr(batching, "WINDOW", 64)
    monkeypatch.setattr(batching, "RUN", 4)


@given(LENGTHS, st.integers(1, 9), ORDERS)
def test_windows_hold_every_example_once(lengths, rows, order):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batching, "WINDOW", 8)
        patched.setattr(batching, "RUN", 2)
        batches = lists(batch_rows(told(lengths), BatchLimits(rows, 1000), order))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))


@pytest.mark.usefixtures("windows")
def test_every_pass_over_windows_has_as_many_batches_in_another_order():
    passes = [lists(batch_rows(told(RANDOM_LENGTHS), LIMITS, BatchOrder(1, epoch))) for epoch in range(5)]
    assert len({len(batches) for batches in passes}) == 1
    assert len({str(batches) for batches in passes}) == len(passes)
    near = [abs(np.diff(batch)).min() for batches in passes for batch in batches if len(batch) > 1]
    assert max(near) > 20  # from anywhere in the data


@pytest.mark.usefixtures("windows")
def test_no_more_lengths_than_those_of_a_window_are_asked_for():
    asked = []

    def of(rows):
        asked.append(len(rows))
        return RANDOM_LENGTHS[rows]

    for order in (BatchOrder(), BatchOrder(1, 0)):
        list(batch_rows(Lengths(len(RANDOM_LENGTHS), of), LIMITS, order))
    assert max(asked) <= 64


TEXTS = st.integers(1, 80).map(lambda size: np.arange(4, 4 + size, dtype=np.uint16))


@given(TEXTS, st.integers(1, 30))
def test_one_stream_reads_every_token_once_and_predicts_each_from_the_one_before(text, segment):
    batches = StreamBatches(text, segment, BatchOrder())
    inputs, targets = (
        np.concatenate([batch.arrays[name] for batch in batches], axis=1)[0] for name in ("inputs", "targets")
    )
    assert targets.tolist() == text.tolist()
    assert inputs.tolist() == [BOS, *text[:-1].tolist()]
    assert [batch.starts for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert all(batch.arrays["targets"].shape[1] == segment for batch in list(batches)[:-1])
    assert len(batches) == len(list(batches))
    assert sum(batch.targets for batch in batches) == len(text)


@given(TEXTS, st.integers(1, 9), st.integers(1, 9))
def test_streams_are_stretches_of_the_text_side_by_side(text, segment, streams):
    rows = min(streams, len(text))
    batches = list(StreamBatches(text, segment, BatchOrder(streams=streams)))
    targets = np.concatenate([batch.arrays["targets"] for batch in batches], axis=1)
    columns = len(text) // rows
    assert targets.tolist() == text[: rows * columns].reshape(rows, columns).tolist()
    assert (batches[0].arrays["inputs"][:, 0] == BOS).all()
    assert all((batch.arrays["lengths"] == batch.arrays["targets"].shape[1]).all() for batch in batches)


@pytest.mark.parametrize("streams", [1, 7])
def test_what_fills_no_column_is_left_out_at_another_place_each_epoch(streams):
    text = np.arange(4, 4 + 48)  # 7 streams of 6 leave 6 tokens over
    firsts = {
        int(next(iter(StreamBatches(text, 10, BatchOrder(1, epoch, streams)))).arrays["targets"][0, 0])
        for epoch in range(30)
    }
    assert firsts == ({4} if streams == 1 else set(range(4, 11)))


@pytest.mark.parametrize(
    ("restart_every", "begun"), [(0, [0]), (1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (9, [0])]
)
def test_a_state_begins_anew_after_some_segments_of_training(restart_every, begun):
    text, training = np.arange(50), BatchOrder(epoch=0)
    found = list(StreamBatches(text, 10, training, restart_every))
    assert [number for number, batch in enumerate(found) if batch.starts] == begun
    assert all((batch.arrays["inputs"][0, 1:] == batch.arrays["targets"][0, :-1]).all() for batch in found)
    for before, batch in itertools.pairwise(found):  # what is read is the text, state or not
        assert batch.arrays["inputs"][0, 0] == before.arrays["targets"][0, -1]
    measured = StreamBatches(text, 10, BatchOrder(), restart_every)
    assert [batch.starts for batch in measured] == [True, False, False, False, False]
