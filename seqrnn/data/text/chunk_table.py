"""Numbers for the chunks of many texts, found at once: the same bytes always have the same number.

Shapes: C chunks of a text, K different ones that are known.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

WORD = 8  # bytes of a word of the machine, little end first
LONGEST = 8 * WORD  # bytes of a chunk that is found by array operations
MASKS = np.array([(1 << (8 * size)) - 1 for size in range(WORD + 1)], dtype=np.uint64)
IS_HASH = np.uint64(1 << 63)  # the key of a short chunk ends with its size, which is smaller
HALF = np.uint64(32)
EMPTY = np.uint64(0)  # no chunk has this key
SMALLEST = 1 << 10  # slots
ROOM = 2  # slots a chunk, at least


class ChunkTable:
    """A hash table from the bytes of a chunk to its number, from 0 to K - 1 in the order of their coming.

    A chunk of up to seven bytes is its own key. The key of a longer one is a hash, and a chunk that is
    found by it is compared byte by byte. Those that only share a hash, and very long ones, are in a
    dictionary. The hash differs from process to process, so that no text can be made to be slow.
    """

    def __init__(self) -> None:
        self._factor = np.uint64(int.from_bytes(os.urandom(WORD)) | 1)
        self.clear()

    def clear(self) -> None:
        """Forget all chunks."""
        self._others: dict[bytes, int] = {}
        self._other_bytes = 0
        self._keys = np.zeros(SMALLEST, dtype=np.uint64)  # by slot
        self._numbers = np.zeros(SMALLEST, dtype=np.int32)  # by slot
        self._spelled = np.zeros(SMALLEST, dtype=np.uint64)  # of all chunks: the size, and the bytes as words
        self._used = 0  # of these words
        self._offsets = np.zeros(SMALLEST, dtype=np.int64)  # of them where each number begins; -1 in _others
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes that all chunks have together, about."""
        return self._used * WORD + self._other_bytes

    def spellings(self) -> list[bytes]:
        """Return the bytes of all chunks, by their numbers (K,)."""
        others = {number: spelling for spelling, number in self._others.items()}
        content = self._spelled[: self._used].astype("<u8").tobytes()
        offsets = self._offsets[: self._count]
        begins, sizes = ((offsets + 1) * WORD).tolist(), self._spelled[offsets].tolist()
        spelled = (content[begin : begin + size] for begin, size in zip(begins, sizes, strict=True))
        return [others.get(number, spelling) for number, spelling in enumerate(spelled)]

    def find(self, content: bytes, starts: Integers, ends: Integers) -> tuple[NDArray[np.int32], list[int]]:
        """Return the numbers of the chunks of `content` from `starts` to `ends`, (C,).

        Chunks that were unknown get the next numbers; also returned is which of the C they are, in the
        order of these.
        """
        chunks = _Chunks.of(content, starts, ends, self._factor)
        numbers = self._look_up(chunks)
        missing = np.flatnonzero(numbers < 0)
        if not len(missing):
            return numbers, []
        new = self._add(chunks, missing).tolist()
        numbers[missing] = self._look_up(chunks.only(missing))
        for row in missing[numbers[missing] < 0].tolist():
            spelling = content[starts[row] : ends[row]]
            if spelling not in self._others:
                self._others[spelling] = self._count
                self._other_bytes += len(spelling)
                self._append_offsets(np.array([-1]))
                new.append(row)
            numbers[row] = self._others[spelling]
        return numbers, new

    def _look_up(self, chunks: _Chunks) -> NDArray[np.int32]:
        """Return the numbers (C,), -1 for chunks that are not in the table."""
        slots, found = self._slots_of(chunks.keys)
        numbers = np.where(found, self._numbers[slots], np.int32(-1))
        for offset, (which, words) in enumerate(chunks.words):
            spelled = self._spelled.take(self._offsets[numbers[which]] + offset, mode="clip")
            numbers[which[spelled != words]] = -1
        return numbers

    def _slots_of(self, keys: Words) -> tuple[Integers, NDArray[np.bool_]]:
        """Return the slot of each key (C,), or the one where it would be, and whether it is there (C,)."""
        last = len(self._keys) - 1
        shift = np.uint64(64 - last.bit_length())
        slots = ((keys * self._factor) >> shift).astype(np.int64)
        held = self._keys[slots]
        found = held == keys
        pending = np.flatnonzero(~found & (held != EMPTY))
        while len(pending):
            slots[pending] = (slots[pending] + 1) & last
            held = self._keys[slots[pending]]
            found[pending] = same = held == keys[pending]
            pending = pending[~same & (held != EMPTY)]
        return slots, found

    def _add(self, chunks: _Chunks, missing: Integers) -> Integers:
        """Add those of the `missing` chunks whose keys are new; return where each of these is first."""
        short = missing[chunks.sizes[missing] <= LONGEST]
        keys, first = np.unique(chunks.keys[short], return_index=True)
        _, known = self._slots_of(keys)
        new = np.sort(short[first[~known]])
        numbers = np.arange(self._count, self._count + len(new), dtype=np.int32)
        self._spell(chunks.only(new))
        if len(self._keys) < ROOM * self._count:
            self._grow()
        self._insert(chunks.keys[new], numbers)
        return new

    def _spell(self, chunks: _Chunks) -> None:
        """Keep the bytes of new chunks."""
        counts = 1 + -(-chunks.sizes // WORD)
        ends = self._used + counts.cumsum()
        begins = ends - counts
        self._append_offsets(begins)
        self._used += int(counts.sum())
        self._spelled = _with_room(self._spelled, self._used)
        self._spelled[begins] = chunks.sizes
        self._spelled[begins + 1] = chunks.first
        for offset, (which, words) in enumerate(chunks.words):
            self._spelled[begins[which] + offset] = words

    def _append_offsets(self, offsets: Integers) -> None:
        before, self._count = self._count, self._count + len(offsets)
        self._offsets = _with_room(self._offsets, self._count)
        self._offsets[before : self._count] = offsets

    def _grow(self) -> None:
        full = self._keys != EMPTY
        keys, numbers = self._keys[full], self._numbers[full]
        slots = 1 << (2 * ROOM * self._count - 1).bit_length()
        self._keys, self._numbers = np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.int32)
        self._insert(keys, numbers)

    def _insert(self, keys: Words, numbers: NDArray[np.int32]) -> None:
        """Put different keys, which are not there yet, into slots."""
        while len(keys):
            slots, _ = self._slots_of(keys)
            self._keys[slots] = keys  # of several for one slot the last gets it
            placed = self._keys[slots] == keys
            self._numbers[slots[placed]] = numbers[placed]
            keys, numbers = keys[~placed], numbers[~placed]


