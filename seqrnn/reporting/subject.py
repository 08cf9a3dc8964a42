"""What a report is on: a run, and what it answers to some data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.answer import Answer
from seqrnn.data.dataset.progress import Progress
from seqrnn.data.record import Record
from seqrnn.library.measuring import EncodedData
from seqrnn.library.opened_model import OpenedModel
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.task import Task

Norms = NDArray[np.floating[Any]]
Look = Callable[[Sequence[Record]], None]


class Example(NamedTuple):
    """A row of the data, and what the model says of it; `length` is how many tokens or steps are read."""

    record: Record
    answer: Answer
    grade: Grade | None
    length: int


@dataclass(frozen=True)
class Data:
    """What a model is asked: rows of some files, and how page and shell call it.

    `argument` is what names it on a command line, as one word or several; nothing for a run's own data.
    `encoded` reads the rows once: it encodes them for a task and shows them, some at a time, on their way.
    """

    name: str
    argument: str
    files: Sequence[str]
    encoded: Callable[[Task, Look, Progress], AbstractContextManager[EncodedData]]


@dataclass(frozen=True)
class Measured:
    """What a model answers to some data: figures over all rows, and `examples`, all or some of the `rows`.

    `evaluated` is what follows the run in the command that measures the same; nothing where none does.
    `memory` holds for some of them the norms of hidden states, and of the gradients at each step, both (T,).
    """

    data: Data
    evaluation: Evaluation
    examples: Sequence[Example]
    rows: int
    memory: Sequence[tuple[Norms, Norms]] = ()
    evaluated: str = ""

    @property
    def is_all(self) -> bool:
        """Whether the examples are all rows."""
        return len(self.examples) == self.rows


@dataclass(frozen=True)
class Subject:
    """A run: its model, what its directory says (see `run_facts`), and what it answers to data, if any."""

    name: str
    argument: str
    model: OpenedModel
    facts: Mapping[str, Any]
    measured: Measured | None = None

    @property
    def task(self) -> Task:
        """What the run has learnt."""
        return self.model.run.task
