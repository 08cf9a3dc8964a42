"""A language model: the next token from all tokens before it.

Shapes: B rows, T time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqrnn.config import Config
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import (
    Batch,
    BatchOrder,
    Lengths,
    StreamBatches,
    batch_rows,
    fixed_width,
    limits_of,
    teacher_forcing_pair,
)
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.field import Side, TextField, Use
from seqrnn.data.fields.input_sizes import TokenSizes
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import UNK, TokenizerSettings
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.metrics.language import entropy, language_scores
from seqrnn.tasks.diagram import Diagram, aligned
from seqrnn.tasks.explained import ExplainedOutput, likeliest
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.regularization import Regularization
from seqrnn.tasks.scorer import Scorer, Values
from seqrnn.tasks.size_preset import SizePreset
from seqrnn.tasks.task import Claim, Task, one_batch

MAX_NEXT_TOKENS = 10  # that an explanation tells

# Nats a character of tiny Shakespeare's validation part by updates of 24 x 64 characters (the last: 64 x 64)
SMALL_LOSSES: Mapping[int, float] = {1: 4.2, 100: 2.245, 300: 1.974, 1000: 1.739, 3000: 1.608}
MIDDLE_LOSSES: Mapping[int, float] = {1: 4.2, 100: 2.175, 300: 1.908, 1000: 1.650, 3000: 1.542}
USUAL_LOSSES: Mapping[int, float] = {1: 4.2, 100: 2.153, 300: 1.882, 1000: 1.616, 3000: 1.460, 10_431: 1.423}
LARGE_LOSSES: Mapping[int, float] = {1: 4.2, 100: 2.088, 300: 1.603, 1000: 1.422, 3000: 1.393}

OF_WORDS: Mapping[str, Any] = {
    "model.hidden_size": 256,
    "model.embedding_size": 256,
    "model.tie_embeddings": True,
    "training.learning_rate": 5e-3,
    "training.batch_size": 20,
    "training.segment_length": 35,
    "training.restart_every": 10,
}
"""Defaults that differ where a token is one of many words: vectors learnt from both ends, and small batches.

