"""A task that the package does not have: yes or no to a text, by one score and a threshold of one half."""

from __future__ import annotations

import numpy as np

from seqrnn.data.answer import Answer
from seqrnn.data.fields.field import LabelField
from seqrnn.data.fields.source_kind import source_field
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.networks.sizes import ClassifierSizes
from seqrnn.tasks.diagram import many_to_one
from seqrnn.tasks.explained import ExplainedOutput
from seqrnn.tasks.scorer import Scorer
from seqrnn.tasks.source_batches import source_batch_count, source_batches
from seqrnn.tasks.task import Claim, LabelSelection, PredictionTask


class YesNo(PredictionTask):
    """Says whether a text has the label that comes last in the alphabet."""

    name = "yes-no"
    model = "classifier"
    metric = "accuracy"
    better = "higher"
    command = "classify"
    asked = "names"
    answer_kind = "label"
    default_epochs = 20.0
    tokens = {"source": "read"}  # noqa: RUF012
    settings = frozenset({"model.bidirectional", "model.pooling", "model.head"})
    defaults = {"model.bidirectional": True}  # noqa: RUF012

    def __init__(self, config):
        super().__init__(config)
        self.source = source_field(config.data)
        self.labels = LabelField("labels", multi_label=False)

    @classmethod
    def claim(cls, sample):
        """Claim two labels, less surely than a classifier does."""
        return Claim(0.1, "two labels") if sample.targets.distinct == 2 else None

    @property
    def fields(self):
        return self.source, self.labels

    @property
    def inputs(self):
        return (self.source,)

    @property
    def names(self):
        return self.labels.labels

    def shape(self):
        return "many-to-one: x_1 ... x_T -> h_T -> yes or no"

    def diagram(self):
        return many_to_one("yes or no")

    def sizes(self):
        return ClassifierSizes(self.source.sizes(), 1, "labels")

    def batch_count(self, dataset, order):
        return source_batch_count(self.config, self.source, dataset, order)

    def batches(self, dataset, order):
        for batch in source_batches(self.config, self.source, dataset, order):
            if (labels := dataset.get("labels")) is not None:
                batch.arrays["labels"] = labels.gather(batch.examples)[:, :1]  # (B, 1)
            yield batch

    def scorer(self):
        return YesNoScorer()

    def choice(self, k, threshold):
        return LabelSelection()

    def answers(self, values, batch, choice):
        return [self._answer(float(log_prob)) for log_prob in values["log_probs"][:, 0]]

    def _answer(self, log_prob):
        yes = log_prob >= np.log(0.5)
        score = log_prob if yes else float(np.log1p(-np.exp(log_prob)))
        label = self.labels.labels[int(yes)]
        return Answer(label, score, [(label, score)])

    def explained(self, values, batch):
        answer = self._answer(float(values["log_probs"][0, 0]))
        return [ExplainedOutput(answer.prediction, answer.probability, "log_probs", (0,))]

    def write(self, answer, text, probs):
        return f"{answer.prediction}\t{answer.probability:.4f}" if probs else answer.prediction


class YesNoScorer(Scorer):
    """Counts right answers."""

    def __init__(self):
        self._right = []

    def add(self, batch, values):
        self._right.append((values["log_probs"] >= np.log(0.5)) == batch.arrays["labels"])

    def result(self, loss):
        return Evaluation({"loss": loss, "accuracy": float(np.concatenate(self._right).mean())})
