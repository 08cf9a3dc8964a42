"""Which notes sound in a piece, and how likely the model found each of them just before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from seqrnn.data.answer import Answer
from seqrnn.data.record import Record
from seqrnn.library.rows import Refusal
from seqrnn.reporting.subject import Example

PIECES = 3
MOST_STEPS = 96  # of a piece that is shown
MARGIN = 2  # keys below and above those that sound
LIKELY = 0.5  # from which on a key is said to sound

Ask = Callable[[Sequence[Record]], Sequence[Answer | Refusal]]


@dataclass(frozen=True)
class Roll:
    """A piece: its keys from `lowest` to `highest`, those that sound at each step, and the likely ones.

    `likely` are step, key and probability of what was predicted; there is none for step 0.
    """

    place: str
    steps: int
    all_steps: int
    lowest: int
    highest: int
    sounding: Sequence[tuple[int, int]]
    likely: Sequence[tuple[int, int, float]]


@dataclass(frozen=True)
class Music:
    """Some pieces, and how their notes were predicted: `found` of those that sound, `false` ones beside."""

    rolls: Sequence[Roll]
    notes: int
    found: int
    false: int
    verdict: str


def piano_rolls(examples: Sequence[Example], ask: Ask) -> Music | None:
    """Predict each step of a few pieces from those before it; `ask` gives the scores of all keys."""
    pieces = [each for each in examples if each.record.steps is not None and len(each.record.steps) > 1]
    stride = max(1, len(pieces) // PIECES)
    rolls = [_roll(each.record, ask) for each in pieces[::stride][:PIECES]]
    if not rolls:
        return None
    notes = found = false = 0
    for roll in rolls:
        sounding = {(step, key) for step, key in roll.sounding if step}
        said = {(step, key) for step, key, sure in roll.likely if sure >= LIKELY}
        notes += len(sounding)
        found += len(sounding & said)
        false += len(said - sounding)
    verdict = (
        f"In these pieces {found:,} of the {notes:,} notes had a probability of {LIKELY:.0%} or more just "
        f"before they came, and so had {false:,} that did not come."
    )
    return Music(rolls, notes, found, false, verdict)


def _roll(record: Record, ask: Ask) -> Roll:
    assert record.steps is not None
    steps = [set(step) for step in record.steps[:MOST_STEPS]]
    begun = [record._replace(steps=record.steps[:stop]) for stop in range(1, len(steps))]
    likely = [
        (step, key, float(np.exp(score)))
        for step, answer in enumerate(ask(begun), start=1)
        if isinstance(answer, Answer)
        for key, score in enumerate(answer.classes)
    ]
    sounding = [(step, key) for step, keys in enumerate(steps) for key in sorted(keys)]
    keys = [key for _, key in sounding] or [0]
    lowest, highest = max(0, min(keys) - MARGIN), max(keys) + MARGIN
    shown = [each for each in likely if lowest <= each[1] <= highest and each[2] >= 0.05]
    return Roll(record.location, len(steps), len(record.steps), lowest, highest, sounding, shown)
