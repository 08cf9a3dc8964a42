"""What every task answers about itself; the rest of seqrnn asks and never branches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from seqrnn.config import Config, Holdout
from seqrnn.data.answer import Answer, AnswerKind
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.field import Field, Side, TextField, Use
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.record import Record
from seqrnn.data.sample import Sample
from seqrnn.metrics.calibration import (
    JudgedAnswers,
    calibration_error,
    coverage_at,
    coverage_curve,
    reliability,
)
from seqrnn.run.calibration import UNCALIBRATED, Calibration
from seqrnn.tasks.answers_seen import AnswersSeen, NothingSeen
from seqrnn.tasks.diagram import Diagram

Values = Mapping[str, np.ndarray]  # what a model computed for a batch, by name


class Scorer(ABC):
    """Gathers a model's answers over a data set and says how good they are."""

    @abstractmethod
    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""

    @abstractmethod
    def result(self, loss: float) -> dict[str, Any]:
        """Return the figures by their public names; `loss` is in nats a target."""

    def details(self) -> dict[str, Any]:
        """Return what a reader wants to see beside the figures, such as a table of classes."""
        return {}

    def fit_calibration(self) -> Calibration | None:
        """Fit what makes probabilities like these trustworthy; None where no answer has a probability."""
        return None

    @property
    def judged(self) -> JudgedAnswers | None:
        """How sure the model was of each choice (a label, a tag, a sequence), and whether it was right."""
        return None

    @property
    def judged_rows(self) -> JudgedAnswers | None:
        """The same of whole answers, where each has a probability that it is right."""
        return self.judged

    def trust_details(self) -> dict[str, Any]:
        """Return the bins of a reliability diagram and a curve of coverage, where answers are judged."""
        judged, rows = self.judged, self.judged_rows
        bins = [] if judged is None else reliability(judged.confidence, judged.right)
        curve = [] if rows is None else coverage_curve(rows.confidence, rows.right)
        tables: dict[str, Sequence[Any]] = {"reliability": bins, "coverage": curve}
        return {name: [asdict(row) for row in found] for name, found in tables.items() if found}

    def trust(self, min_probability: float | None = None) -> dict[str, Any]:
        """Return by their public names how far probabilities can be trusted."""
        figures: dict[str, Any] = {}
        if (judged := self.judged) is not None:
            figures["expected_calibration_error"] = calibration_error(judged.confidence, judged.right)
            if judged.is_calibrated:
                before = calibration_error(judged.before, judged.right)
                figures["expected_calibration_error_uncalibrated"] = before
        if min_probability is not None and (rows := self.judged_rows) is not None:
            covered = coverage_at(rows.confidence, rows.right, min_probability)
            figures |= {"coverage": covered.coverage, "covered_accuracy": covered.accuracy}
        return figures


@dataclass(frozen=True)
class LabelSelection:
    """Which answers are named: the `k` likeliest with a probability of `threshold` or more.

    With `probs`, the scores of all classes come along.
    """

    k: int = 1
    threshold: float = 0.0
    probs: bool = False


class Claim(NamedTuple):
    """That a task can learn from some data: how surely (0 to 1), from what they hold, and other readings."""

    strength: float
    evidence: str
    hint: str = ""


