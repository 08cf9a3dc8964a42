"""Spans that tags mark, such as `B-city I-city O`, and how many of them were found.

Spans are read from tags as conlleval reads them, whatever the tags: B and S begin a span, E and S
end one, and so does any tag of another type; I and E go on with what comes before, or begin
a span where there is nothing to go on with. That covers IOB2 and IOB1, in which B is used only
between two neighbours of the same type, and BIOES with all the sequences that a model makes up.
How tags are written, `data/fields/tag_schemes.py` knows: a tag of no scheme is outside of all spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from seqrnn.data.fields.tag_schemes import OUTSIDE, Mark, mark_of
from seqrnn.metrics.classification import ClassScores

Span = tuple[str, int, int]  # type, first token, the token after the last

NO_SPAN = Mark(OUTSIDE)


def find_spans(tags: Sequence[str]) -> Iterator[Span]:
    """Yield the spans of one sentence, from left to right."""
    start: int | None = None
    before, kind = OUTSIDE, ""  # letter and type of the tag before
    for index, tag in enumerate([*tags, OUTSIDE]):
        letter, of = (mark_of(tag) or NO_SPAN)[:2]
        breaks = letter in "BSO" or before in "ESO" or of != kind
        if start is not None and breaks:
            yield kind, start, index
            start = None
        if letter != OUTSIDE and breaks:
            start = index
        before, kind = letter, of


class SpanCounts:
    """How many spans of each type there are, were claimed, and were claimed rightly."""

    def __init__(self) -> None:
        self._actual: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._correct: Counter[str] = Counter()

    def add(self, actual: Sequence[str], predicted: Sequence[str]) -> None:
        """Take the tags of one sentence; a span is right if its type and both its ends are."""
        truth, claimed = set(find_spans(actual)), set(find_spans(predicted))
        for counts, spans in zip(
            (self._actual, self._predicted, self._correct), (truth, claimed, truth & claimed), strict=True
        ):
            counts.update(kind for kind, _, _ in spans)

    def f1(self) -> float:
        """Return the F1 over the spans of all types; 0 where none is right."""
        return _scores("", self._correct.total(), self._predicted.total(), self._actual.total()).f1

    def table(self) -> list[ClassScores]:
        """Return the scores of each type, in alphabetical order."""
        return [
            _scores(kind, self._correct[kind], self._predicted[kind], self._actual[kind])
            for kind in sorted({*self._actual, *self._predicted})
        ]


def _scores(kind: str, correct: int, predicted: int, actual: int) -> ClassScores:
    precision, recall = correct / max(predicted, 1), correct / max(actual, 1)
    f1 = 2 * correct / max(predicted + actual, 1)
    return ClassScores(kind, precision, recall, f1, actual)
