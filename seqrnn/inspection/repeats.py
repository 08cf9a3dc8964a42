"""Texts that come again: exactly, or estimated from a sample of the different texts that is drawn by hashes.

As long as there are at most `MOST_HELD` different texts, all are counted. Beyond that, those are kept whose
hash ends in one zero bit, then in two, and so on (distinct sampling: Gibbons, VLDB 2001), so that what is
counted of a text is always right, and how many such texts there are is estimated without bias.

Shapes: n texts of a batch, D texts that are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.record import Record

MOST_HELD = 1 << 18  # different texts, of 72 bytes each
PENDING = 1 << 16  # texts that wait to be counted
SHOWN = 5
FILE_BITS = 40  # from which on a location has the number of a file, above that of a line

NOWHERE = np.iinfo(np.int64).max

# Of one text; locations are numbers that grow with the records. `other` is that of another answer.
_row = np.dtype(
    [("text", np.uint64), ("answer", np.uint64)]
    + [
        (name, np.int64)
        for name in ("trained", "valid", "first", "last", "trained_first", "valid_last", "other")
    ]
)
SUMS = {"trained": np.add, "valid": np.add, "last": np.maximum, "valid_last": np.maximum}
SUMS |= {"trained_first": np.minimum, "other": np.maximum}


@dataclass(frozen=True)
class Repeats:
    """How many texts there are, and how often they come again; `exact` or estimated.

    What is compared is the `text` of each row or, of large files, each whole `line`, with its answer.

    `repeated` are the records whose text an earlier one has, `leaked` those of the validation part whose text
    the training part has, `contradictory` the different texts with different answers. Each location is the
    pair of a record's and of an earlier one's.
    """

    exact: bool
    compared: Literal["text", "line"]
    records: int
    distinct: int
    repeated: int
    leaked: int
    contradictory: int | None
    repeated_at: list[tuple[str, str]] = field(default_factory=list)
    leaked_at: list[tuple[str, str]] = field(default_factory=list)
    contradictory_at: list[tuple[str, str]] = field(default_factory=list)


class RepeatCounter:
    """Takes records, batch after batch."""

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._most_held = most_held
        self._kept = np.empty(0, dtype=_row)  # (D,), by ascending hashes
        self._pending: list[NDArray[np.void]] = []
        self._waiting = 0
        self._level = 0  # zero bits in which the hashes of kept texts end
        self._records = 0
        self._files: dict[str, int] = {}  # the number of each

    def add(self, records: Sequence[Record], held_out: NDArray[np.bool_]) -> None:
        """Take some records, of which `held_out` (n,) are in the validation part."""
        texts = hashes([_text(record) for record in records])
        answers = hashes(["\x1f".join(record.targets) for record in records])
        self._add(texts, answers, self._locations(records), held_out)

    def add_lines(
        self, texts: NDArray[np.uint64], path: str, lines: NDArray[np.int64], held_out: bool
    ) -> None:
        """Take whole lines of a file by their hashes (n,) and numbers (n,)."""
        file = self._files.setdefault(path, len(self._files))
        self._add(texts, np.zeros_like(texts), (file << FILE_BITS) + lines, np.full(len(texts), held_out))

    def _add(
        self,
        texts: NDArray[np.uint64],
        answers: NDArray[np.uint64],
        locations: NDArray[np.int64],
        held_out: NDArray[np.bool_],
    ) -> None:
        self._records += len(texts)
        rows = np.zeros(len(texts), dtype=_row)
        rows["text"], rows["answer"] = texts, answers
        rows["trained"], rows["valid"] = ~held_out, held_out
        rows["first"] = rows["last"] = locations
        rows["trained_first"] = np.where(held_out, NOWHERE, locations)
        rows["valid_last"] = np.where(held_out, locations, 0)
        kept = rows[(rows["text"] & self._mask) == 0]
        self._pending.append(kept)
        self._waiting += len(kept)
        if self._waiting > PENDING:
            self._merge()

    @property
    def _mask(self) -> np.uint64:
        return np.uint64((1 << self._level) - 1)

    def _locations(self, records: Sequence[Record]) -> NDArray[np.int64]:
        """Return the file and line of each record as one number that grows."""
        paths = [record.path for record in records]
        for path in dict.fromkeys(paths):
            self._files.setdefault(path, len(self._files))
        files = np.array([self._files[path] for path in paths], dtype=np.int64)
        return (files << FILE_BITS) + np.array([record.line for record in records], dtype=np.int64)

    def _merge(self) -> None:
        rows = np.concatenate([self._kept, *self._pending])
        self._pending, self._waiting = [], 0
        if len(rows):
            self._kept = _one_a_text(rows)
        while len(self._kept) > self._most_held:
            self._level += 1
            self._kept = self._kept[(self._kept["text"] & self._mask) == 0]

    def of_lines(self, fraction: float) -> Repeats:
        """Return what was found in whole lines, of which a random `fraction` is going to be held out."""
        found, times = self.result(), self._kept["trained"]
        expected = times * fraction * (1 - fraction ** np.maximum(times - 1, 0))
        leaked = found.leaked + round(float(expected.sum())) * (1 << self._level)
        return replace(
            found, exact=False, compared="line", leaked=leaked, contradictory=None, contradictory_at=[]
        )

    def result(self) -> Repeats:
        """Return what was found."""
        self._merge()
        kept, scale = self._kept, 1 << self._level
        times = kept["trained"] + kept["valid"]
        repeated = times > 1
        leaked = (kept["trained"] > 0) & (kept["valid"] > 0)
        contradictory = kept["other"] > 0
        again = int((times - 1).sum())
        return Repeats(
            exact=not self._level,
            compared="text",
            records=self._records,
            distinct=len(kept) * scale,
            repeated=again * scale,
            leaked=int(kept["valid"][leaked].sum()) * scale,
            contradictory=int(contradictory.sum()) * scale,
            repeated_at=self._pairs(repeated & ~leaked & ~contradictory, "last", "first"),
            leaked_at=self._pairs(leaked, "valid_last", "trained_first"),
            contradictory_at=self._pairs(contradictory, "other", "first"),
        )

    def _pairs(self, chosen: NDArray[np.bool_], later: str, earlier: str) -> list[tuple[str, str]]:
        """Return two locations of each of the first few of some texts."""
        rows, names = self._kept[chosen], list(self._files)
        rows = rows[np.argsort(rows["first"], kind="stable")[:SHOWN]]
        locations = [[divmod(int(row[name]), 1 << FILE_BITS) for name in (later, earlier)] for row in rows]
        return [(f"{names[one[0]]}:{one[1]}", f"{names[two[0]]}:{two[1]}") for one, two in locations]


def _one_a_text(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Put the rows of each text, in the order of their records, together."""
    rows = rows[np.argsort(rows["text"], kind="stable")]
    starts = np.flatnonzero(np.concatenate([[True], rows["text"][1:] != rows["text"][:-1]]))
    answers = np.repeat(rows["answer"][starts], np.diff(starts, append=len(rows)))
    differs = (rows["answer"] != answers) & (rows["other"] == 0)
    rows["other"] = np.where(differs, rows["first"], rows["other"])
    merged = rows[starts]
    for name, sums in SUMS.items():
        merged[name] = sums.reduceat(rows[name], starts)
    return merged


def hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return 64 bits of each text (n,): the same in each process."""
    digest = hashlib.blake2b
    content = [digest(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(content), dtype="<u8").astype(np.uint64)


def _text(record: Record) -> str:
    """Return what is compared: a text, or all numbers, of which NumPy would write a few."""
    if record.steps is None:
        return record.source.strip()
    return str([_listed(step) for step in record.steps])


def _listed(steps: Any) -> Any:
    return steps.tolist() if isinstance(steps, np.ndarray) else steps