class Task(ABC):
    """One kind of problem: its data, its batches, its model and its measure."""

    name: ClassVar[str]
    better: ClassVar[Literal["higher", "lower"]]
    command: ClassVar[Literal["classify", "generate"]]  # the command that answers with such a model
    default_epochs: ClassVar[float]  # where no length of training is given
    tokens: ClassVar[Mapping[Side, Use]] = {}  # sides that are texts, whose kind of token the data decide
    defaults: ClassVar[Mapping[str, Any]]  # configuration keys whose default differs here
    libraries: ClassVar[tuple[str, ...]] = ()  # modules that its scorer imports when it is asked for a result
    holdouts: ClassVar[frozenset[Holdout]] = frozenset({"examples", "sources"})  # that mean something here
    stream: bool = False  # whether one long text is read, whose state is carried on
    no_probability: ClassVar[str] = "its answers have no probability that they are right"
    settings: ClassVar[frozenset[str]]  # configuration keys that say something here, but not to every task

    def __init__(self, config: Config) -> None:
        self.config = config
        self.calibration = UNCALIBRATED  # of the weights that answer; an opened run brings its own

    def set_training(self, name: str, value: Any) -> None:
        """Take another value for a key of the training section: how a model is measured may be asked anew."""
        training = self.config.training.model_copy(update={name: value})
        self.config = self.config.model_copy(update={"training": training})

    @property
    @abstractmethod
    def fields(self) -> Sequence[Field]:
        """The sides of an example, in the order of the data set's columns."""

    @classmethod
    def defaults_for(cls, source_kind: str, sentences: bool = False) -> Mapping[str, Any]:  # noqa: ARG003
        """Return the configuration keys whose default differs where `source_kind` is read.

        `sentences` says that what is written are sentences of a language, with many different words.
        """
        return cls.defaults

    @classmethod
    @abstractmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Return what of a sample the task can learn, or None where that is nothing."""

    @property
    def may_abstain(self) -> bool:
        """Whether an answer has a probability that it is right, all in all."""
        return False

    @property
    def names(self) -> Sequence[str]:
        """The labels or tags that its model can name, in the order of their numbers; none, mostly."""
        return ()

    @property
    @abstractmethod
    def model(self) -> str:
        """The key in catalog.MODELS of the network."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """The figure that decides which weights are the best; asked once the fields have learned."""

    @abstractmethod
    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""

    @abstractmethod
    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it, unrolled over a few steps."""

    def answers_seen(self) -> AnswersSeen:
        """Return what gathers the right answers of data that are inspected."""
        return NothingSeen()

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Return the sizes of the model that the data decide, such as the vocabulary's."""

    @abstractmethod
    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass over `dataset` has."""

    @abstractmethod
    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """Return a fresh scorer."""

    def class_weights(self, dataset: Dataset) -> np.ndarray | None:  # noqa: ARG002
        """Return a weight for each class (K,), or None where all count alike."""
        return None


class RowTask(Task):
    """A task whose model answers each row of a stream."""

    source: SourceField

    @property
    @abstractmethod
    def inputs(self) -> Sequence[Field]:
        """The fields that are read of a row to be answered, the first being its text."""

    @property
    @abstractmethod
    def answer_kind(self) -> AnswerKind:
        """What an answer is."""

    def check(self, record: Record) -> None:
        """Accept a row to be answered. Raises DataError, with its place, for one that cannot be read."""
        self.source.check(record)

    def plain_fields(self, text: str) -> dict[str, Any]:
        """Return a row that is plain text as the fields that a JSON line would have brought."""
        return {kind_named(self.config.data.source_kind).row_field: text}


class GenerationTask(RowTask):
    """A task whose model writes a sequence for each row: what `seqrnn generate` needs to read rows."""

    answer_kind: AnswerKind = "text"

    @property
    @abstractmethod
    def output(self) -> TextField:
        """The field whose tokens are written."""

    @abstractmethod
    def longest(self, batch: Batch) -> int:
        """Return how many tokens are worth writing for a batch of which the targets are known."""


class PredictionTask(RowTask):
    """A task whose model names something of each row: what `seqrnn classify` needs."""

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes of which an answer has a score each, if there are any."""
        return ()

    @abstractmethod
    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Fill in what the user left open."""

    @abstractmethod
    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:
        """Turn what the model computed for a batch into answers, in the order of the batch."""

    @abstractmethod
    def write(self, answer: Answer, text: str, probs: bool) -> str:
        """Write the answer to the row `text` as a shell reads it, without the last newline."""


def with_classes(answers: list[Answer], log_probs: np.ndarray, choice: LabelSelection) -> list[Answer]:
    """Return the answers with the `log_probs` (B, K) of all classes, where those are wanted."""
    if not choice.probs:
        return answers
    every = zip(answers, log_probs.tolist(), strict=True)
    return [answer._replace(classes=scores) for answer, scores in every]
