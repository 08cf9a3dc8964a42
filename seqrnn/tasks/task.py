"""What every task answers about itself; the rest of seqrnn asks and never branches."""

from __future__ import annotations

import copy
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, cast

import numpy as np
from msgspec import Struct

from seqrnn.config import Config, Holdout, changed
from seqrnn.data.answer import Answer, AnswerKind
from seqrnn.data.dataset.batching import Batch, BatchLimits, BatchOrder
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.field import Field, Side, TextField, Use
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.record import Record
from seqrnn.errors import UsageError
from seqrnn.metrics.evaluation import Figures
from seqrnn.networks.sizes import NetworkSizes
from seqrnn.run.calibration import UNCALIBRATED
from seqrnn.run.manifest import Metric
from seqrnn.tasks.diagram import Diagram
from seqrnn.tasks.explained import ExplainedOutput
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.regularization import Regularization
from seqrnn.tasks.scorer import Scorer, Values
from seqrnn.tasks.size_preset import SizePreset

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import AnswersSeen

Asked = Literal["names", "sequences", "lines"]
"""What a model says of a row of data: it names something, writes a sequence, or scores the line."""


class LabelSelection(Struct, frozen=True):
    """Which answers are named: the `k` likeliest with a probability of `threshold` or more.

    With `probs`, the scores of all classes come along; with `part_probs`, those of each token.
    """

    k: int = 1
    threshold: float = 0.0
    probs: bool = False
    part_probs: bool = False


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
    searches: ClassVar[bool] = False  # whether it answers a row by a sequence that a search finds
    output_per_token: ClassVar[bool] = False  # each token has an output, so that none can be left out
    no_probability: ClassVar[str] = "its answers have no probability that they are right"
    settings: ClassVar[frozenset[str]]  # configuration keys that say something here, but not to every task
    asked: ClassVar[Asked]  # how rows of its data are answered for a report
    sections: ClassVar[tuple[str, ...]] = ()  # what a report on its answers has; see reporting/sections.py
    regularization: ClassVar[Regularization | None] = None  # by the passes of a training; None: its defaults
    rate_by_width: ClassVar[float] = 0.5  # power of the width by which its default learning rate falls
    learns_soon: ClassVar[bool] = False  # whether there is always something to be learnt in a few updates
    score_name: ClassVar[str] = "accuracy"  # what the mean of `Grade.score` is called
    decision_name: ClassVar[str] = "answers"  # what has a probability of its own, in the plural
    answer_name: ClassVar[str] = "answers"  # what is right or wrong as a whole, in the plural

    def __init__(self, config: Config) -> None:
        self.config = config
        self.calibration = UNCALIBRATED  # of the weights that answer; an opened run brings its own

    def with_config(self, config: Config) -> Self:
        """Return the same task, with the same vocabularies, for a model of other settings."""
        other = copy.copy(self)
        other.config = config
        return other

    @property
    def size_presets(self) -> Sequence[SizePreset]:
        """Networks of which a time budget chooses one, smaller ones first; none: always the default."""
        return ()

    def set_training(self, name: str, value: Any) -> None:
        """Take another value for a key of the training section: how a model is measured may be asked anew."""
        self.config = changed(self.config, {f"training.{name}": value})

    @classmethod
    def of(cls, task: Task, refusal: str = "another kind of model is needed") -> Self:
        """Return `task`, which is of this kind. Raises UsageError, with the refusal, where it is not."""
        if not isinstance(task, cls):
            raise UsageError(f"{refusal}, and this is one for {task.name}")
        return task

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
        """The key in catalog.NETWORKS of the network."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """The figure that decides which weights are the best; asked once the fields have learned."""

    def metric_of(self, figures: Figures) -> Metric:
        """Return the figure of an evaluation by which models are compared."""
        value, loss = figures[self.metric], figures["loss"]
        assert not isinstance(value, str)
        assert not isinstance(loss, str)
        return Metric(name=self.metric, value=value, better=self.better, loss=loss)

    @abstractmethod
    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""

    @abstractmethod
    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it, unrolled over a few steps."""

    def answers_seen(self) -> AnswersSeen:
        """Return what gathers the right answers of data that are inspected."""
        from seqrnn.tasks.answers_seen import NothingSeen

        return NothingSeen()

    @abstractmethod
    def sizes(self) -> NetworkSizes:
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

    def grade(self, record: Record, answer: Answer) -> Grade | None:  # noqa: ARG002
        """Hold an answer against the right one of `record`; None where there is no right one to tell."""
        return None

    def with_references(self, records: Sequence[Record]) -> list[Record]:
        """Return records with all targets that would be right for each, where others say more of them."""
        return list(records)

    @abstractmethod
    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:
        """Return what the model says of the one row of a batch, of which it computed `values`."""

    def surprisals(self, values: Values, batch: Batch) -> list[float] | None:  # noqa: ARG002
        """Return how surprising each token of the one row of a batch is, in nats, where that is modelled."""
        return None

    def explained_batches(self, dataset: Dataset) -> Iterator[Batch]:
        """Make one batch of rows that are to be explained."""
        return self.batches(dataset, one_batch(dataset))

    @property
    @abstractmethod
    def explained_fields(self) -> Sequence[SourceField]:
        """The fields that are read of a row to be explained, the first being its text or its numbers."""

    def explained_prediction(self, outputs: Sequence[ExplainedOutput]) -> Any:
        """Return what the outputs are together."""
        return outputs[0].output

    def generation_limit(self, batch: Batch) -> int:  # noqa: ARG002
        """Return how many tokens an evaluation generates at most for each row of a batch.

        If it generates any, the scorer takes the sequences `generated` (B, T); if not, what the network
        computes.
        """
        return 0

    def plain_fields(self, text: str) -> dict[str, Any]:
        """Return a row that is plain text as the fields that a JSON line would have brought."""
        return {"text": text}

    def counting_loss(self, dataset: Dataset) -> float | None:  # noqa: ARG002
        """Return the loss of the best answer that ignores the input, in nats a target, where it is known."""
        return None

    def class_weights(self, dataset: Dataset) -> np.ndarray | None:  # noqa: ARG002
        """Return a weight for each class (K,), or None where all count alike."""
        return None


