"""Many-to-many, aligned: a tag for every token of a sentence.

Shapes: B batch, T time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from msgspec.structs import replace

from seqrnn.config import Config
from seqrnn.data.answer import Answer, AnswerKind
from seqrnn.data.dataset.batching import Batch, BatchOrder, Lengths, batch_rows, fixed_width, limits_of
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.fields.field import Field
from seqrnn.data.fields.tag_schemes import Scheme
from seqrnn.data.fields.token_fields import CharactersField, TagField, TokensField
from seqrnn.data.formats.registry import format_named
from seqrnn.data.lines import in_one_cell
from seqrnn.data.record import Record
from seqrnn.data.text.spellings import unique_spellings
from seqrnn.data.text.tokenizer import TokenizerSettings
from seqrnn.data.text.tokens import split_tokens
from seqrnn.errors import UsageError
from seqrnn.metrics.calibration import (
    confidence_of,
    with_temperature,
)
from seqrnn.networks.sizes import TaggerSizes
from seqrnn.tasks.diagram import Diagram, aligned
from seqrnn.tasks.explained import ExplainedOutput, explained_steps
from seqrnn.tasks.grade import Grade
from seqrnn.tasks.regularization import Regularization
from seqrnn.tasks.scorer import Values
from seqrnn.tasks.tagging_scorer import TaggingScorer
from seqrnn.tasks.task import Claim, LabelSelection, PredictionTask

if TYPE_CHECKING:
    from seqrnn.data.sample import Sample
    from seqrnn.tasks.answers_seen import NamesSeen


class Tagging(PredictionTask):
    """A classifier on every hidden state, or a field of tags over all of them."""

    name = "tagging"
    model = "tagger"
    better = "higher"
    command = "classify"
    asked = "names"
    score_name = "share of right tags"
    decision_name, answer_name = "tags", "sentences"
    sections = ("tagged", "classes", "calibration", "coverage", "lengths")
    source: TokensField
    default_epochs = 30.0
    output_per_token = True
    libraries = ("sklearn.metrics", "scipy.optimize")
    settings = frozenset(
        {
            "data.tag_scheme",
            "model.bidirectional",
            "model.head",
            "model.output_layer",
            "model.character_size",
            "model.character_embedding_size",
            "training.class_weights",
            "training.label_smoothing",
        }
    )
    regularization = Regularization(
        few=4.0,
        many=20.0,
        settings={
            "model.dropout": (0.25, 0.5),
            "model.embedding_dropout": (0.25, 0.5),
            "model.word_dropout": (0.1, 0.2),
        },
    )
    defaults: ClassVar = {
        "data.tokenizer": "word",
        "data.pretokenized": "yes",
        "data.lowercase": True,
        "model.bidirectional": True,
        **regularization.for_passes(math.inf),
        "training.batch_size": 32,
        "training.learning_rate": 5.7e-3,
        "training.rate_horizon": 3000,
        "training.early_stopping": 10,
    }

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        settings = replace(TokenizerSettings.of(config.data), kind="word")
        if config.data.tokenizer not in {"auto", "word"}:
            raise UsageError(
                f"`data.tokenizer` {config.data.tokenizer}: a tag belongs to a word, whose characters "
                "`model.character_size` lets a tagger see; leave it out"
            )
        if config.data.pretokenized == "no":
            raise UsageError("`data.pretokenized=no`: a tag belongs to a token that is given; leave it out")
        self.source = TokensField("source", settings)
        self.characters = CharactersField("characters", config.data.max_tokens)
        self.tags = TagField("tags", config.data.max_tokens, config.data.tag_scheme)

    @classmethod
    def claim(cls, sample: Sample) -> Claim | None:
        """Claim sentences that have one target for each token."""
        from seqrnn.data.sample import count

        if (
            sample.source.multi_label
            or sample.held != "texts"
            or not sample.targets.filled
            or not sample.is_aligned
        ):
            return None
        certain = not format_named(sample.source.format).line_is_row or sample.tokens_are_given
        values = f"{count(len(set(sample.tags)), 'tag')} {sample.rows}, one for each token"
        return Claim(1.0 if certain else 0.95 if sample.has_few_tags else 0.5, values)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The words, their characters if they are read, and the tags."""
        return *self.inputs, self.tags

    @property
    def names(self) -> Sequence[str]:
        """The tags."""
        return self.tags.tags

    @property
    def inputs(self) -> tuple[Field, ...]:
        """The words, and their characters if they are read."""
        return (self.source, self.characters) if self.config.model.character_size else (self.source,)

    @property
    def metric(self) -> str:
        """F1 over spans where tags mark spans, else the share of right tags."""
        return "accuracy" if self.scheme is None else "span_f1"

    @property
    def scheme(self) -> Scheme | None:
        """How the tags, known by now, mark spans."""
        return self.tags.scheme

    @property
    def answer_kind(self) -> AnswerKind:
        """A tag for each token."""
        return "tags"

    def shape(self) -> str:
        """Return the shape of the task as a lecture draws it."""
        return "many-to-many, aligned: x_t -> h_t -> tag, at every t"

    def diagram(self) -> Diagram:
        """Return the network as a lecture draws it."""
        return aligned("tag_1", "tag_2", "tag_T")

    def answers_seen(self) -> NamesSeen:
        """Return what gathers tags."""
        from seqrnn.tasks.answers_seen import NamesSeen

        return NamesSeen("tag", self.tags.names_of)

    def sizes(self) -> TaggerSizes:
        """Return the sizes of the vocabularies, and whether the output layer is a CRF."""
        characters = len(self.characters.tokenizer) if self.config.model.character_size > 0 else 0
        return TaggerSizes(len(self.source.tokenizer), characters, len(self.tags.tags), self._has_crf())

    def _has_crf(self) -> bool:
        layer = self.config.model.output_layer
        return self.scheme is not None if layer == "auto" else layer == "crf"

    def batch_count(self, dataset: Dataset, order: BatchOrder) -> int:
        """Return how many batches a pass has."""
        return sum(1 for _ in self._rows(dataset, order))

    def _rows(self, dataset: Dataset, order: BatchOrder) -> Iterator[np.ndarray]:
        limits = limits_of(order, self.config.training)
        return batch_rows(Lengths(len(dataset), dataset["source"].lengths_of), limits, order)

    def batches(self, dataset: Dataset, order: BatchOrder) -> Iterator[Batch]:
        """Cut a data set into batches of sentences of about the same length."""
        for rows in self._rows(dataset, order):
            yield self._collate(dataset, rows)

    def _collate(self, dataset: Dataset, rows: np.ndarray) -> Batch:
        lengths = dataset["source"].lengths_of(rows)  # (B,)
        source = dataset["source"].gather(rows, fixed_width(self.config.data, dataset["source"]))
        arrays = {"source": source, "lengths": lengths}
        if (characters := dataset.get("characters")) is not None:
            arrays |= unique_spellings(characters.gather(rows), lengths, source.shape[1])
        if (tags := dataset.get("tags")) is not None:
            arrays["tags"] = tags.gather(rows, source.shape[1])
        tokens = int(lengths.sum())
        return Batch(arrays, targets=tokens, tokens=tokens, positions=source.size, rows=rows)

    def class_weights(self, dataset: Dataset) -> np.ndarray | None:
        """Return `N / (K * n_k)` for each tag. Raises UsageError where tags are not judged one by one."""
        if self.config.training.class_weights == "none":
            return None
        if self._has_crf():
            raise UsageError(
                "`training.class_weights` weighs single tags; use it with `model.output_layer=softmax`"
            )
        counts = np.maximum(np.bincount(dataset["tags"].values, minlength=len(self.tags.tags)), 1)
        return len(dataset["tags"].values) / (len(counts) * counts)

    def scorer(self) -> TaggingScorer:
        """Return a fresh scorer."""
        return TaggingScorer(self)

    def choice(self, k: int | None, threshold: float | None) -> LabelSelection:
        """Return the only choice. Raises UsageError for any other."""
        if k not in {None, 1} or threshold:
            raise UsageError("`k` and `threshold` choose among labels; a tagger gives each token one tag")
        return LabelSelection()

    def answers(self, values: Values, batch: Batch, choice: LabelSelection) -> list[Answer]:
        """Name the tags of each sentence of a batch; with `part_probs`, score every tag of each token."""
        if not choice.part_probs:
            return self._tagged(values, batch, self.calibrated(values))
        every = with_temperature(values["log_probs"], self.calibration.temperature)  # (B, T, K)
        answers = self._tagged(values, batch, self.calibrated(values, every))
        return [
            answer._replace(part_classes=scores[: len(answer.parts)].tolist())
            for answer, scores in zip(answers, every, strict=True)
        ]

    def _tagged(self, values: Values, batch: Batch, calibrated: np.ndarray) -> list[Answer]:
        sure = confidence_of(values["log_prob"], self.calibration.confidence).tolist()
        columns = (values["tags"], calibrated, values["log_prob"], batch.arrays["lengths"], sure)
        return [
            self._answer(tags[:length], log_probs[:length], float(log_prob) or 0.0)._replace(
                confidences=(likely,) if length else ()
            )  # an empty one has -0.0
            for tags, log_probs, log_prob, length, likely in zip(*columns, strict=True)
        ]

    def _answer(self, tags: np.ndarray, log_probs: np.ndarray, log_prob: float) -> Answer:
        names = [self.tags.tags[tag] for tag in tags]
        return Answer(names, log_prob, [(names, log_prob)], parts=log_probs.tolist())

    def explained(self, values: Values, batch: Batch) -> list[ExplainedOutput]:
        """Return the tag of each token, with the runners-up."""
        length, names = int(batch.arrays["lengths"][0]), self.tags.tags
        likely = np.exp(with_temperature(values["log_probs"][0, :length], self.calibration.temperature))
        tags = values["tags"][0, :length].tolist()
        return explained_steps(likely, tags, names)

    def explained_prediction(self, outputs: Sequence[ExplainedOutput]) -> list[Any]:
        """Return the tags."""
        return [output.output for output in outputs]

    def calibrated(self, values: Values, every: np.ndarray | None = None) -> np.ndarray:
        """Return the log-probability of each chosen tag, (B, T), as it is answered.

        `every` is that of all tags, (B, T, K), where it is known.
        """
        if self.calibration.temperature == 1.0:
            return values["tag_log_probs"]
        if every is None:
            every = with_temperature(values["log_probs"], self.calibration.temperature)
        return np.take_along_axis(every, values["tags"][:, :, None], axis=2)[:, :, 0]

    @property
    def may_abstain(self) -> bool:
        """Yes: an answer has the probability that all its tags are right."""
        return True

    def grade(self, record: Record, answer: Answer) -> Grade:
        """Compare the tags of a sentence, one by one; those of tokens that were cut off are wrong."""
        wanted, said = list(self.tags.names_of(record)), list(answer.prediction or ())
        hits = sum(tag == other for tag, other in zip(wanted, said, strict=False))
        return Grade(wanted, said, hits == len(wanted), hits / max(len(wanted), 1))

    def plain_fields(self, text: str) -> dict[str, Any]:
        """Return the tokens."""
        return {"tokens": split_tokens(text)}

    def write(self, answer: Answer, text: str, probs: bool) -> str:
        """Write a line for each token, and an empty one: token, tag and, if wanted, the tag's probability.

        Tokens that were cut off have no tag, and none has one where the model abstains.
        """
        rows, tags = [], answer.prediction or ()
        for index, token in enumerate(split_tokens(text)):
            cells = [in_one_cell(token), in_one_cell(tags[index]) if index < len(tags) else ""]
            if probs:
                known = index < len(answer.parts)
                cells.append(f"{math.exp(answer.parts[index]):.4f}" if known else "")
            rows.append("\t".join(cells) + "\n")
        return "".join(rows)