A text of words is long, so a short training would never begin anywhere but with its first update, and go
astray from an empty state. All is measured on a million words, in docs/results.md.
"""

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample


class LanguageModeling(Task):
    """One long text, read in streams whose state is carried on, or one example a line."""

    name = "language-model"
    model = "language-model"
    metric = "loss"
    better = "lower"
    command = "generate"
    asked = "lines"
    score_name = "surprisal"
    learns_soon = True
    rate_by_width = 1.35  # by 1, 2 x 1,024 units with batches of 24 never learn more than frequencies
    sections = ("surprisal", "lengths")
    default_epochs = 10.0
    tokens: ClassVar[Mapping[Side, Use]] = {"source": "written"}
    settings = frozenset(
        {
            "model.tie_embeddings",
            "training.segment_length",
            "training.restart_every",
            "training.label_smoothing",
            "training.sampled_tokens",
        }
    )
    defaults: ClassVar = {
        "data.tokenizer": "char",
        "model.hidden_size": 320,
        "model.dropout": 0.15,
        "training.batch_size": 24,
        "training.learning_rate": 7.5e-3,
        "training.rate_horizon": 12000,
        "training.weight_decay": 0.1,
    }

    # LSTM 1024 on a million characters is best with a dropout of 0.15 in 8 passes, and of 0.6 in 24.
    PRESETS: ClassVar = (
        SizePreset({"model.hidden_size": 128}, SMALL_LOSSES),
        SizePreset({"model.hidden_size": 192}, MIDDLE_LOSSES),
        SizePreset({}, USUAL_LOSSES),
        SizePreset(
            {
                "model.hidden_size": 1024,
                "training.batch_size": 64,
                "training.learning_rate": 3e-3,
                "training.weight_decay": 0.5,
                "training.average": 0.999,
            },
            LARGE_LOSSES,
            needs_gpu=True,
            regularization=Regularization(
                few=8.0,
                many=24.0,
                settings={
                    "model.dropout": (defaults["model.dropout"], 0.6),
                    "model.embedding_dropout": (0.0, 0.2),
                    "model.word_dropout": (0.0, 0.05),
                },
            ),
        ),
    )

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.stream = config.data.format == "text"
        self.text = TextField("text", TokenizerSettings.of(config.data).written(), self.stream)

    @classmethod
    def defaults_for(cls, source_kind: str, sentences: bool = False) -> Mapping[str, Any]:  # noqa: ARG003
        """Return the defaults for characters, or for a language's words."""
        return {**cls.defaults, **OF_WORDS} if sentences else cls.defaults

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim texts that have no targets."""
        if sample.held != "texts" or sample.targets.filled or sample.source.multi_label:
            return None
        return Claim(1.0, "text without labels")

    @property
    def fields(self) -> tuple[TextField]:
        """The text."""
        return (self.text,)

    @property
    def size_presets(self) -> tuple[SizePreset, ...]:
        """Networks for a long text of characters."""
        return self.PRESETS if self.stream and self.config.data.tokenizer in {"char", "byte"} else ()

    def counting_loss(self, dataset: Dataset) -> float:
        """Return the entropy of single tokens."""
        return entropy(dataset["text"].values)

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        return "language model: x_1 ... x_t -> h_t -> x_{t+1}, at every t"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        return aligned("x_2", "x_3", "x_T+1")

    def sizes(self) -> TokenSizes:
        """Return the vocabulary's size."""
        return TokenSizes(len(self.text.tokenizer))

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        if self.stream:
            return len(self._stream(dataset, order))
        return sum(1 for _ in self._rows(dataset, order))

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a text into segments, or examples into batches of about the same length."""
        if self.stream:
            yield from self._stream(dataset, order)
            return
        for rows in self._rows(dataset, order):
            yield self._collate(dataset, rows)

    def _stream(self, dataset: Dataset, order: BatchOrder) -> StreamBatches:
        training = self.config.training
        length = training.segment_length
        if order.limits is not None:
            length = order.limits.positions // order.streams
        elif not order.shuffled:  # fewer streams in longer segments: as many tokens a batch, in fewer calls
            length *= max(training.batch_size // order.streams, 1)
        return StreamBatches(dataset["text"].values, max(length, 1), order, training.restart_every)

    def _rows(self, dataset: Dataset, order: BatchOrder) -> Iterator[np.ndarray]:
        limits = limits_of(order, self.config.training)
        column = dataset["text"]
        return batch_rows(Lengths(len(column), lambda rows: column.lengths_of(rows) + 1), limits, order)

    def _collate(self, dataset: Dataset, rows: np.ndarray) -> Batch:
        """Frame each example by <bos> and <eos>: `inputs` and `targets` are (B, T)."""
        width = None if self.stream else fixed_width(self.config.data, dataset["text"])
        arrays = teacher_forcing_pair(dataset["text"], rows, None if width is None else width + 1)
        tokens = int(arrays["lengths"].sum())
        return Batch(arrays, targets=tokens, tokens=tokens, positions=arrays["targets"].size, rows=rows)

    def line_of(self, record: Record) -> Record:
        """Return a line with what ends it in a long text, a newline."""
        return record._replace(source=record.source + "\n") if self.stream else record

    def line_batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut lines into batches as `_collate` makes them, each line from its own start, whatever was learnt.

        The `lengths` count what ends a line: a newline in a long text, else <eos>.
        """
        for rows in self._rows(dataset, order):
            batch = self._collate(dataset, rows)
            batch.arrays["lengths"] -= int(self.stream)
            yield batch

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:  # noqa: ARG002
        """Return the likeliest next token after a line, with the others that are likely."""
        log_probs = values["log_probs"][0]  # (T, V)
        best = int(log_probs[-1].argmax())
        next_tokens = likeliest(np.exp(log_probs[-1]), self.text.tokenizer.tokens, MAX_NEXT_TOKENS)
        token, likely = next_tokens[0]
        return [ExplainedOutput(token, likely, "log_probs", (-1, best), next_tokens)]

    def surprisals(self, values: Values, batch: Batch) -> list[float]:
        """Return the surprisal of each token of a line; its end is none of them."""
        log_probs, targets = values["log_probs"][0][:-1], batch.arrays["targets"][0][:-1]
        surprisals: list[float] = (-log_probs[np.arange(len(targets)), targets]).tolist()
        return surprisals

    def explained_batches(self, dataset: Dataset) -> Iterator[Batch]:
        """Make one batch of lines, each from its own start."""
        for rows in self._rows(dataset, one_batch(dataset)):
            yield self._collate(dataset, rows)

    @property
    def explained_fields(self) -> tuple[TextField]:
        """The text."""
        return (self.text,)

    def grade(self, record: Record, answer: Answer) -> Grade:  # noqa: ARG002
        """Return the mean surprisal of a line's tokens, in nats."""
        return Grade(None, answer.prediction, None, answer.prediction)

    def scorer(self) -> LanguageScorer:
        """Return a fresh scorer."""
        return LanguageScorer(self)


class LanguageScorer(Scorer):
    """Counts the characters that the target tokens stand for."""

    def __init__(self, task: LanguageModeling) -> None:
        self._characters = task.text.tokenizer.character_counts()  # (V,)
        self._count = 0
        self._tokens = 0
        self._unknown = 0

    def add(self, batch: Batch, values: Values) -> None:  # noqa: ARG002
        """Take the targets of one batch."""
        self._count += int(self._characters[batch.arrays["targets"]].sum())
        self._tokens += batch.targets
        self._unknown += int((batch.arrays["targets"] == UNK).sum())

    def result(self, loss: float) -> Evaluation:
        """Return perplexity, bits a character and how many tokens were <unk>: training did not have them."""
        scores = language_scores(loss * self._tokens, self._tokens, max(self._count, 1))
        return Evaluation({**scores, "unknown_tokens": self._unknown})
