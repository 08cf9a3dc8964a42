"""How long an example may be, so that no row and no line of a file takes more memory than there is."""

from __future__ import annotations

from seqrnn.data.record import Record
from seqrnn.errors import DataError

LONGEST = 2**16
"""Most tokens, or time steps, of an example that a network reads at once."""


def require_length(record: Record, count: int, noun: str) -> None:
    """Raise DataError, with its location, for a record of more than `LONGEST` tokens or steps.

    `noun` says which of them are counted.
    """
    if count > LONGEST:
        what = f"longer than {LONGEST:,} {noun}s, the most that are read at once"
        raise DataError(f"{record.location}: {what}; break it up, or train with `data.max_tokens` to cut it")
