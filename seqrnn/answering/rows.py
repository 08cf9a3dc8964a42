"""Rows to answers: encoded, cut into batches by length, answered, and put back into their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from seqrnn.answering.backend import Continuing, Naming, Writing
from seqrnn.data.batching import BatchLimits, Pass
from seqrnn.data.columns import Column, Dataset
from seqrnn.data.fields import Field
from seqrnn.data.record import Record
from seqrnn.data.tokenizer import Encoded
from seqrnn.search.beam import Hypothesis
from seqrnn.search.decoding import Decoding, decode, seeded
from seqrnn.search.generation import Limits
from seqrnn.tasks.language_model import LanguageModel
from seqrnn.tasks.task import Answer, AnsweringTask, Choice, WritingTask

EMPTY = Answer("", None)  # to an empty row
ORDER = Pass(limits=BatchLimits(rows=256, positions=8192))
"""How rows are cut into batches, whatever is best for training: a step's product then pays, and the cache holds it."""


class Labeller:
    """Answers rows with labels; `backend(rows)` is what computes for so many of them."""

    def __init__(self, task: AnsweringTask, backend: Callable[[int], Naming]) -> None:
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record], choice: Choice) -> list[Answer]:
        """Answer each record, in order; an answer does not depend on the other records."""
        dataset, texts = _encode(self._task.inputs, records)
        backend = self._backend(len(records))
        answers: dict[int, Answer] = {}
        for batch in self._task.batches(dataset, ORDER):
            values = backend.values(batch)
            assert batch.rows is not None
            answers.update(zip(batch.rows.tolist(), self._task.answers(values, batch, choice), strict=True))
        return [
            replace(answers[row], truncated=text.truncated, unknown=text.unknown)
            for row, text in enumerate(texts)
        ]


class RowWriter:
    """Answers rows with sequences; `backend(rows)` is what computes for so many of them."""

    def __init__(self, task: WritingTask, backend: Callable[[int], Writing]) -> None:
        self._task = task
        self._backend = backend
        self._batches = 0  # so far: each has draws of its own

    def answer(self, records: Sequence[Record], decoding: Decoding) -> list[Answer]:
        """Answer each record, in order, with `decoding.n_best` sequences; an empty one with an empty one."""
        filled = [row for row, record in enumerate(records) if not record.is_blank]
        dataset, texts = _encode(self._task.inputs, [records[row] for row in filled])
        backend = self._backend(len(filled))
        answers = [EMPTY] * len(records)
        for batch in self._task.batches(dataset, ORDER):
            found = decode(backend, backend.begin(batch), seeded(decoding, self._batches))
            self._batches += 1
            assert batch.rows is not None
            for row, hypotheses in zip(batch.rows, found, strict=True):
                answers[filled[row]] = self._answer(hypotheses, texts[row], decoding.limits)
        return answers

    def _answer(self, found: Sequence[Hypothesis], text: Encoded, limits: Limits) -> Answer:
        to_text = self._task.output.tokenizer.decode
        nbest = [(to_text(hypothesis.tokens), hypothesis.score) for hypothesis in found]
        cut = text.truncated or not (found[0].ended or limits.fixed_len)
        return Answer(*nbest[0], nbest, truncated=cut, unknown=text.unknown)


class LineScorer:
    """Says how surprising each line is to a language model."""

    def __init__(self, task: LanguageModel, backend: Callable[[int], Continuing]) -> None:
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record]) -> list[Answer]:
        """Answer each record, in order, with the mean surprisal of its tokens, in nats.

        The end of a line is one of them. The score is the log-probability of the whole line.
        """
        dataset, texts = _encode(self._task.fields, [self._task.line_of(record) for record in records])
        backend = self._backend(len(records))
        answers: dict[int, Answer] = {}
        for batch in self._task.line_batches(dataset, ORDER):
            assert batch.rows is not None
            columns = (batch.rows, backend.log_likelihood(batch), batch.arrays["lengths"])
            for row, score, length in zip(*(column.tolist() for column in columns), strict=True):
                text = texts[row]
                answers[row] = Answer(-score / length, score, (), text.truncated, text.unknown)
        return [answers[row] for row in range(len(records))]


def _encode(fields: Sequence[Field], records: Sequence[Record]) -> tuple[Dataset, list[Encoded]]:
    """Encode what is read of some rows; return with it the first field, which holds their texts."""
    encoded = {field.name: field.encode(records) for field in fields}
    columns = {name: Column.of([side.ids for side in sides]) for name, sides in encoded.items()}
    return Dataset(columns), encoded[fields[0].name]
