"""Batches that another thread makes: the same ones in the same order, and no thread that stays behind."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from seqrnn.engine.prefetch import ahead


def test_the_items_are_the_same_in_the_same_order():
    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    assert list(ahead(iter(()), 3)) == []


def test_no_more_are_made_than_asked_for():
    made = []
    items = ahead((made.append(n) or n for n in itertools.count()), 3)
    assert next(items) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 3 + 1  # one taken, three waiting, one at the door
    items.close()


def test_an_error_comes_where_its_item_would_have():
    def failing():
        yield 1
        raise ValueError("no second one")

    items = ahead(failing(), 3)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(items)


def test_the_thread_ends_when_nobody_wants_more():
    before = set(threading.enumerate())
    items = ahead(itertools.count(), 2)
    assert next(items) == 0
    (thread,) = set(threading.enumerate()) - before
    items.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
