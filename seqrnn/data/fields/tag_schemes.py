"""How tags mark spans: a letter and, after a hyphen or underscore, a type, such as `B-city`; O is outside.

    BIO    B begins a span, I goes on (IOB2), or begins one where B is kept for neighbours (IOB1)
    BIOES  E ends a span, S is one of a single token; BILOU writes L and U for them, BMES M for I,
           BMEWO W for S

Letters may be lower case. A tag that cannot be read so marks no span.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

Scheme = Literal["bio", "bioes"]

OUTSIDE = "O"
LETTERS: dict[Scheme, str] = {"bio": "BI", "bioes": "BIESLUMW"}
MOST_ODD = 0.05  # share of the tokens: what is seldomer is a slip, not a scheme of its own
FEW = 10  # tokens, of which one may be odd
_marked = re.compile(r"([BIESLUMW])(?:([-_])(.*))?|O", re.IGNORECASE | re.DOTALL)
_same = {"L": "E", "U": "S", "M": "I", "W": "S"}
_older = re.compile(r"O|[BIESLU](-.*)?")


class Mark(NamedTuple):
    """What a tag says: B, I, E, S or O, the type, and how it is written."""

    letter: str
    kind: str = ""
    written: str = OUTSIDE  # the letter itself, in upper case
    separator: str = ""
    lower: bool = False


@lru_cache(maxsize=4096)
def mark_of(tag: str) -> Mark | None:
    """Return what a tag says, or None where it is of no scheme."""
    found = _marked.fullmatch(tag)
    if found is None:
        return None
    written = tag[0].upper()
    separator, kind = found[2] or "", found[3] or ""
    return Mark(_same.get(written, written), kind, written, separator, tag[0].islower())


@dataclass(frozen=True)
class Reading:
    """How a set of tags marks spans; `odd` says of each tag that is unlike the others how it is read."""

    scheme: Scheme | None = None
    odd: Mapping[str, str] = field(default_factory=dict)


def read_tags(counts: Mapping[str, int]) -> Reading:
    """Tell the scheme of tags from how many tokens bear each.

    Tags that no scheme has are odd where they are few, else the tags mark no spans at all.
    """
    marks = {tag: mark for tag in counts if (mark := mark_of(tag)) is not None}
    if not any(mark.letter in "BI" for mark in marks.values()):
        return Reading()
    strange = [tag for tag in counts if tag not in marks]
    if not _are_few(strange, counts):
        return Reading()
    letters = {mark.written for mark in marks.values()} - {OUTSIDE}
    scheme: Scheme = "bio" if letters <= set(LETTERS["bio"]) else "bioes"
    outside = dict.fromkeys(strange, "is read as O, outside of all spans")
    return Reading(scheme, outside | _written_otherwise(marks, counts))


def read_tags_as(scheme: Scheme, counts: Mapping[str, int]) -> Reading:
    """Do the same where the scheme is given.

    Raises ValueError, with the most frequent of them, where many tags are none of it.
    """
    known = {OUTSIDE, *LETTERS[scheme]}
    marks = {tag: mark for tag in counts if (mark := mark_of(tag)) is not None and mark.written in known}
    strange = [tag for tag in counts if tag not in marks]
    if not _are_few(strange, counts):
        raise ValueError(max(strange, key=counts.__getitem__))
    said = dict.fromkeys(strange, f"is none of {scheme.upper()}")
    return Reading(scheme, said | _written_otherwise(marks, counts))


def scheme_of_older_runs(tags: Iterable[str]) -> Scheme | None:
    """Return the scheme of tags as it was told when no odd tag was allowed, nor BMES known."""
    tags = set(tags)
    if not any(tag[:1] in {"B", "I"} for tag in tags) or not all(map(_older.fullmatch, tags)):
        return None
    return "bio" if all(tag[0] in "OBI" for tag in tags) else "bioes"


def _are_few(tags: list[str], counts: Mapping[str, int]) -> bool:
    odd, tokens = sum(counts[tag] for tag in tags), sum(counts.values())
    return odd <= MOST_ODD * tokens or (odd == 1 and tokens >= FEW)


def _written_otherwise(marks: Mapping[str, Mark], counts: Mapping[str, int]) -> dict[str, str]:
    """Say which tags have another case or separator than most, and what they would be without."""
    cases: Counter[bool] = Counter()
    separators: Counter[str] = Counter()
    for tag, mark in marks.items():
        cases[mark.lower] += counts[tag]
        separators[mark.separator] += counts[tag] * bool(mark.separator)
    lower, separator = cases.most_common(1)[0][0], separators.most_common(1)[0][0]
    usual = {
        tag: (mark.written.lower() if lower else mark.written) + (mark.separator and separator + mark.kind)
        for tag, mark in marks.items()
    }
    return {tag: f"is read as {usual[tag]!r}" for tag in marks if usual[tag] != tag}
