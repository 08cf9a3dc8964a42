"""Which examples, or which stretch of a text, go together into one batch.

Shapes: B rows, T time. All of it is array operations: no Python object an example.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct, field

from seqrnn.config import DataConfig, TrainingConfig
from seqrnn.data.dataset.columns import Column
from seqrnn.data.text.tokenizer import BOS, EOS

WINDOW = 1 << 21  # examples that are sorted by length together
RUN = 1 << 12  # of them lie one after the other
MAX_PADDING = 16  # times the longest example, to which examples are padded at most


class Batch(Struct, frozen=True):
    """The arrays of one batch, padded to one length, and what is needed to weigh it."""

    arrays: dict[str, np.ndarray]
    targets: int  # what the loss is a mean over: target tokens or labels
    tokens: int  # positions that carry input
    positions: int  # positions that are computed, padding included
    rows: np.ndarray | None = None  # (B,) index of each example in its data set
    starts: bool = True  # the state carried from the batch before ends here

    @property
    def examples(self) -> np.ndarray:
        """Which examples of its data set it holds, (B,); parts of a text are none."""
        assert self.rows is not None
        return self.rows

    @property
    def is_empty(self) -> bool:
        """Whether it has no row: a worker's share of a batch with fewer rows than there are workers."""
        return not len(next(iter(self.arrays.values())))


