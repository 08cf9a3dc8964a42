"""What answers hang on, as `seqrnn explain` finds it: tokens that speak for them, attention, surprisal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqrnn.data.answer import Answer
from seqrnn.data.fields.source_kind import SourceKind
from seqrnn.data.record import Record
from seqrnn.library.explanations import Explanation
from seqrnn.reporting.pictures import Picture, picture_of
from seqrnn.reporting.subject import Example

LONGEST = 200  # tokens of a row that is explained
TEXTS, SERIES = 150, 8  # rows that are explained; each step of a series is left out once
SHOWN = 8
MOST_OUTPUTS = 12  # labels whose tokens are listed
TOKENS = 6  # that are listed of each
FEWEST = 2  # occurrences of a token that is listed
LONGEST_ALIGNED = 40  # tokens of either side of an alignment
LINES = 80  # whose tokens' surprisal is looked at
THIRDS = 3  # of a series, of which a sentence speaks
FEWEST_LINES = 8  # as long, for a position to count

Explain = Callable[[Sequence[Record]], Sequence[Answer]]


@dataclass(frozen=True)
class Shade:
    """A token, and how strongly it is coloured: from -1, against the answer, to 1."""

    text: str
    weight: float


@dataclass(frozen=True)
class Looked:
    """A row with what its answer hangs on.

    `picture` is of numbers or an image, of which `shades` are the steps or the regions, of which `grid` are
    along each side.
    """

    place: str
    expected: Any
    output: Any
    probability: float | None
    shades: Sequence[Shade]
    picture: Picture | None
    grid: int | None = None


@dataclass(frozen=True)
class TokensOf:
    """The tokens that speak most for an output, with their mean saliency in nats."""

    output: str
    tokens: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Saliency:
    """Some rows with what their answers hang on; of `rows` of them, tokens that speak for each output."""

    method: str
    rows: int
    looked: Sequence[Looked]
    outputs: Sequence[TokensOf]
    verdict: str


@dataclass(frozen=True)
class Alignment:
    """How much of each token that was read (a column each) was looked at for each one that was written.

    The tokens of an `image` are regions, `grid` of them along each side.
    """

    place: str
    right: bool
    read: Sequence[str]
    written: Sequence[str]
    weights: Sequence[Sequence[float]]
    grid: int | None = None
    image: str = ""


@dataclass(frozen=True)
class Alignments:
    """The attention of some rows."""

    rows: Sequence[Alignment]
    verdict: str


@dataclass(frozen=True)
class SurprisingLine:
    """A line, each token with its surprisal in nats."""

    place: str
    mean: float
    tokens: Sequence[tuple[str, float]]
    spaced: bool


@dataclass(frozen=True)
class Surprisal:
    """The most surprising lines, some others, and the perplexity of tokens by their position in a line."""

    surprising: Sequence[SurprisingLine]
    others: Sequence[SurprisingLine]
    positions: Sequence[tuple[float, float]]
    lines: int
    verdict: str


def saliency(examples: Sequence[Example], explain: Explain, kind: SourceKind) -> Saliency | None:
    """Explain some rows; None where there are none."""
    has_names = kind.file_kind == "text" and not kind.has_numbers
    most = TEXTS if has_names else SERIES
    chosen = _spread([each for each in examples if 0 < each.length <= LONGEST], most)
    explained = _explained(chosen, explain)
    if not explained:
        return None
    wrong = [pair for pair in explained if pair[0].grade and not pair[0].grade.right]
    rest = [pair for pair in explained if not (pair[0].grade and not pair[0].grade.right)]
    first = wrong[: SHOWN // 2]
    shown = [*first, *_spread(rest, SHOWN - len(first))]
    looked = [_looked(example, found, kind) for example, found in shown]
    outputs = tokens_of_outputs([found for _, found in explained]) if has_names else []
    return Saliency(
        explained[0][1].method, len(explained), looked, outputs, _told(outputs) or _where(looked, kind)
    )


def tokens_of_outputs(explanations: Sequence[Explanation]) -> list[TokensOf]:
    """Return for each output the tokens with the largest mean saliency over the rows that have it."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for explanation in explanations:
        for output in explanation.outputs:
            for token, weight in zip(explanation.tokens, output.saliency, strict=True):
                found[str(output.output)][token].append(weight)
    ranked = []
    for name in sorted(found)[:MOST_OUTPUTS]:
        means = [(t, float(np.mean(weights))) for t, weights in found[name].items() if len(weights) >= FEWEST]
        tokens = sorted((pair for pair in means if pair[1] > 0), key=lambda pair: -pair[1])[:TOKENS]
        if tokens:
            ranked.append(TokensOf(name, tokens))
    return ranked