class _Chunks:
    """The keys of C chunks, and the words that they are to be compared by.

    `words` holds pairs: which chunks (n,) have another word, and that word of each (n,). The first two
    pairs are the sizes and the first words of all chunks whose keys are hashes.
    """

    def __init__(
        self, keys: Words, sizes: Integers, first: Words, words: list[tuple[Integers, Words]]
    ) -> None:
        self.keys, self.sizes, self.first, self.words = keys, sizes, first, words

    @classmethod
    def of(cls, content: bytes, starts: Integers, ends: Integers, factor: np.uint64) -> _Chunks:
        """Take the chunks of `content` from `starts` to `ends`."""
        sizes = ends - starts
        # A word at each byte: what lies after a chunk, or the content, is masked.
        view: Any = np.ndarray((len(content),), "<u8", content + bytes(WORD), strides=(1,))
        first = view[starts] & MASKS[np.minimum(sizes, WORD)]
        keys = first | (sizes.astype(np.uint64) << np.uint64(56))
        long = np.flatnonzero(sizes >= WORD)
        words = [(long, sizes[long].astype(np.uint64)), (long, first[long])]
        hashes, which, offset = _mix(words[0][1], words[1][1], factor), long, WORD
        within = np.arange(len(long))  # of the hashes
        while len(within := within[(sizes[which] > offset)]) and offset < LONGEST:
            which = long[within]
            left = np.minimum(sizes[which] - offset, WORD)
            word = view[starts[which] + offset] & MASKS[left]
            words.append((which, word))
            hashes[within] = _mix(hashes[within], word, factor)
            offset += WORD
        keys[long] = hashes | IS_HASH
        return cls(keys, sizes, first, words)

    def only(self, index: Integers) -> _Chunks:
        """Return the chunks at an index in ascending order."""
        chosen = np.full(len(self.keys), -1)
        chosen[index] = np.arange(len(index))
        words = [(chosen[which], word) for which, word in self.words]
        kept = [(which[which >= 0], word[which >= 0]) for which, word in words]
        return _Chunks(self.keys[index], self.sizes[index], self.first[index], kept)


def _mix(hashes: Words, words: Words, factor: np.uint64) -> Words:
    mixed = (hashes ^ words) * factor
    mixed ^= mixed >> HALF
    return mixed


def _with_room(array: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the array, or a larger copy, with room for at least `size` entries."""
    if size <= len(array):
        return array
    return np.concatenate([array, np.zeros(2 * size - len(array), dtype=array.dtype)])
