"""Rows to answers: encoded, cut into batches by length, answered, and put back into their order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

from seqrnn.answering.backend import Backend, ClassifierBackend, LanguageModelBackend, Seq2SeqBackend
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import CACHED
from seqrnn.config import ModelConfig
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import Batch, BatchLimits, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.field import Field
from seqrnn.data.fields.input_sizes import ImageSizes, InputSizes, VectorSizes
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.metrics.calibration import confidences_of
from seqrnn.networks.sizes import input_of
from seqrnn.search.beam import Beam, Hypothesis
from seqrnn.search.decoding import Decoding, decode, with_row_seeds
from seqrnn.search.generation import Limits
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.tasks.task import GenerationTask, LabelSelection, PredictionTask

EMPTY = Answer("", None)  # until there is another one, which an empty row may never get
MAX_ROWS = 1024  # in a batch: the more there are, the more of them begin alike
MAX_STEP_SIZE = 2**18  # numbers in the hidden states of a batch at one step
MAX_POSITIONS = 2**14  # of a batch
MAX_NUMBERS = 2**22  # that are read in a batch, where they are pixels or features: 16 MiB
# Rows that are written together: with fewer, products are slow; more gain nothing.
MIN_GENERATION_ROWS, MAX_GENERATION_ROWS = 32, 256
_LARGE = Lock()  # held by the one thread that computes a batch of a single long row
MAX_SCORES = 2**23  # of next tokens, in a batch of rows that are written: 32 MiB


def order_of(config: ModelConfig, reads: InputSizes) -> BatchOrder:
    """Return how rows that are read are cut into batches, whatever suited training.

    Large images and vectors of many features come in smaller batches.
    """
    rows = max(MIN_GENERATION_ROWS, min(MAX_ROWS, MAX_STEP_SIZE // config.hidden_size))
    positions = MAX_POSITIONS
    match reads:
        case ImageSizes():
            rows = min(rows, max(1, MAX_NUMBERS // max(reads.channels * reads.side**2, 1)))
        case VectorSizes():
            positions = min(MAX_POSITIONS, MAX_NUMBERS // reads.features)
    return BatchOrder(limits=BatchLimits(rows, positions))


def order_of_writing(config: ModelConfig, width: int, vocabulary_size: int) -> BatchOrder:
    """Return the same for rows that are written, when `width` sequences are followed for each at a time.

    A step over them should stay in a processor's cache, and must not score too many tokens.
    """
    numbers = load(CELLS[config.cell]).projection_size(config.hidden_size) * width
    rows = max(MIN_GENERATION_ROWS, min(MAX_GENERATION_ROWS, CACHED // numbers))
    rows = max(1, min(rows, MAX_SCORES // (width * vocabulary_size)))
    return BatchOrder(limits=BatchLimits(rows, MAX_POSITIONS))


class Labeller:
    """Answers rows with labels."""

    def __init__(self, task: PredictionTask, backend: Backend) -> None:
        assert isinstance(backend, ClassifierBackend)
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record], choice: LabelSelection) -> list[Answer]:
        """Answer each record, in order; but for rounding, an answer does not depend on the other records."""
        dataset, texts = _encode(self._task.inputs, records)
        answers = [EMPTY] * len(records)
        for batch in self._task.batches(
            dataset, order_of(self._task.config.model, input_of(self._task.sizes()))
        ):
            with _turn_of(batch):
                found = self._task.answers(self._backend.values(batch), batch, choice)
            for row, answer in zip(batch.examples.tolist(), found, strict=True):
                answers[row] = _noted(answer, texts[row])
        return answers


class RowWriter:
    """Answers rows with sequences."""

    def __init__(self, task: GenerationTask, backend: Backend) -> None:
        assert isinstance(backend, Seq2SeqBackend)
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record], decoding: Decoding) -> list[Answer]:
        """Answer each record, in order, with `decoding.n_best` sequences; an empty one with an empty one."""
        filled = [row for row, record in enumerate(records) if not record.is_blank]
        dataset, texts = _encode(self._task.inputs, [records[row] for row in filled])

        answers = [EMPTY] * len(records)
        for batch in self._task.batches(dataset, self._order(decoding)):
            examples = batch.examples.tolist()
            rows = with_row_seeds(decoding, [records[filled[example]].line for example in examples])
            with _turn_of(batch):
                found = decode(self._backend, self._backend.begin(batch), rows)
            for example, hypotheses in zip(examples, found, strict=True):
                answers[filled[example]] = self._answer(hypotheses, texts[example], decoding.limits)
        return answers

    def _order(self, decoding: Decoding) -> BatchOrder:
        beam = decoding.strategy
        width = max(decoding.n_best, beam.size if isinstance(beam, Beam) else 1)
        return order_of_writing(self._task.config.model, width, len(self._task.output.tokenizer))

    def _answer(self, found: Sequence[Hypothesis], text: Encoded, limits: Limits) -> Answer:
        to_text = self._task.output.tokenizer.decode
        nbest = [(to_text(hypothesis.tokens.tolist()), hypothesis.score) for hypothesis in found]
        cut = text.truncated or not (found[0].ended or limits.fixed_len)
        fitted = self._task.calibration.confidence
        sure = () if fitted is None else confidences_of(nbest, fitted)
        return Answer(*nbest[0], nbest, truncated=cut, unknown=text.unknown, confidences=sure)


class LineScorer:
    """Says how surprising each line is to a language model."""

    def __init__(self, task: LanguageModeling, backend: Backend) -> None:
        assert isinstance(backend, LanguageModelBackend)
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record]) -> list[Answer]:
        """Answer each record, in order, with the mean surprisal of its tokens, in nats.

        The end of a line is one of them. The score is the log-probability of the whole line.
        """
        dataset, texts = _encode(self._task.fields, [self._task.line_of(record) for record in records])

        answers = [EMPTY] * len(records)
        order = order_of_writing(self._task.config.model, 1, len(self._task.text.tokenizer))
        for batch in self._task.line_batches(dataset, order):
            with _turn_of(batch):
                scores = self._backend.log_likelihood(batch).tolist()
            sides = scores, batch.arrays["lengths"].tolist()
            for row, score, length in zip(batch.examples.tolist(), *sides, strict=True):
                text = texts[row]
                answers[row] = Answer(-score / length, score, (), text.truncated, text.unknown)
        return answers


def _turn_of(batch: Batch) -> AbstractContextManager[object]:
    """Return what is held while a batch is computed: one that is over the limits has the memory to itself."""
    return _LARGE if batch.positions > MAX_POSITIONS else nullcontext()


def _noted(answer: Answer, text: Encoded) -> Answer:
    """Return an answer with what is to be said of its text, which is nothing as a rule."""
    if not text.truncated and not text.unknown:
        return answer
    return answer._replace(truncated=text.truncated, unknown=text.unknown)


def _encode(fields: Sequence[Field], records: Sequence[Record]) -> tuple[Dataset, list[Encoded]]:
    """Encode some rows; return with them the first field, which holds their texts."""
    encoded = {field.name: field.encode(records) for field in fields}
    columns = {name: Column.of([side.ids for side in sides]) for name, sides in encoded.items()}
    return Dataset(columns), encoded[fields[0].name]
