"""Many-to-many: a sequence is read, then another one is written; one-to-many: from an image or a vector.

Shapes: B batch, S source, T target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqrnn.config import Config
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import (
    Batch,
    BatchOrder,
    Lengths,
    batch_rows,
    fixed_width,
    limits_of,
    teacher_forcing_pair,
)
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.dataset.references import END, ReferencesField, shared_references
from seqrnn.data.fields.field import Field, Side, TextField, Use
from seqrnn.data.fields.source_fields import SourceField
from seqrnn.data.fields.source_kind import kind_named, source_field
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import TokenizerSettings
from seqrnn.networks.sizes import EncoderDecoderSizes
from seqrnn.tasks.diagram import Diagram, TimeStep, encoder, writing
from seqrnn.tasks.explained import ExplainedOutput, explained_steps
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.scorer import Values
from seqrnn.tasks.seq2seq_scorer import WritingScorer
from seqrnn.tasks.size_preset import SizePreset
from seqrnn.tasks.source_batches import source_batch
from seqrnn.tasks.task import Claim, GenerationTask

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import AnswersSeen

OF_IMAGES: Mapping[str, Any] = {
    "model.hidden_size": 256,
    "model.dropout": 0.1,
    "model.embedding_dropout": 0.0,
    "training.batch_size": 32,
    "training.label_smoothing": 0.0,
}
"""Defaults that differ where images or vectors are read, which small batches learn to see much sooner."""

OF_SENTENCES: Mapping[str, Any] = {
    "model.hidden_size": 256,
    "model.embedding_size": 256,
    "model.tie_embeddings": True,
    "model.dropout": 0.2,
    "model.embedding_dropout": 0.1,
    "training.batch_size": 32,
    "training.learning_rate": 5e-3,
    "training.rate_horizon": 1300,
}
"""Defaults that differ where sentences are translated.

With thousands of tokens to choose from, most of the work is the last product: tied embeddings make it
smaller, and the vectors of rare tokens are learnt from both ends. Many large steps learn to attend
sooner.
"""


LOSSES_OF_SYMBOLS: Mapping[int, Mapping[int, float]] = {
    64: {1: 3.8, 100: 1.404, 300: 0.561, 1000: 0.416},
    128: {1: 3.8, 100: 1.049, 300: 0.476, 1000: 0.353, 3000: 0.303, 10_000: 0.264},
    192: {1: 3.8, 100: 0.970, 300: 0.450, 1000: 0.329, 3000: 0.285, 6000: 0.264},
    320: {1: 3.8, 100: 0.841, 300: 0.421, 1000: 0.312, 3000: 0.273, 6000: 0.252},
}
"""Nats a phoneme of CMUdict's validation part, by the hidden size and updates of 128 words."""


