"""Rows to answers: encoded, cut into batches by length, answered, and put back into their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from seqrnn.answering.backend import Continuing, Naming, Writing
from seqrnn.answering.side_by_side import Each
from seqrnn.catalog import CELLS, load
from seqrnn.config import ModelConfig
from seqrnn.data.batching import Batch, BatchLimits, Pass
from seqrnn.data.columns import Column, Dataset
from seqrnn.data.fields import Field
from seqrnn.data.record import Record
from seqrnn.data.tokenizer import Encoded
from seqrnn.search.beam import Beam, Hypothesis
from seqrnn.search.decoding import Decoding, decode, seeded
from seqrnn.search.generation import Limits
from seqrnn.tasks.language_model import LanguageModel
from seqrnn.tasks.task import Answer, AnsweringTask, Choice, WritingTask

EMPTY = Answer("", None)  # to an empty row
FEWEST, MOST = 32, 256  # rows in a batch: below, products are slow; above, they get no faster
CACHED = 2**17  # numbers, 512 KiB: what a step computes should stay in a processor's cache
POSITIONS = 16384  # of a batch
MOST_SCORES = 2**23  # of next tokens, in a batch of rows that are written: 32 MiB


def order_of(config: ModelConfig, width: int = 1) -> Pass:
    """Return how rows are cut into batches, whatever suited training; `width` sequences go on from each."""
    numbers = load(CELLS[config.cell]).gates * config.hidden_size * width
    return Pass(limits=BatchLimits(max(FEWEST, min(MOST, CACHED // numbers)), POSITIONS))


class Labeller:
    """Answers rows with labels; `each` is `map`, or another way to call a function for every batch."""

    def __init__(self, task: AnsweringTask, backend: Naming, each: Each = map) -> None:
        self._task = task
        self._backend = backend
        self._each = each

    def answer(self, records: Sequence[Record], choice: Choice) -> list[Answer]:
        """Answer each record, in order; an answer does not depend on the other records."""
        dataset, texts = _encode(self._task.inputs, records)

        def label(batch: Batch) -> Iterable[tuple[int, Answer]]:
            found = self._task.answers(self._backend.values(batch), batch, choice)
            return zip(batch.examples.tolist(), found, strict=True)

        order = order_of(self._task.config.model)
        answers = dict(chain.from_iterable(self._each(label, self._task.batches(dataset, order))))
        return [_noted(answers[row], text) for row, text in enumerate(texts)]


class RowWriter:
    """Answers rows with sequences; `each` as for labels."""

    def __init__(self, task: WritingTask, backend: Writing, each: Each = map) -> None:
        self._task = task
        self._backend = backend
        self._each = each
        self._batches = 0  # so far: each has draws of its own

    def answer(self, records: Sequence[Record], decoding: Decoding) -> list[Answer]:
        """Answer each record, in order, with `decoding.n_best` sequences; an empty one with an empty one."""
        filled = [row for row, record in enumerate(records) if not record.is_blank]
        dataset, texts = _encode(self._task.inputs, [records[row] for row in filled])

        def write(numbered: tuple[int, Batch]) -> list[tuple[int, Answer]]:
            number, batch = numbered
            found = decode(self._backend, self._backend.begin(batch), seeded(decoding, number))
            return [
                (filled[row], self._answer(hypotheses, texts[row], decoding.limits))
                for row, hypotheses in zip(batch.examples.tolist(), found, strict=True)
            ]

        answers = [EMPTY] * len(records)
        for written in self._each(write, self._numbered(self._task.batches(dataset, self._order(decoding)))):
            for row, answer in written:
                answers[row] = answer
        return answers

    def _order(self, decoding: Decoding) -> Pass:
        """Return how rows are cut into batches: fewer together where a step scores very many tokens."""
        beam = decoding.strategy
        width = max(decoding.n_best, beam.size if isinstance(beam, Beam) else 1)
        order = order_of(self._task.config.model, width)
        most = MOST_SCORES // (width * len(self._task.output.tokenizer))
        assert order.limits is not None
        return Pass(limits=replace(order.limits, rows=max(1, min(order.limits.rows, most))))

    def _numbered(self, batches: Iterable[Batch]) -> Iterator[tuple[int, Batch]]:
        for batch in batches:
            yield self._batches, batch
            self._batches += 1

    def _answer(self, found: Sequence[Hypothesis], text: Encoded, limits: Limits) -> Answer:
        to_text = self._task.output.tokenizer.decode
        nbest = [(to_text(hypothesis.tokens.tolist()), hypothesis.score) for hypothesis in found]
        cut = text.truncated or not (found[0].ended or limits.fixed_len)
        return Answer(*nbest[0], nbest, truncated=cut, unknown=text.unknown)


class LineScorer:
    """Says how surprising each line is to a language model."""

    def __init__(self, task: LanguageModel, backend: Continuing, each: Each = map) -> None:
        self._task = task
        self._backend = backend
        self._each = each

    def answer(self, records: Sequence[Record]) -> list[Answer]:
        """Answer each record, in order, with the mean surprisal of its tokens, in nats.

        The end of a line is one of them. The score is the log-probability of the whole line.
        """
        dataset, texts = _encode(self._task.fields, [self._task.line_of(record) for record in records])

        def score(batch: Batch) -> list[tuple[int, Answer]]:
            sides = self._backend.log_likelihood(batch).tolist(), batch.arrays["lengths"].tolist()
            return [
                (row, Answer(-score / length, score, (), texts[row].truncated, texts[row].unknown))
                for row, score, length in zip(batch.examples.tolist(), *sides, strict=True)
            ]

        order = order_of(self._task.config.model)
        answers = dict(chain.from_iterable(self._each(score, self._task.line_batches(dataset, order))))
        return [answers[row] for row in range(len(records))]


def _noted(answer: Answer, text: Encoded) -> Answer:
    """Return an answer with what is to be said of its text, which is nothing as a rule."""
    if not text.truncated and not text.unknown:
        return answer
    return replace(answer, truncated=text.truncated, unknown=text.unknown)


def _encode(fields: Sequence[Field], records: Sequence[Record]) -> tuple[Dataset, list[Encoded]]:
    """Encode what is read of some rows; return with it the first field, which holds their texts."""
    encoded = {field.name: field.encode(records) for field in fields}
    columns = {name: Column.of([side.ids for side in sides]) for name, sides in encoded.items()}
    return Dataset(columns), encoded[fields[0].name]
