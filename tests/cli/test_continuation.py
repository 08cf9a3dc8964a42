from __future__ import annotations

from seqrnn.cli import continuation


def test_pieces_that_come_at_once_are_written_together_and_slow_ones_each(monkeypatch):
    times = iter([5.0, 5.004, 5.006, 5.2, 5.201])
    monkeypatch.setattr(continuation, "monotonic", lambda: next(times))
    assert list(continuation.gather("abcde")) == ["a", "bcd", "e"]