class Seq2Seq(GenerationTask):
    """An encoder that reads the source, and a decoder that writes the target."""

    name = "seq2seq"
    model = "encoder-decoder"
    better = "lower"
    command = "generate"
    asked = "sequences"
    score_name = "exact match"
    sections = ("edits", "mistakes", "alignments", "calibration", "coverage", "lengths")
    default_epochs = 30.0
    rate_by_width = 1.0  # by a root, 1,024 units with small batches go astray
    libraries = ("rapidfuzz.distance", "sacrebleu.metrics", "scipy.optimize")
    tokens: ClassVar[Mapping[Side, Use]] = {"source": "translated", "target": "written"}
    settings = frozenset(
        {
            "data.target_tokenizer",
            "data.target_pretokenized",
            "data.target_vocabulary_size",
            "model.bidirectional",
            "model.tie_embeddings",
            "model.attention",
            "model.entry",
            "model.scheduled_sampling",
            "training.label_smoothing",
            "training.bleu_tokenizer",
        }
    )
    defaults: ClassVar = {
        "data.holdout": "sources",
        "data.valid_fraction": 0.05,
        "model.bidirectional": True,
        "model.hidden_size": 320,
        "model.dropout": 0.3,
        "model.embedding_dropout": 0.2,
        "training.learning_rate": 3e-3,
        "training.rate_horizon": 3000,
        "training.batch_size": 128,
        "training.batch_tokens": 16384,
        "training.schedule": "linear",
        "training.label_smoothing": 0.1,
        "training.average": 0.999,
    }

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.source = source_field(config.data)
        self.target = TextField("target", TokenizerSettings.of_target(config.data), side="target")
        self.references = ReferencesField("references")

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim targets that are too many, too long or too like their sources for labels."""
        from seqrnn.data.label_evidence import label_likelihood
        from seqrnn.data.sample import count

        targets = sample.targets
        if sample.source.multi_label or not targets.filled or sample.targets_are_classes:
            return None
        kind = sample.source.kind
        if kind == "label":
            return Claim(1.0, f"{count(targets.distinct, 'text')} {sample.rows}, each written from a label")
        likelihood = 1 - label_likelihood(targets, sample.sources.texts)
        if targets.is_numeric:
            likelihood = min(likelihood, 0.4)
        values = count(targets.distinct, "target")
        if sample.is_aligned:
            likelihood /= 2  # as many targets as tokens in every row is no chance
        hint = "`task=classification`, if that is a label" if len(sample.records) == 1 else ""
        return Claim(likelihood, f"{values} {sample.rows}, too many or too long for labels", hint)

    @classmethod
    def defaults_for(cls, source_kind: str, sentences: bool = False) -> Mapping[str, Any]:
        """Return the defaults for symbols, for sentences, or for images and vectors."""
        if not kind_named(source_kind).sequential:
            return {**cls.defaults, **OF_IMAGES}
        return {**cls.defaults, **OF_SENTENCES} if sentences and source_kind == "text" else cls.defaults

    @property
    def fields(self) -> tuple[Field, ...]:
        """The source, the target, and all references."""
        return self.source, self.target, self.references

    @property
    def size_presets(self) -> tuple[SizePreset, ...]:
        """Networks for symbols; the default size tells sentences apart."""
        usual = self.defaults["model.hidden_size"]
        if self.config.data.source_kind != "text" or self.config.model.hidden_size != usual:
            return ()
        return tuple(
            SizePreset({"model.hidden_size": size}, losses) for size, losses in LOSSES_OF_SYMBOLS.items()
        )

    @property
    def metric(self) -> str:
        """The token error rate; the loss where much would be right: names of a kind, captions of an image."""
        return "loss" if self._is_one_to_many() else "token_error_rate"

    def _is_one_to_many(self) -> bool:
        return self.config.data.source_kind == "label" or not self.source.sequential

    @property
    def inputs(self) -> tuple[SourceField]:
        """The source."""
        return (self.source,)

    @property
    def may_abstain(self) -> bool:
        """Yes: a sequence has the probability that it is what is wanted."""
        return True

    @property
    def output(self) -> TextField:
        """What is written."""
        return self.target

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        kind = self.config.data.source_kind
        if self._is_one_to_many():
            read = kind_named(kind).drawn or kind
            return f"one-to-many: {read} -> {self._entry()} -> y_1 ... y_T, each y_t read before y_{{t+1}}"
        return "many-to-many: x_1 ... x_S -> encoder -> decoder -> y_1 ... y_T"

    def _entry(self) -> str:
        return "s_0" if self.config.model.entry == "state" else "x_0"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        if not self._is_one_to_many():
            return writing(*encoder())
        kind = self.config.data.source_kind
        if self.config.model.entry == "first":
            return writing(TimeStep(kind, "d_0"))
        return writing(TimeStep(kind, "CNN" if kind == "image" else "s_0"))

    def answers_seen(self) -> AnswersSeen:
        """Return what wants a target of each example, and counts labels that are written from."""
        from seqrnn.tasks.answers_seen import NamesSeen, TargetsSeen

        if self.config.data.source_kind == "label":
            return NamesSeen("label", lambda record: (record.source.strip(),))
        return TargetsSeen()

    def sizes(self) -> EncoderDecoderSizes:
        """Return the sizes of the source, whether it has time steps, and the size of the target."""
        return EncoderDecoderSizes(self.source.sizes(), self.source.sequential, len(self.target.tokenizer))

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        return sum(1 for _ in self._rows(dataset, order))

    def _rows(self, dataset: Dataset, order: BatchOrder) -> Iterator[np.ndarray]:
        limits = limits_of(order, self.config.training)
        source, target = dataset["source"], dataset.get("target")

        def lengths(rows: np.ndarray) -> np.ndarray:
            read = self.source.lengths(source, rows)
            return read if target is None else np.stack((read, target.lengths_of(rows) + 1), axis=1)  # (B, 2)

        return batch_rows(Lengths(len(dataset), lengths), limits, order)

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches of examples both sides of which are of about the same length."""
        references = None if order.shuffled else self._references(dataset)
        for rows in self._rows(dataset, order):
            read = source_batch(self.config, self.source, dataset["source"], rows)
            arrays = {"source": read.arrays["source"], "source_lengths": read.arrays["lengths"]}
            if "target" in dataset.columns:
                arrays |= self._target(dataset, rows)
            if references is not None:
                arrays["references"] = references.gather(rows, pad_value=END)
            written = int(arrays["target_lengths"].sum()) if "target_lengths" in arrays else 0
            yield Batch(
                arrays,
                targets=written,
                tokens=read.tokens + written,
                positions=read.positions + (arrays["targets"].size if written else 0),
                rows=rows,
            )

    def _target(self, dataset: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Frame each target by <bos> and <eos>: `inputs` and `targets` are (B, T)."""
        width = fixed_width(self.config.data, dataset["target"])
        arrays = teacher_forcing_pair(dataset["target"], rows, None if width is None else width + 1)
        return {"target_lengths": arrays.pop("lengths"), **arrays}

    def _references(self, dataset: Dataset) -> Column | None:
        """Return what would be right for each example: for an image, what any of its examples says."""
        references = dataset.get("references")
        if references is None or self.source.sequential:
            return references
        return shared_references(dataset["source"], references)

    def generation_limit(self, batch: Batch) -> int:
        """Return twice the longest target and a little: what is longer is wrong anyway."""
        return 2 * int(batch.arrays["target_lengths"].max()) + 5

    def grade(self, record: Record, answer: Answer) -> Grade | None:
        """Compare what was written with all that would be right, token by token.

        None where texts are written from labels: there are more right ones than any data name.
        """
        if self.config.data.source_kind == "label":
            return None
        split = self.target.tokenizer.split
        right = split(answer.prediction or "") in map(split, record.targets)
        return Grade(list(record.targets), answer.prediction, right, float(right))

    def with_references(self, records: Sequence[Record]) -> list[Record]:
        """Return records of which those that read the same image or vector have each other's targets."""
        if self.source.sequential:
            return list(records)
        accepted: dict[str, list[str]] = {}
        for record in records:
            accepted.setdefault(_read(record), []).extend(record.targets)
        return [record._replace(targets=tuple(dict.fromkeys(accepted[_read(record)]))) for record in records]

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:
        """Return the tokens that were written, which are the batch's targets, with the runners-up."""
        written = batch.arrays["targets"][0, : int(batch.arrays["target_lengths"][0]) - 1].tolist()
        tokens, likely = self.target.tokenizer.tokens, np.exp(values["log_probs"][0])  # (T, V)
        return explained_steps(likely, written, tokens)

    def explained_prediction(self, outputs: Sequence[ExplainedOutput]) -> str:
        """Return the text that was written."""
        return self.target.tokenizer.decode(output.at[-1] for output in outputs)

    def scorer(self) -> WritingScorer:
        """Return a fresh scorer."""
        return WritingScorer(self)


def _read(record: Record) -> str:
    """Return a key of a record's input, which is equal for equal inputs alone."""
    return record.source if record.steps is None else np.asarray(record.steps).tobytes().hex()
