"""Lengths and vocabularies of sampled rows, by the fields of the task, as a training would have them.

The tokens are those of the training, but none is left out of the vocabulary and no row is cut, so that it can
be said what limits would do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from seqrnn.config import Config, changed
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.dataset.encoding import PartWriter
from seqrnn.data.fields.field import Field, TextField
from seqrnn.data.grouping import batched
from seqrnn.data.limits import LONGEST, require_length
from seqrnn.data.record import Record, size_of
from seqrnn.data.text.tokenizer import SPECIALS, Encoded, Tokenizer
from seqrnn.data.text.vocabulary import BYTES
from seqrnn.errors import DataError
from seqrnn.inspection.lengths import Lengths, describe_lengths
from seqrnn.inspection.survey import SampledRows
from seqrnn.inspection.vocabulary import Vocabulary, describe_vocabulary
from seqrnn.tasks.task import Task

LARGEST_VOCABULARY = 10_000_000
MAX_REFUSALS = 5


@dataclass(frozen=True)
class Side:
    """What one side of the examples has: lengths in the training part, and a vocabulary if it is a text."""

    lengths: Lengths | None
    vocabulary: Vocabulary | None


@dataclass
class SampleMeasurements:
    """The sides by the names of their fields; `stops` are reasons for which a training would end at once.

    `task` has learned from the rows, as it would in a training; None where it cannot. `stopping` is the
    number of rows that it cannot learn from.
    """

    share: float
    sides: dict[str, Side] = field(default_factory=dict)
    task: Task | None = None
    stops: list[str] = field(default_factory=list)
    stopping: int = 0

    def refuse(self, reason: str) -> None:
        """Take note of a row that cannot be learned from."""
        self.stopping += 1
        if len(self.stops) < MAX_REFUSALS:
            self.stops.append(reason)


def measure(
    config: Config, make: Callable[[Config], Task], train: SampledRows, valid: SampledRows
) -> SampleMeasurements:
    """Measure the rows of the training part, and which tokens of the validation part these do not have."""
    measured = SampleMeasurements(train.share)
    task = make(_without_limits(config))
    learned = _learn(task.fields, train.train, measured)
    try:
        for one in task.fields:
            one.settle()
    except DataError as error:
        measured.refuse(str(error))
        return measured
    unlimited = config.data.max_tokens is None
    encoded, held_out = (_encode(task.fields, rows, measured, unlimited) for rows in (learned, valid.valid))
    wanted = make(config)
    for number, one in enumerate(task.fields):
        if one.unit is not None and getattr(one, "sequential", True):
            sides = [[row[number] for row in rows] for rows in (encoded, held_out)]
            measured.sides[one.name] = _side(one, wanted.fields[number], sides, config, train.share)
    for known, one in zip(task.fields, wanted.fields, strict=True):
        _hand_on(known, one, measured.sides.get(one.name))
    measured.task = wanted
    return measured


def columns(task: Task, rows: Sequence[Record], config: Config, directory: Path) -> Dataset | None:
    """Encode rows by what the task has learned; None where none is left. Raises DataError as `prepare`."""
    with PartWriter(directory, task.fields, config.data.over_length) as part:
        for batch in batched(rows, size_of):
            part.add(batch)
    if not part.report.examples:
        return None
    return Dataset.open(directory, [one.name for one in task.fields])


def _without_limits(config: Config) -> Config:
    """Return the same data with all tokens in the vocabulary; of byte pairs the size says what they are."""
    data = config.data
    size, target = data.vocabulary_size, data.target_vocabulary_size or data.vocabulary_size
    of_merges = "bpe" in {data.tokenizer, data.target_tokenizer}
    return changed(
        config,
        {
            "data.vocabulary_size": size if data.tokenizer == "bpe" else LARGEST_VOCABULARY,
            "data.target_vocabulary_size": target if data.target_tokenizer == "bpe" else LARGEST_VOCABULARY,
            "data.min_count": data.min_count if of_merges else 1,
            "data.max_tokens": LONGEST,
        },
    )


def _learn(fields: Sequence[Field], rows: Sequence[Record], measured: SampleMeasurements) -> list[Record]:
    """Let fields look at rows; return those that can be learned from."""
    texts = [one for one in fields if isinstance(one, TextField)]
    others = [one for one in fields if not isinstance(one, TextField)]
    learned = [row for row in rows if _observed(others, row, measured)]
    for batch in batched(learned, size_of):
        for one in texts:
            one.observe(batch)
    return learned


def _observed(fields: Sequence[Field], row: Record, measured: SampleMeasurements) -> bool:
    try:
        for one in fields:
            one.observe([row])
    except DataError as error:
        measured.refuse(str(error))
        return False
    return True


def _encode(
    fields: Sequence[Field], rows: Sequence[Record], measured: SampleMeasurements, unlimited: bool
) -> list[tuple[Encoded, ...]]:
    """Encode rows by all fields, but those that cannot be, or are too long where that is `unlimited`."""
    encoded: list[tuple[Encoded, ...]] = []
    for batch in batched(rows, size_of):
        try:
            found: list[tuple[Encoded, ...]] = list(zip(*(one.encode(batch) for one in fields), strict=True))
            if unlimited and any(side.truncated for sides in found for side in sides):
                raise DataError("to be told of each row")
            encoded += found
        except DataError:
            for row in batch:
                try:
                    encoded.append(_encoded(fields, row, unlimited))
                except DataError as error:
                    measured.refuse(str(error))
    return encoded


def _encoded(fields: Sequence[Field], row: Record, unlimited: bool) -> tuple[Encoded, ...]:
    """Encode one row. Raises DataError where it cannot be."""
    sides = tuple(one.encode([row])[0] for one in fields)
    for one, side in zip(fields, sides, strict=True):
        if unlimited and side.truncated:
            require_length(row, LONGEST + 1, one.unit or "token")
    return sides


def _side(known: Field, wanted: Field, sides: list[list[Encoded]], config: Config, share: float) -> Side:
    stream = getattr(known, "stream", False)
    trained = [each.ids for each in sides[0]]
    lengths = np.fromiter(map(len, trained), dtype=np.int64, count=len(trained))
    described = describe_lengths(lengths, known.unit or "", config.data.max_tokens, cuts=not stream)
    if not isinstance(wanted, TextField):
        return Side(described, None)
    settings = wanted.settings
    if settings.kind in BYTES:  # the vocabulary is the one that was learned
        settings = structs.replace(settings, vocabulary_size=LARGEST_VOCABULARY, min_count=0)
    ids, held_out = _joined(trained), _joined([each.ids for each in sides[1]])
    return Side(described, describe_vocabulary(ids, held_out, settings, 1 / share))


def _joined(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate([np.empty(0, dtype=np.int32), *parts])


def _hand_on(known: Field, wanted: Field, side: Side | None) -> None:
    """Let a field know what one without limits has learned, as far as its own limits go."""
    if not (isinstance(known, TextField) and isinstance(wanted, TextField)):
        if wanted.file_name is not None:
            wanted.load_json(known.to_json())
        return
    tokens = known.tokenizer.tokens[len(SPECIALS) :]
    kept = side.vocabulary.kept if side and side.vocabulary else len(tokens)
    merges = json.loads(known.to_json())["model"].get("merges", [])
    if not merges:
        tokens = tokens[:kept] if wanted.settings.kind not in BYTES else tokens
    wanted.tokenizer = Tokenizer(wanted.settings, tokens, [(left, right) for left, right in merges])
