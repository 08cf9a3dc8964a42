"""Many-to-many, aligned, with many labels a step: which notes come next.

Shapes: B batch, T time, K keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from msgspec.structs import replace

from seqrnn.config import Config
from seqrnn.data.answer import Answer, AnswerKind
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.data.fields.notes_field import NotesField
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.tasks.diagram import Diagram, aligned
from seqrnn.tasks.explained import ExplainedOutput, explained_labels
from seqrnn.tasks.scorer import Scorer, Values
from seqrnn.tasks.source_batches import source_batch_count, source_batches
from seqrnn.tasks.task import Claim, LabelSelection, PredictionTask, with_classes

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import NotesSeen

MAX_ALTERNATIVES = 3  # keys beside those that are explained


class Polyphony(PredictionTask):
    """From the notes of each step those of the next: every key is a label that holds or not."""

    name = "polyphony"
    model = "polyphony"
    metric = "nats_per_step"
    better = "lower"
    command = "classify"
    asked = "names"
    score_name = "nats a step"
    sections = ("music",)
    source: NotesField
    default_epochs = 100.0
    settings = frozenset(
        {
            "data.transpose",
            "model.head",
            "training.label_smoothing",
        }
    )
    defaults: ClassVar = {
        "model.hidden_size": 400,
        "model.dropout": 0.5,
        "model.embedding_dropout": 0.1,
        "training.learning_rate": 5e-3,
        "training.rate_horizon": 3000,
        "training.batch_size": 8,
        "training.batch_tokens": 16384,
        "training.early_stopping": 20,
    }

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.source = NotesField("source", config.data.keys, config.data.max_tokens)

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim notes that have no targets."""
        if sample.kind != "notes" or sample.targets.filled:
            return None
        return Claim(1.0, "the notes of music, of which the next ones are predicted")

    @property
    def fields(self) -> tuple[NotesField]:
        """The notes: each step is the target of the one before."""
        return (self.source,)

    @property
    def inputs(self) -> tuple[NotesField]:
        """The notes."""
        return (self.source,)

    @property
    def answer_kind(self) -> AnswerKind:
        """Keys."""
        return "notes"

    @property
    def classes(self) -> Sequence[str]:
        """The keys, as names."""
        return [str(key) for key in range(self.source.keys)]

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        return "many-to-many, aligned: x_t -> h_t -> the notes of x_{t+1}, at every t"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        return aligned("x_2", "x_3", "x_T+1")

    def answers_seen(self) -> NotesSeen:
        """Return what gathers keys."""
        from seqrnn.tasks.answers_seen import NotesSeen

        return NotesSeen()

    def sizes(self) -> VectorSizes:
        """Return the number of keys."""
        return self.source.sizes()

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        return source_batch_count(self.config, self.source, dataset, order)

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches of pieces of about the same length."""
        most, generator = self.config.data.transpose, order.generator()
        for batch in source_batches(self.config, self.source, dataset, order):
            if most and order.shuffled:
                batch.arrays["source"] = transposed(batch.arrays["source"], most, generator)
            steps = np.maximum(batch.arrays["lengths"] - 1, 0).sum()  # the first one is not predicted
            yield replace(batch, targets=int(steps))

    def scorer(self) -> PolyphonyScorer:
        """Return a fresh scorer."""
        return PolyphonyScorer()

    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Fill in what the user left open: all keys that are likelier than not."""
        default = 0.5 if k is None else 0.0
        return LabelSelection(k or self.source.keys, default if threshold is None else threshold)

    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:  # noqa: ARG002
        """Name the keys that sound next after each piece of a batch, by `log_probs` (B, K)."""
        log_probs = values["log_probs"]
        return with_classes([self._answer(row, choice) for row in log_probs], log_probs, choice)

    def _answer(self, log_probs: np.ndarray, choice: LabelSelection) -> Answer:
        lowest = np.log(choice.threshold) if choice.threshold > 0 else -np.inf
        ranked = np.argsort(-log_probs, kind="stable")[: choice.k]
        ranking = [(int(key), float(log_probs[key])) for key in ranked if log_probs[key] >= lowest]
        score = ranking[0][1] if ranking else None
        return Answer(sorted(key for key, _ in ranking), score, ranking)

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:  # noqa: ARG002
        """Return the keys that are likely to sound next."""
        log_probs = values["log_probs"][0]
        return list(explained_labels(log_probs, np.exp(log_probs), range(self.source.keys), MAX_ALTERNATIVES))

    def explained_prediction(self, outputs: Sequence[ExplainedOutput]) -> list[Any]:
        """Return the keys, in ascending order."""
        return sorted(output.output for output in outputs)

    def write(self, answer: Answer, text: str, probs: bool) -> str:  # noqa: ARG002
        """Write the keys in ascending order, each with its probability if wanted, separated by TABs."""
        cells = (f"{key}\t{np.exp(score):.4f}" if probs else str(key) for key, score in sorted(answer.nbest))
        return "\t".join(cells)


def transposed(notes: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    """Move each piece of `notes` (B, T, K) by a random number of keys, `most` at most, losing none."""
    moved = np.zeros_like(notes)
    for row, piece in enumerate(notes):
        sounding = np.flatnonzero(piece.any(axis=0))
        if len(sounding):
            low, high = max(-most, -sounding[0]), min(most, notes.shape[2] - 1 - sounding[-1])
            moved[row] = np.roll(piece, generator.integers(low, high, endpoint=True), axis=1)
    return moved


class PolyphonyScorer(Scorer):
    """The loss is the figure."""

    def add(self, batch: Batch, values: Values) -> None:
        """Take nothing: the loss is gathered by who measures."""

    def result(self, loss: float) -> Evaluation:
        """Return `nats_per_step`: the sum of the losses of all keys, as a mean over steps."""
        return Evaluation({"nats_per_step": loss})
