"""Many-to-one: a label, or several, for a sequence; one-to-one: for one vector or image.

Shapes: B batch, T time, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqrnn.config import Config
from seqrnn.data.answer import Answer, AnswerKind
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.code_points_field import CodePointsField
from seqrnn.data.fields.field import Field, LabelField, Side, TextField, Use
from seqrnn.data.fields.source_kind import source_field
from seqrnn.data.lines import in_one_cell
from seqrnn.data.record import Record
from seqrnn.metrics.calibration import (
    with_temperature,
    with_temperature_each,
)
from seqrnn.metrics.language import entropy
from seqrnn.networks.sizes import ClassifierSizes, NgramSizes, Predicts
from seqrnn.tasks.classification_scorer import ClassificationScorer
from seqrnn.tasks.diagram import Diagram, many_to_one, one_to_one
from seqrnn.tasks.explained import ExplainedOutput, explained_labels, likeliest
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.scorer import Values
from seqrnn.tasks.source_batches import source_batch_count, source_batches
from seqrnn.tasks.task import Claim, LabelSelection, PredictionTask, with_classes

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import NamesSeen

OF_NUMBERS: Mapping[str, Any] = {
    "model.embedding_dropout": 0.0,
    "model.word_dropout": 0.0,
    "model.hidden_size": 128,
    "model.ngram_buckets": 0,
    "training.label_smoothing": 0.0,
}
"""Defaults that differ where numbers are read: few examples, and no value may be missing."""


CHARACTERS = frozenset({"char", "byte", "label"})
"""Kinds of tokens whose n-grams are those of characters, or are none."""

OF_TOKENS, OF_CHARACTERS, OF_CHARACTER_TOKENS = (1, 2), (2, 3, 4, 5), (1, 2, 3, 4, 5)
"""Sizes of n-grams."""

MOST_NGRAM_SCORES = 2**23  # numbers in the table of n-grams, 32 MiB
FEWEST_BUCKETS = 2**10  # in which n-grams do not yet mostly collide

MAX_ALTERNATIVES = 3  # labels beside the one that is explained


class Classification(PredictionTask):
    """A classifier on the summary of all hidden states."""

    name = "classification"
    metric = "accuracy"
    better = "higher"
    command = "classify"
    default_epochs = 10.0
    libraries = ("sklearn.metrics", "scipy.optimize")
    asked = "names"
    sections = ("classes", "mistakes", "saliency", "calibration", "coverage", "lengths")
    tokens: ClassVar[Mapping[Side, Use]] = {"source": "read"}
    holdouts = frozenset({*PredictionTask.holdouts, "stratified"})
    no_probability = "several labels have no probability together (`threshold` is for each)"
    settings = frozenset(
        {
            "data.multi_label",
            "data.label_separator",
            "model.bidirectional",
            "model.pooling",
            "model.head",
            "model.ngram_buckets",
            "model.ngram_dropout",
            "training.class_weights",
            "training.label_smoothing",
        }
    )
    defaults: ClassVar = {
        "data.holdout": "stratified",
        "model.bidirectional": True,
        "model.dropout": 0.5,
        "model.embedding_dropout": 0.5,
        "model.word_dropout": 0.15,
        "model.pooling": "max",
        "model.ngram_buckets": 2**16,
        "training.rate_horizon": 2000,
        "training.average": 0.999,
        "training.label_smoothing": 0.1,
    }

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.source = source_field(config.data)
        self.labels = LabelField("labels", config.data.multi_label)
        self.code_points = self._code_points()

    def _code_points(self) -> CodePointsField | None:
        """Return the characters beside the tokens, where there are n-grams, and tokens are longer."""
        if not self.config.model.ngram_buckets or not isinstance(self.source, TextField):
            return None
        kind = self.source.settings.kind
        return None if kind in CHARACTERS else CodePointsField("code_points", self.source)

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim targets that come again and again."""
        from seqrnn.data.label_evidence import label_likelihood, number_likelihood
        from seqrnn.data.sample import count

        targets = sample.targets
        if sample.source.multi_label:
            return Claim(1.0, f"{count(targets.distinct, 'label')} {sample.rows}")
        if not targets.filled:
            return None
        likelihood = label_likelihood(targets, sample.sources.texts)
        if targets.is_numeric:
            likelihood = min(likelihood, 1 - number_likelihood(targets))
        if sample.targets_are_classes:
            likelihood = 1.0
        elif sample.is_aligned:
            likelihood /= 2  # as many targets as tokens in every row is no chance
        hint = "`task=regression` learns them as numbers" if targets.is_numeric else ""
        return Claim(likelihood, f"{count(targets.distinct, 'label')} {sample.rows}", hint)

    @classmethod
    def defaults_for(cls, source_kind: str, sentences: bool = False) -> Mapping[str, Any]:  # noqa: ARG003
        """Return the defaults for texts, or those for numbers."""
        return cls.defaults if source_kind == "text" else {**cls.defaults, **OF_NUMBERS}

    @property
    def model(self) -> str:
        """A network without recurrence where the input has no time steps."""
        return "classifier" if self.source.sequential else "feed-forward"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The input fields, and the label."""
        return *self.inputs, self.labels

    @property
    def names(self) -> Sequence[str]:
        """The labels."""
        return self.labels.labels

    @property
    def inputs(self) -> tuple[Field, ...]:
        """The input, and its characters where n-grams of them are scored."""
        return (self.source,) if self.code_points is None else (self.source, self.code_points)

    @property
    def answer_kind(self) -> AnswerKind:
        """A label, or several."""
        return "labels" if self.config.data.multi_label else "label"

    @property
    def classes(self) -> Sequence[str]:
        """The labels."""
        return self.labels.labels

    @property
    def may_abstain(self) -> bool:
        """Whether there is one label, whose probability is that of the answer."""
        return not self.config.data.multi_label

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        if not self.source.sequential:
            return "one-to-one: x -> label"
        return "many-to-one: x_1 ... x_T -> h_T -> label"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        return many_to_one("label") if self.source.sequential else one_to_one("label")

    def answers_seen(self) -> NamesSeen:
        """Return what gathers labels."""
        from seqrnn.tasks.answers_seen import NamesSeen

        return NamesSeen("label", self.labels.names_of)

    def sizes(self) -> ClassifierSizes:
        """Return the sizes of the input, the number of classes and whether there may be several."""
        predicts: Predicts = "labels" if self.config.data.multi_label else "label"
        return ClassifierSizes(
            self.source.sizes(), len(self.labels.labels), predicts, self._ngrams(len(self.labels.labels))
        )

    def _ngrams(self, classes: int) -> NgramSizes | None:
        """Return the sizes of n-grams; of many classes there are fewer buckets, and none if they were few."""
        most = min(self.config.model.ngram_buckets, MOST_NGRAM_SCORES // classes)
        if most < FEWEST_BUCKETS or not isinstance(self.source, TextField):
            return None
        if self.code_points is None:
            return NgramSizes(most, OF_CHARACTER_TOKENS, ())
        return NgramSizes(most, OF_TOKENS, OF_CHARACTERS)

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        return source_batch_count(self.config, self.source, dataset, order)

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches of examples of about the same length."""
        labels = dataset.get("labels")
        for batch in source_batches(self.config, self.source, dataset, order):
            if self.code_points is not None:
                batch.arrays["code_points"] = dataset["code_points"].gather(batch.examples)
            if labels is not None:
                batch.arrays.update(self._targets(labels, batch.examples))
            yield batch

    def _targets(self, labels: Column, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return `labels` (B,) or, where several may hold, 0/1 (B, K).

        Numbers from K on are those of unknown labels. Of several they are `unknown_labels` (B, L), where
        there are any, padded with -1.
        """
        if not self.config.data.multi_label:
            return {"labels": labels.gather(rows, 1)[:, 0]}
        numbers, classes = labels.gather(rows, pad_value=-1), len(self.labels.labels)
        targets = np.zeros((len(rows), classes + 1), dtype=np.int64)
        unknown = numbers >= classes
        np.put_along_axis(targets, np.where(unknown | (numbers < 0), classes, numbers), 1, axis=1)
        arrays = {"labels": targets[:, :-1]}
        return {**arrays, "unknown_labels": np.where(unknown, numbers, -1)} if unknown.any() else arrays

    def counting_loss(self, dataset: Dataset) -> float | None:
        """Return the entropy of the labels; of several there is none."""
        return None if self.config.data.multi_label else entropy(dataset["labels"].values)

    def class_weights(self, dataset: Dataset) -> np.ndarray | None:
        """Return `N / (K * n_k)` for each class, or negatives over positives where several may hold."""
        if self.config.training.class_weights == "none":
            return None
        labels = dataset["labels"]
        counts = np.maximum(np.bincount(labels.values, minlength=len(self.labels.labels)), 1)
        others = np.maximum(len(labels) - counts, 1)
        weights: np.ndarray = others / counts
        if not self.config.data.multi_label:
            weights = len(labels) / (len(counts) * counts)
        return weights

    def scorer(self) -> ClassificationScorer:
        """Return a fresh scorer."""
        return ClassificationScorer(self)

    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Fill in what the user left open: the best label, or all that are likelier than not."""
        if not self.config.data.multi_label:
            return LabelSelection(k or 1, threshold or 0.0)
        default = 0.5 if k is None else 0.0
        return LabelSelection(k or len(self.labels.labels), default if threshold is None else threshold)

    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:  # noqa: ARG002
        """Rank the labels of each example of a batch by `log_probs` (B, K)."""
        log_probs = values["log_probs"]
        calibrated = self.calibrated(log_probs)
        if choice.k == 1:
            order = log_probs.argmax(axis=1)[:, None]
        else:
            order = np.argsort(-log_probs, axis=1, kind="stable")[:, : choice.k]  # (B, k)
        lowest = np.log(choice.threshold) if choice.threshold > 0 else -np.inf
        names = self.labels.labels
        scores, sure = (np.take_along_axis(side, order, axis=1) for side in (log_probs, calibrated))
        rankings = (
            [(names[label], *both) for label, *both in zip(*ranking, strict=True) if both[1] >= lowest]
            for ranking in zip(order.tolist(), scores.tolist(), sure.tolist(), strict=True)
        )
        return with_classes([self._answer(ranking) for ranking in rankings], calibrated, choice)

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:  # noqa: ARG002
        """Return the label of a row, or the likely ones."""
        log_probs, names = values["log_probs"][0], self.labels.labels
        likely = np.exp(self.calibrated(values["log_probs"])[0])
        if self.config.data.multi_label:
            return list(explained_labels(log_probs, likely, names, MAX_ALTERNATIVES))
        best = int(log_probs.argmax())
        others = likeliest(likely, names, MAX_ALTERNATIVES, best)
        return [ExplainedOutput(names[best], float(likely[best]), "log_probs", (best,), others)]

    def explained_prediction(self, outputs: Sequence[ExplainedOutput]) -> Any:
        """Return the label, or the list of those that are likely."""
        labels = [output.output for output in outputs]
        return labels if self.config.data.multi_label else labels[0]

    def calibrated(self, log_probs: np.ndarray) -> np.ndarray:
        """Return the log of the probabilities that are answered, for those of the network (B, K)."""
        scaled = with_temperature_each if self.config.data.multi_label else with_temperature
        return scaled(log_probs, self.calibration.temperature)

    def _answer(self, ranking: list[tuple[str, float, float]]) -> Answer:
        labels = [label for label, _, _ in ranking]
        best = labels[0] if labels else None
        score = ranking[0][1] if ranking else None
        nbest = [(label, score) for label, score, _ in ranking]
        sure = () if self.calibration.temperature == 1.0 else [math.exp(likely) for _, _, likely in ranking]
        return Answer(labels if self.config.data.multi_label else best, score, nbest, confidences=sure)

    def grade(self, record: Record, answer: Answer) -> Grade:
        """Compare labels; of several, all must be right and none missing."""
        wanted = list(self.labels.names_of(record))
        if self.config.data.multi_label:
            right = set(answer.prediction) == set(wanted)
            return Grade(wanted, answer.prediction, right, float(right))
        right = answer.prediction == wanted[0]
        return Grade(wanted[0], answer.prediction, right, float(right))

    def write(self, answer: Answer, text: str, probs: bool) -> str:  # noqa: ARG002
        """Write labels, each with its probability if wanted, separated by TABs, of which no label has any.

        Where the model abstains, there is no label, and the probability of the likeliest one.
        """
        ranked = [("", answer.probability)] if answer.abstained else answer.ranked
        named = ((in_one_cell(label), sure) for label, sure in ranked)
        return "\t".join(f"{label}\t{sure:.4f}" if probs else label for label, sure in named)
