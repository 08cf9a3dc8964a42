from __future__ import annotations

import pytest

from seqrnn.cli import continuation
from seqrnn.errors import NumericError


def test_pieces_that_come_at_once_are_written_together_and_slow_ones_each(monkeypatch):
    times = iter([5.0, 5.004, 5.006, 5.2, 5.201])
    monkeypatch.setattr(continuation, "monotonic", lambda: next(times))
    assert list(continuation.gather("abcde")) == ["a", "bcd", "e"]


def test_what_was_written_before_an_error_is_kept():
    def pieces():
        yield from "abc"
        raise NumericError("nan")

    written = []
    with pytest.raises(NumericError):
        written.extend(continuation.gather(pieces()))
    assert "".join(written) == "abc"
