"""Batches that are answered in several threads."""

from __future__ import annotations

import threading

import pytest

from seqrnn.answering.rows import MOST, Labeller
from seqrnn.answering.side_by_side import SideBySide
from seqrnn.data.record import Record
from seqrnn.tasks.task import Choice


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_order_whichever_is_ready_first(threads):
    ready = [threading.Event() for _ in range(9)]

    def last_first(number):
        if threads > 1 and number % threads < threads - 1 and number < 9 // threads * threads:
            assert ready[number + 1].wait(10)  # the next one runs at the same time, and ends before
        ready[number].set()
        return number

    assert list(SideBySide(threads)(last_first, iter(range(9)))) == list(range(9))


def test_no_more_are_in_flight_than_there_are_threads():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    for number in SideBySide(2)(lambda item: item, items()):
        assert len(taken) <= number + 3  # two in flight, and the one that is next


def test_one_item_alone_stays_in_the_thread_that_asks():
    assert list(SideBySide(2)(lambda _: threading.get_ident(), [0])) == [threading.get_ident()]
    others = list(SideBySide(2)(lambda _: threading.get_ident(), [0, 1]))
    assert threading.get_ident() not in others


def test_an_error_reaches_the_caller_and_what_waits_is_not_begun():
    begun = []

    def fail(item):
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        list(SideBySide(2)(fail, range(50)))
    assert len(begun) <= 3


def test_rows_of_many_batches_have_the_same_answers_as_one_after_the_other(train, opened):
    _, path = train("tsv")
    task, backend = opened(path, "numpy")
    texts = ["red cat " * (1 + number % 7) + "dog" * (number % 3) for number in range(MOST * 5)]
    records, choice = [Record(text) for text in texts], Choice()
    alone = Labeller(task, backend).answer(records, choice)
    assert Labeller(task, backend, SideBySide(2)).answer(records, choice) == alone
