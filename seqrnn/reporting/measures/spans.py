"""Tags of sentences held against the right ones: spans in their sentences, and the kinds of errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from seqrnn.data.text.tokens import split_tokens
from seqrnn.metrics.spans import Span, find_spans
from seqrnn.reporting.subject import Example

SHOWN = 16  # sentences
MOST_TOKENS = 60  # of a sentence that is shown
MOST_TYPES = 40

Error = Literal["missed", "invented", "wrong type", "wrong ends", "wrong type and ends"]
ERRORS: tuple[Error, ...] = get_args(Error)


@dataclass(frozen=True)
class Segment:
    """Some tokens of a sentence under one tag or none; `agrees` says that the other side has it as well."""

    text: str
    kind: str
    agrees: bool = True


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence twice: as it should be tagged, and as it was."""

    place: str
    wrong: int
    tokens: int
    expected: Sequence[Segment]
    predicted: Sequence[Segment]


@dataclass(frozen=True)
class TypeErrors:
    """How often spans of a type (the right one, or else the claimed one) went wrong in each way."""

    kind: str
    counts: Sequence[int]

    @property
    def total(self) -> int:
        """All errors."""
        return sum(self.counts)


@dataclass(frozen=True)
class Tagged:
    """The sentences with the most mistakes of all that have some, and errors by type and kind (`ERRORS`).

    `types` is empty where tags mark no spans. `kinds` are the types by which segments are coloured.
    """

    sentences: Sequence[TaggedSentence]
    wrong_sentences: int
    all_sentences: int
    types: Sequence[TypeErrors]
    errors: Sequence[str]
    kinds: Sequence[str]
    verdict: str


def tagged(examples: Sequence[Example], has_spans: bool) -> Tagged | None:
    """Hold the tags of sentences against the right ones; with `has_spans` their tags mark spans."""
    graded = [each for each in examples if each.grade is not None]
    if not graded:
        return None
    wrong = [each for each in graded if each.grade and not each.grade.right]
    worst = sorted(wrong, key=lambda each: -_wrong(each))[:SHOWN]
    counts = _counted(wrong) if has_spans else Counter[tuple[str, Error]]()
    types = sorted(
        (
            TypeErrors(kind, [counts[kind, error] for error in ERRORS])
            for kind in {kind for kind, _ in counts}
        ),
        key=lambda each: (-each.total, each.kind),
    )[:MOST_TYPES]
    sentences = [_sentence(each, has_spans) for each in worst]
    kinds = sorted({s.kind for each in sentences for s in (*each.expected, *each.predicted) if s.kind})
    verdict = _verdict(types, len(wrong), len(graded))
    return Tagged(sentences, len(wrong), len(graded), types, ERRORS, kinds, verdict)


def span_errors(expected: Sequence[str], predicted: Sequence[str]) -> Iterator[tuple[str, Error]]:
    """Yield the type and the kind of each error in the tags of a sentence.

    A right span that was not found goes with the first claimed one that overlaps it, which then explains it;
    what is left of either side was missed or invented.
    """
    truth, claimed = set(find_spans(expected)), set(find_spans(predicted))
    free = sorted(claimed - truth, key=lambda span: span[1:])
    for span in sorted(truth - claimed, key=lambda span: span[1:]):
        other = next((each for each in free if each[1] < span[2] and span[1] < each[2]), None)
        if other is None:
            yield span[0], "missed"
            continue
        free.remove(other)
        yield span[0], _difference(span, other)
    yield from ((span[0], "invented") for span in free)


def _difference(span: Span, other: Span) -> Error:
    if span[1:] == other[1:]:
        return "wrong type"
    return "wrong ends" if span[0] == other[0] else "wrong type and ends"


def _counted(examples: Sequence[Example]) -> Counter[tuple[str, Error]]:
    found: Counter[tuple[str, Error]] = Counter()
    for each in examples:
        assert each.grade is not None
        found.update(span_errors(each.grade.expected, each.grade.predicted))
    return found


def _wrong(example: Example) -> int:
    assert example.grade is not None
    expected, predicted = example.grade.expected, example.grade.predicted
    return sum(tag != said for tag, said in zip(expected, predicted, strict=False))


def _sentence(example: Example, has_spans: bool) -> TaggedSentence:
    assert example.grade is not None
    tokens = split_tokens(example.record.source)
    sides = [list(tags)[:MOST_TOKENS] for tags in (example.grade.expected, example.grade.predicted)]
    found = [_spans(tags, has_spans) for tags in sides]
    shown = tokens[:MOST_TOKENS]
    expected, predicted = (
        list(_segments(shown, spans, set(others)))
        for spans, others in ((found[0], found[1]), (found[1], found[0]))
    )
    return TaggedSentence(example.record.location, _wrong(example), len(tokens), expected, predicted)


def _spans(tags: Sequence[str], has_spans: bool) -> list[Span]:
    if has_spans:
        return list(find_spans(tags))
    return [(tag, index, index + 1) for index, tag in enumerate(tags)]


def _segments(tokens: Sequence[str], spans: Sequence[Span], others: set[Span]) -> Iterator[Segment]:
    """Cut a sentence into its spans and what is between them."""
    position = 0
    for kind, start, stop in spans:
        if start > position:
            yield Segment(" ".join(tokens[position:start]), "")
        yield Segment(" ".join(tokens[start:stop]), kind, (kind, start, stop) in others)
        position = stop
    if position < len(tokens):
        yield Segment(" ".join(tokens[position:]), "")


def _verdict(types: Sequence[TypeErrors], wrong: int, everything: int) -> str:
    told = f"{wrong:,} of {everything:,} sentences have at least one wrong tag."
    if not types:
        return told
    first = types[0]
    often = max(ERRORS, key=lambda error: first.counts[ERRORS.index(error)])
    errors = sum(each.total for each in types)
    return (
        f"{told} “{first.kind}” has the most errors ({first.total:,} of {errors:,}); "
        f"it is most often {_SAID[often]}."
    )


_SAID: dict[Error, str] = {
    "missed": "missed",
    "invented": "invented",
    "wrong type": "given the wrong type",
    "wrong ends": "cut at the wrong boundaries",
    "wrong type and ends": "given the wrong type and boundaries",
}