def alignments(examples: Sequence[Example], explain: Explain, kind: SourceKind) -> Alignments | None:
    """Return the attention of some rows, wrong ones first; None where the network does not attend."""
    short = [each for each in examples if 0 < each.length <= LONGEST_ALIGNED]
    wrong = [each for each in short if each.grade and not each.grade.right][: SHOWN // 2 - 1]
    shown = set(map(id, wrong))  # records may hold arrays, which cannot be compared as a whole
    rest = _spread([each for each in short if id(each) not in shown], SHOWN - 2 - len(wrong))
    found = [_alignment(*pair, kind) for pair in _explained([*wrong, *rest], explain)]
    rows = [each for each in found if each is not None]
    return Alignments(rows, _attended(rows)) if rows else None


def surprisal(examples: Sequence[Example], explain: Explain, perplexity: float) -> Surprisal | None:
    """Return how surprising the tokens of some lines are; None where there are none.

    `perplexity` is that of all data.
    """
    known = [
        each
        for each in examples
        if 1 < each.length <= LONGEST and each.answer.prediction is not None and not each.record.is_blank
    ]
    texts = {
        each.record.source: each for each in reversed(known)
    }  # the first line of those that are the same
    ranked = sorted(texts.values(), key=lambda each: -each.answer.prediction)[: SHOWN - 2]
    shown = set(map(id, ranked))
    rest = _spread([each for each in texts.values() if id(each) not in shown][::-1], LINES)
    explained = _explained([*ranked, *rest], explain)
    lines = [line for each, found in explained if (line := _line(each, found)) is not None]
    if not lines:
        return None
    others = lines[len(ranked) :]
    return Surprisal(
        lines[: len(ranked)],
        _spread(others, SHOWN - 2),
        _positions(others),
        len(others),
        _surprising(lines, perplexity),
    )


def _explained(examples: Sequence[Example], explain: Explain) -> list[tuple[Example, Explanation]]:
    answers = explain([each.record for each in examples])
    return [
        (each, answer.explanation)
        for each, answer in zip(examples, answers, strict=True)
        if isinstance(answer.explanation, Explanation) and answer.explanation.tokens
    ]


def _looked(example: Example, found: Explanation, kind: SourceKind) -> Looked:
    output = found.outputs[0]
    largest = max(map(abs, output.saliency), default=0.0) or 1.0
    shades = [Shade(t, weight / largest) for t, weight in zip(found.tokens, output.saliency, strict=True)]
    picture = picture_of(example.record, kind) if kind.has_numbers or found.grid else None
    expected = example.grade.expected if example.grade else None
    told = example.record.location, expected, output.output, output.probability
    return Looked(*told, shades, picture, found.grid)


def _alignment(example: Example, found: Explanation, kind: SourceKind) -> Alignment | None:
    outputs = found.outputs[:LONGEST_ALIGNED]
    weights = [output.attention for output in outputs if output.attention is not None]
    if len(weights) < len(outputs) or not weights:
        return None
    right = bool(example.grade and example.grade.right)
    written = [str(output.output) for output in outputs]
    image = picture_of(example.record, kind).image if found.grid else ""
    return Alignment(example.record.location, right, found.tokens, written, weights, found.grid, image)


def _attended(rows: Sequence[Alignment]) -> str:
    """Say how sharply is looked."""
    mean = float(np.mean([max(weights) for row in rows for weights in row.weights]))
    where = "region of the image" if rows[0].grid else "token of the input"
    return f"For each token that it writes, {mean:.0%} of its attention goes to one {where}, on average."


def _line(example: Example, found: Explanation) -> SurprisingLine | None:
    if not found.surprisals:
        return None
    spaced = any(len(token) > 1 for token in found.tokens)
    pairs = list(zip(found.tokens, found.surprisals, strict=False))
    return SurprisingLine(example.record.location, example.answer.prediction, pairs, spaced)


def _positions(lines: Sequence[SurprisingLine]) -> list[tuple[float, float]]:
    """Return the perplexity at each position that enough lines have, from 1."""
    longest = max((len(line.tokens) for line in lines), default=0)
    columns = [[line.tokens[at][1] for line in lines if len(line.tokens) > at] for at in range(longest)]
    return [(at + 1.0, float(np.exp(np.mean(c)))) for at, c in enumerate(columns) if len(c) >= FEWEST_LINES]


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    stride = max(1, -(-len(items) // max(most, 1)))
    return list(items[::stride][:most])


def _told(outputs: Sequence[TokensOf]) -> str:
    if not outputs:
        return ""
    best = max(outputs, key=lambda each: each.tokens[0][1])
    named = ", ".join(f"“{token}”" for token, _ in best.tokens[:3])
    return f"What speaks most for “{best.output}”: {named}."


def _where(looked: Sequence[Looked], kind: SourceKind) -> str:
    """Say in which third of a series the steps matter most."""
    found = [np.abs([shade.weight for shade in each.shades]) for each in looked if each.grid is None]
    found = [weights for weights in found if len(weights) >= THIRDS and weights.sum() > 0]
    if not kind.has_numbers or not kind.sequential or not found:
        return ""
    shares = np.mean([[part.sum() for part in np.array_split(w, THIRDS)] / w.sum() for w in found], axis=0)
    first, second, third = (f"{share:.0%}" for share in shares.tolist())
    told = f"{first} lies in the first third of a series, {second} in the second and {third} in the last"
    return f"Of what matters, {told}."


def _surprising(lines: Sequence[SurprisingLine], perplexity: float) -> str:
    token, nats, location = max(
        ((token, nats, line.place) for line in lines for token, nats in line.tokens), key=lambda each: each[1]
    )
    return (
        f"On average it is as unsure as if it chose among {perplexity:,.1f} equally likely tokens. "
        f"The greatest surprise in these lines is “{token}” ({nats:.1f} nats, at {location})."
    )