class Shard(Struct, frozen=True):
    """The share that one of `count` workers has in each batch: all of it where there is one worker."""

    index: int = 0
    count: int = 1

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return every `count`-th of the rows (B,) of a batch: as long ones for each worker, or none."""
        return rows[self.index :: self.count]

    def of_streams(self, streams: int) -> slice:
        """Return which of a text's streams are this worker's: neighbours, and equally many but for one."""
        each, spare = divmod(streams, self.count)
        start = self.index * each + min(self.index, spare)
        return slice(start, start + each + (self.index < spare))


class BatchLimits(Struct, frozen=True):
    """How large a batch may grow: rows, and positions with the padding."""

    rows: int
    positions: int


class BatchOrder(Struct, frozen=True):
    """One pass over a data set: `epoch` seeds its order; without one it runs in order."""

    seed: int = 0
    epoch: int | None = None
    streams: int = 1  # parts of a text that are read side by side
    limits: BatchLimits | None = None  # of its batches, where they are not those of training
    shard: Shard = Shard()  # of each batch

    @property
    def shuffled(self) -> bool:
        """Whether the order is random."""
        return self.epoch is not None

    def generator(self) -> np.random.Generator:
        """Return the generator of this pass: the same for the same seed and epoch."""
        return np.random.default_rng([self.seed, 0 if self.epoch is None else self.epoch + 1])


def limits_of(order: BatchOrder, training: TrainingConfig) -> BatchLimits:
    """Return how large the batches of a pass may grow: as it says itself, or as in training."""
    return order.limits or BatchLimits(training.batch_size, training.batch_tokens)


class Lengths(Struct, frozen=True):
    """The lengths of N examples, which `of` tells of some: (B,), or (B, 2) where they have two sides."""

    count: int
    of: Callable[[np.ndarray], np.ndarray]


def batch_rows(lengths: Lengths, limits: BatchLimits, order: BatchOrder) -> Iterator[np.ndarray]:
    """Cut examples into batches of row numbers.

    Examples of the same or nearly the same length go together, so that there is next to no padding,
    the longest (first side) of a batch first; the order within a length and the order of the
    batches are random where `order` is shuffled. Of each batch they are the rows of the order's `shard`.

    Of more than `WINDOW` examples as many are sorted at a time, so that memory does not grow with them. They
    are runs of `RUN` examples from anywhere in the data, the same in every pass: each has as many batches.
    """
    generator = order.generator() if order.shuffled else None
    windows = _windows(lengths.count, order.shuffled)
    if generator is not None and len(windows) > 1:
        windows = [windows[number] for number in generator.permutation(len(windows))]
    for runs in windows:
        rows = (runs[:, None] * RUN + np.arange(RUN)).ravel()
        rows = rows[rows < lengths.count]
        for batch in _batches(lengths.of(rows), limits, generator):
            yield rows[order.shard.of_rows(batch)]


def _windows(count: int, shuffled: bool) -> list[np.ndarray]:
    """Divide so many examples into windows: the numbers of their runs, ascending."""
    runs = np.arange(-(-count // RUN))
    if shuffled and count > WINDOW:
        runs = np.random.default_rng(count).permutation(runs)  # rows may be sorted by anything
    return [np.sort(part) for part in np.array_split(runs, max(1, -(-count // WINDOW)))]


def _batches(
    lengths: np.ndarray, limits: BatchLimits, generator: np.random.Generator | None
) -> Iterator[np.ndarray]:
    """Cut examples of `lengths` (n,) or (n, 2) into batches, in random order if there is a `generator`."""
    tie = np.arange(len(lengths))
    if generator is not None:
        tie = generator.permutation(tie)
    sides = lengths if lengths.ndim == 2 else lengths[:, None]
    first, last = sides[:, 0], sides[:, -1]
    # A second side goes up and down in turn, so that it does not jump where the first one grows.
    ranked = np.lexsort((tie, np.where(first % 2, -last, last), first))  # shortest first
    starts = _cut(sides[ranked], limits)
    if generator is not None:
        starts = generator.permutation(starts)
    for start, stop in starts:
        yield ranked[start:stop][::-1]


def _cut(ascending: np.ndarray, limits: BatchLimits) -> np.ndarray:
    """Cut sorted lengths (N, sides) into spans (M, 2) within both limits, each of at least one row."""
    spans = []
    start = 0
    while start < len(ascending):
        stop = min(start + limits.rows, len(ascending))
        widths = np.maximum(np.maximum.accumulate(ascending[start:stop], axis=0).sum(axis=1), 1)
        sizes = widths * np.arange(1, stop - start + 1)
        fitting = int(np.searchsorted(sizes, limits.positions, side="right"))
        spans.append((start, start + max(fitting, 1)))
        start = spans[-1][1]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def fixed_width(data: DataConfig, column: Column) -> int | None:
    """Return to how many steps all examples are padded, or None where each batch has a width of its own.

    That is `max_tokens`, unless the longest example is not nearly as long: padding costs what tokens cost,
    and a configuration must not ask for more than the data give reason for.
    """
    if data.lengths != "blank" or data.max_tokens is None:
        return None
    return min(data.max_tokens, MAX_PADDING * max(column.longest, 1))


def teacher_forcing_pair(column: Column, rows: np.ndarray, width: int | None = None) -> dict[str, np.ndarray]:
    """Put <bos> before and <eos> after the examples `rows` (B,), as teacher forcing reads and expects them.

    Returns `inputs` and `targets` (B, T), padded with <blank> to `width` or the longest, and their
    `lengths` (B,).
    """
    lengths = column.lengths_of(rows) + 1
    targets = column.gather(rows, width or int(lengths.max(initial=1)))
    inputs = np.concatenate([np.full((len(rows), 1), BOS), targets[:, :-1]], axis=1)
    targets[np.arange(len(rows)), lengths - 1] = EOS
    return {"inputs": inputs, "targets": targets, "lengths": lengths}


class StreamBatches(Struct, frozen=True):
    """A text as `streams` long rows, cut into segments for truncated back-propagation through time.

    A worker reads those of its shard.

    Each row starts with <bos>, so that every token of the text is a target and <bos> comes to mean
    "anywhere in the text". Tokens that do not fill a last column are left out of a pass; with one
    stream none is. In a shuffled pass the state begins anew after `restart_every` segments, if that is not 0.
    """

    values: np.ndarray  # (N,) token ids
    segment_length: int
    order: BatchOrder = field(default_factory=BatchOrder)
    restart_every: int = 0

    def __len__(self) -> int:
        """Count the segments of a pass."""
        return math.ceil(self._columns() / self.segment_length)

    def _columns(self) -> int:
        return len(self.values) // min(self.order.streams, max(len(self.values), 1))

    def __iter__(self) -> Iterator[Batch]:
        """Yield the segments in the order of the text."""
        columns = self._columns()
        streams = min(self.order.streams, max(len(self.values), 1))
        spare = len(self.values) - columns * streams
        skip = int(self.order.generator().integers(spare + 1)) if self.order.shuffled else 0
        text = self.values[skip : skip + columns * streams].reshape(streams, columns)
        text = text[self.order.shard.of_streams(streams)]
        restart = self.restart_every * self.segment_length if self.order.shuffled else 0
        for start in range(0, columns, self.segment_length):
            targets = text[:, start : start + self.segment_length].astype(np.int64)  # (B, T)
            before = text[:, start - 1 : start].astype(np.int64) if start else np.full((len(text), 1), BOS)
            inputs = np.concatenate([before, targets[:, :-1]], axis=1)
            lengths = np.full(len(text), targets.shape[1], dtype=np.int64)
            yield Batch(
                {"inputs": inputs, "targets": targets, "lengths": lengths},
                targets=targets.size,
                tokens=targets.size,
                positions=targets.size,
                starts=start % restart == 0 if restart else start == 0,
            )
