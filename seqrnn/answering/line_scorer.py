"""Lines to scores: how surprising each is to a language model."""

from __future__ import annotations

from collections.abc import Sequence

from seqrnn.answering.backend import Backend, LanguageModelBackend
from seqrnn.answering.row_batches import EMPTY, encode_rows, order_of_writing, turn_of
from seqrnn.data.answer import Answer
from seqrnn.data.record import Record
from seqrnn.tasks.language_model import LanguageModeling


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
        dataset, texts = encode_rows(self._task.fields, [self._task.line_of(record) for record in records])

        answers = [EMPTY] * len(records)
        order = order_of_writing(self._task.config.model, 1, len(self._task.text.tokenizer))
        for batch in self._task.line_batches(dataset, order):
            with turn_of(batch):
                scores = self._backend.log_likelihood(batch).tolist()
            sides = scores, batch.arrays["lengths"].tolist()
            for row, score, length in zip(batch.examples.tolist(), *sides, strict=True):
                text = texts[row]
                answers[row] = Answer(-score / length, score, (), text.truncated, text.unknown)
        return answers
