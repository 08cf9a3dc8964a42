"""Many-to-one: a number for a sequence, or for one vector.

Shapes: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from seqrnn.config import Config
from seqrnn.data.answer import Answer, AnswerKind, in_full
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.field import Field, Side, Use
from seqrnn.data.fields.number_field import NumberField, number_of
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.fields.source_kind import source_field
from seqrnn.data.record import Record
from seqrnn.errors import UsageError
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.networks.sizes import ClassifierSizes
from seqrnn.tasks.diagram import Diagram, many_to_one, one_to_one
from seqrnn.tasks.explained import ExplainedOutput
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.scorer import Scorer, Values
from seqrnn.tasks.source_batches import source_batch_count, source_batches
from seqrnn.tasks.task import Claim, LabelSelection, PredictionTask

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import NumbersSeen


class Regression(PredictionTask):
    """A number on the summary of all hidden states, learnt by least squares."""

    name = "regression"
    no_probability = "a number has no probability"
    metric = "mse"
    better = "lower"
    command = "classify"
    asked = "names"
    score_name = "squared error"
    sections = ("numbers", "saliency", "lengths")
    default_epochs = 20.0
    tokens: ClassVar[Mapping[Side, Use]] = {"source": "read"}
    settings = frozenset(
        {
            "model.bidirectional",
            "model.pooling",
            "model.head",
        }
    )
    defaults: ClassVar = {
        "training.precision": "fp32",  # a number is known to more than three digits
        "training.rate_horizon": 3000,
    }

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.source = source_field(config.data)
        self.numbers = NumberField("labels")

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim targets that are numbers: the more different ones, the more surely."""
        from seqrnn.data.label_evidence import number_likelihood
        from seqrnn.data.sample import count

        targets = sample.targets
        if sample.source.multi_label or not targets.filled or not targets.is_numeric:
            return None
        values = count(targets.distinct, "number")
        likelihood = 0.0 if sample.targets_are_classes else number_likelihood(targets)
        return Claim(likelihood, f"{values} {sample.rows}, one for each example")

    @property
    def model(self) -> str:
        """A network without recurrence where the input has no time steps."""
        return "classifier" if self.source.sequential else "feed-forward"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The input and its number."""
        return self.source, self.numbers

    @property
    def inputs(self) -> tuple[SourceField]:
        """The input."""
        return (self.source,)

    @property
    def answer_kind(self) -> AnswerKind:
        """A number."""
        return "number"

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        if not self.source.sequential:
            return "one-to-one: x -> number"
        return "many-to-one: x_1 ... x_T -> h_T -> number"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        return many_to_one("number") if self.source.sequential else one_to_one("number")

    def answers_seen(self) -> NumbersSeen:
        """Return what gathers numbers."""
        from seqrnn.tasks.answers_seen import NumbersSeen

        return NumbersSeen()

    def sizes(self) -> ClassifierSizes:
        """Return the sizes of the input, and that one number comes out."""
        return ClassifierSizes(self.source.sizes(), 1, "number")

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        return source_batch_count(self.config, self.source, dataset, order)

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches of examples of about the same length."""
        numbers = dataset.get("labels")
        for batch in source_batches(self.config, self.source, dataset, order):
            if numbers is not None:
                batch.arrays["labels"] = numbers.gather(batch.examples, 1)[:, 0]
            yield batch

    def scorer(self) -> RegressionScorer:
        """Return a fresh scorer."""
        return RegressionScorer(self.numbers)

    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Return the only choice. Raises UsageError for any other."""
        if k not in {None, 1} or threshold:
            raise UsageError("`k` and `threshold` choose among labels; this model gives a number")
        return LabelSelection()

    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:  # noqa: ARG002
        """Give the number of each example of a batch."""
        return [Answer(float(number), None) for number in self.numbers.restore(values["numbers"])]

    def grade(self, record: Record, answer: Answer) -> Grade:
        """Compare numbers; the score is the squared error."""
        wanted = number_of(record)
        error = (answer.prediction - wanted) ** 2
        return Grade(wanted, answer.prediction, error == 0, error)

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:  # noqa: ARG002
        """Return the number of a row."""
        (number,) = self.numbers.restore(values["numbers"]).tolist()
        return [ExplainedOutput(float(number), None, "numbers", ())]

    def write(self, answer: Answer, text: str, probs: bool) -> str:  # noqa: ARG002
        """Write the number in full. Raises UsageError where its probability is wanted: it has none."""
        if probs:
            raise UsageError("`probs`: a number has no probability; leave it out")
        return in_full(answer.prediction)


class RegressionScorer(Scorer):
    """Gathers the numbers of a data set, and those that would have been right."""

    def __init__(self, numbers: NumberField) -> None:
        self._field = numbers
        self._predicted: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []

    def add(self, batch: Batch, values: Values) -> None:
        """Take the answers to one batch."""
        self._predicted.append(self._field.restore(values["numbers"]))
        self._targets.append(self._field.restore(batch.arrays["labels"]))

    def result(self, loss: float) -> Evaluation:  # noqa: ARG002
        """Return `mse`, in the squared unit of the data, and `r2`, the share of the variance explained."""
        predicted, targets = np.concatenate(self._predicted), np.concatenate(self._targets)
        mse, variance = float(np.mean((predicted - targets) ** 2)), float(targets.var())
        return Evaluation({"mse": mse, "r2": 1.0 - mse / variance if variance else 0.0})
