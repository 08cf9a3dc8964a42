"""What was written held against what is right, token by token: what is missing, too much, or another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from seqrnn.data.wording import counted
from seqrnn.reporting.subject import Example

MOST_EDITS = 15  # of each kind that are listed
Split = Callable[[str], list[str]]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Edit:
    """A token that should have been written, what was written for it ("" for none), and how often."""

    wanted: str
    written: str
    count: int


@dataclass(frozen=True)
class Edits:
    """The fewest edits that lead from what was written to the nearest right text, over some examples."""

    tokens: int
    replaced: int
    missing: int
    superfluous: int
    often: Sequence[Edit]
    verdict: str


def edit_errors(examples: Sequence[Example], split: Split) -> Edits | None:
    """Count the edits in all examples that have a right text; `split` cuts a text into tokens."""
    found: Counter[Pair] = Counter()
    tokens = 0
    graded = [each.grade for each in examples if each.grade is not None and each.grade.expected]
    for grade in graded:
        pairs, wanted = edits_of(split(grade.predicted or ""), [split(text) for text in grade.expected])
        found.update(pairs)
        tokens += len(wanted)
    if not tokens:
        return None
    replaced = sum(count for (wanted, written), count in found.items() if wanted and written)
    missing = sum(count for (_, written), count in found.items() if not written)
    superfluous = sum(count for (wanted, _), count in found.items() if not wanted)
    often = [Edit(*pair, count) for pair, count in _ranked(found)]
    return Edits(tokens, replaced, missing, superfluous, often, _verdict(often, found.total(), tokens))


def edits_of(written: Sequence[str], accepted: Iterable[Sequence[str]]) -> tuple[list[Pair], Sequence[str]]:
    """Return pairs of wanted and written tokens that differ, and the accepted text that is nearest.

    The nearest is the one with the fewest edits a token, as for the token error rate.
    """
    from rapidfuzz.distance import Levenshtein

    nearest = min(accepted, key=lambda text: Levenshtein.distance(written, text) / max(len(text), 1))
    pairs = []
    for edit in Levenshtein.editops(written, nearest):
        wanted = "" if edit.tag == "delete" else nearest[edit.dest_pos]
        pairs.append((wanted, "" if edit.tag == "insert" else written[edit.src_pos]))
    return pairs, nearest


def _ranked(found: Counter[Pair]) -> list[tuple[Pair, int]]:
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:MOST_EDITS]


def _verdict(often: Sequence[Edit], edits: int, tokens: int) -> str:
    if not often:
        return "Every token is right."
    first = often[0]
    told = f"{counted(edits, 'edit')} would correct all {tokens:,} tokens"
    if not first.written:
        return f"{told}; most often “{first.wanted}” is missing ({counted(first.count, 'time')})."
    if not first.wanted:
        return f"{told}; most often an extra “{first.written}” was written ({counted(first.count, 'time')})."
    times = counted(first.count, "time")
    return f"{told}; most often “{first.written}” was written for “{first.wanted}” ({times})."