class RowTask(Task):
    """A task whose model answers each row of a stream."""

    source: SourceField

    @property
    def explained_fields(self) -> Sequence[SourceField]:
        """The input fields of a row."""
        return cast(Sequence[SourceField], self.inputs)

    @property
    @abstractmethod
    def inputs(self) -> Sequence[Field]:
        """The fields that are read of a row to be answered, the first being its text."""

    @property
    @abstractmethod
    def answer_kind(self) -> AnswerKind:
        """What an answer is."""

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes of which an answer has a score each, if there are any."""
        return ()

    def check(self, record: Record) -> None:
        """Accept a row to be answered. Raises DataError, with its location, for one that cannot be read."""
        self.source.check(record)

    def plain_fields(self, text: str) -> dict[str, Any]:
        """Return a row that is plain text as the fields that a JSON line would have brought."""
        return {kind_named(self.config.data.source_kind).row_field: text}


class GenerationTask(RowTask):
    """A task whose model writes a sequence for each row: what `seqrnn generate` needs to read rows."""

    answer_kind: AnswerKind = "text"
    searches = True

    @property
    @abstractmethod
    def output(self) -> TextField:
        """The field whose tokens are written."""

    @abstractmethod
    def generation_limit(self, batch: Batch) -> int:
        """Return how many tokens are worth generating for a batch whose targets are known."""


class PredictionTask(RowTask):
    """A task whose model names something of each row: what `seqrnn classify` needs."""

    @abstractmethod
    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Fill in what the user left open."""

    @abstractmethod
    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:
        """Turn what the model computed for a batch into answers, in the order of the batch."""

    @abstractmethod
    def write(self, answer: Answer, text: str, probs: bool) -> str:
        """Write the answer to the row `text` as a shell reads it, without the last newline."""


def one_batch(dataset: Dataset) -> BatchOrder:
    """Return the order that puts all of a data set into one batch."""
    return BatchOrder(limits=BatchLimits(len(dataset), sys.maxsize))


def with_classes(answers: list[Answer], log_probs: np.ndarray, choice: LabelSelection) -> list[Answer]:
    """Return the answers with the `log_probs` (B, K) of all classes, where those are wanted."""
    if not choice.probs:
        return answers
    every = zip(answers, log_probs.tolist(), strict=True)
    return [answer._replace(classes=scores) for answer, scores in every]
