"""The same bytes always have the same number, and other bytes never have it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.data.text import chunk_table
from seqrnn.data.text.chunk_table import LONGEST, ChunkTable

sizes = st.sampled_from([1, 2, 6, 7, 8, 9, 15, 16, 17, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST])
alike = st.builds(
    lambda size, last: b"a" * (size - 1) + last, sizes, st.sampled_from([b"a", b"b", b"\0", b"\xff"])
)
chunks = st.lists(alike | st.binary(min_size=1, max_size=20), max_size=40)


def found_in(table: ChunkTable, some: list[bytes]) -> tuple[list[int], list[bytes]]:
    """Find chunks that are joined with nothing between them; return their numbers and those that are new."""
    ends = np.cumsum([len(chunk) for chunk in some], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends])[: len(some)]
    numbers, new = table.find(b"".join(some), starts, ends)
    return numbers.tolist(), [some[place] for place in new]


def check(batches: list[list[bytes]]) -> None:
    table = ChunkTable()
    known: list[bytes] = []
    for batch in batches:
        numbers, new = found_in(table, batch)
        assert set(new) == set(batch) - set(known)
        known += new
        assert [known[number] for number in numbers] == batch
    assert table.spellings() == known
    assert len(table) == len(known) == len(set(known))
    table.clear()
    assert found_in(table, [b"b"]) == ([0], [b"b"])


@given(batches=st.lists(chunks, max_size=4))
def test_chunks_are_told_apart(batches) -> None:
    check(batches)


@given(batches=st.lists(chunks, max_size=4))
def test_chunks_of_one_hash_are_told_apart_by_their_bytes(batches) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk_table, "_mix", lambda hashes, words, factor: np.zeros_like(hashes))
        check(batches)


@given(batches=st.lists(chunks, max_size=4), bits=st.sampled_from([0, 1 << 63]))
def test_chunks_of_one_slot_find_others(batches, bits) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk_table.os, "urandom", lambda size: bits.to_bytes(size))  # noqa: PLW0108
        patch.setattr(chunk_table, "SMALLEST", 4)
        check(batches)


def test_a_table_grows() -> None:
    words = [b"%d" % number for number in range(20_000)] + [
        b"a long word %d" % number for number in range(20_000)
    ]
    check([words[:7], words, words[::-1]])
