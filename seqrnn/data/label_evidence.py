"""How likely the targets of some records are labels, and not texts to write or numbers to predict."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from seqrnn.data.column_sample import MAX_LABEL_LENGTH, MAX_LABEL_WORDS, RECURRING_IN_FEW_ROWS, ColumnSample
from seqrnn.data.formats.column_names import names_classes
from seqrnn.data.wording import listed

CERTAIN_RATIO = 0.2  # different values a row, up to which recurring values are labels for certain
IMPOSSIBLE_RATIO = 0.8  # from here on they are none
SIMILAR = (
    0.25  # by how much a target resembles its own source more than another, where one is written from it
)
NAMED_CLASSES = 0.6  # what the name of a column adds to the likelihood
FEW_ROWS = 10
PAIRS = 300  # compared
MAX_INTEGER_CLASSES = 10  # whole numbers that recur are classes, such as stars
MOST_GROUPS = 3  # of labels nearly alike that are shown
MAX_CLOSE_CLASSES = 30  # and up to here they may be


def label_likelihood(targets: ColumnSample, sources: Sequence[str]) -> float:
    """Return from 0 (texts to write) to 1 (labels) how likely the values of `targets` are labels."""
    values = targets.texts
    if any(len(value) > MAX_LABEL_LENGTH or len(value.split()) > MAX_LABEL_WORDS for value in values):
        return 0.0
    named = NAMED_CLASSES if names_classes(targets.title) else 0.0
    if len(values) < 2 or (named and len(values) < FEW_ROWS):
        return named and 1.0
    ratio = (targets.distinct - 1) / (len(values) - 1)
    likelihood = named + (IMPOSSIBLE_RATIO - ratio) / (IMPOSSIBLE_RATIO - CERTAIN_RATIO)
    if len(values) < FEW_ROWS and ratio < 1:
        likelihood += 0.2  # a value that comes again in so few rows hardly does so by chance
    if len(sources) == len(values) and targets.distinct > MAX_INTEGER_CLASSES and resembles(sources, values):
        likelihood -= 0.6
    return min(1.0, max(0.0, likelihood))


def nearly_alike(targets: ColumnSample) -> str | None:
    """Say which labels differ only in case or blanks, as slips do."""
    spellings: dict[str, set[str]] = {}
    for label in filter(None, targets.cells):
        spellings.setdefault(" ".join(str(label).casefold().split()), set()).add(str(label))
    groups = [" and ".join(map(repr, sorted(each))) for each in spellings.values() if len(each) > 1]
    if not groups:
        return None
    return f"labels that differ only in case or blanks are not the same: {listed(groups, MOST_GROUPS)}"


def number_likelihood(targets: ColumnSample) -> float:
    """Return from 0 to 1 how likely numeric targets are quantities, and not the names of classes."""
    ratio = targets.distinct / max(1, len(targets.texts))
    if not targets.is_integer:
        return 1.0 if targets.distinct > MAX_INTEGER_CLASSES else 0.6
    if targets.distinct <= MAX_INTEGER_CLASSES and ratio <= RECURRING_IN_FEW_ROWS:
        return 0.1
    if targets.distinct <= MAX_CLOSE_CLASSES and ratio <= RECURRING_IN_FEW_ROWS:
        return 0.5
    return 0.9


def resembles(sources: Sequence[str], targets: Sequence[str]) -> bool:
    """Whether each target is like its own source, as a spelling is like an older one of the same word."""
    from rapidfuzz.distance import Indel

    pairs = [(a, b) for a, b in zip(sources, targets, strict=True) if a and b][:PAIRS]
    if len(pairs) < 2:
        return False
    own = mean(Indel.normalized_similarity(a, b) for a, b in pairs)
    others = [b for _, b in pairs[1:]] + [pairs[0][1]]
    other = mean(Indel.normalized_similarity(a, b) for (a, _), b in zip(pairs, others, strict=True))
    return own - other > SIMILAR
