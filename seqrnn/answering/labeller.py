"""Rows to labels: answered a batch at a time, and put back into their order."""

from __future__ import annotations

from collections.abc import Sequence

from seqrnn.answering.backend import Backend, ClassifierBackend
from seqrnn.answering.row_batches import EMPTY, encode_rows, order_of, turn_of
from seqrnn.data.answer import Answer
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.networks.sizes import input_of
from seqrnn.tasks.task import LabelSelection, PredictionTask


class Labeller:
    """Answers rows with labels."""

    def __init__(self, task: PredictionTask, backend: Backend) -> None:
        assert isinstance(backend, ClassifierBackend)
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record], choice: LabelSelection) -> list[Answer]:
        """Answer each record, in order; but for rounding, an answer does not depend on the other records."""
        dataset, texts = encode_rows(self._task.inputs, records)
        answers = [EMPTY] * len(records)
        for batch in self._task.batches(
            dataset, order_of(self._task.config.model, input_of(self._task.sizes()))
        ):
            with turn_of(batch):
                found = self._task.answers(self._backend.values(batch), batch, choice)
            for row, answer in zip(batch.examples.tolist(), found, strict=True):
                answers[row] = _noted(answer, texts[row])
        return answers


def _noted(answer: Answer, text: Encoded) -> Answer:
    """Return an answer with what is to be said of its text, which is nothing as a rule."""
    if not text.truncated and not text.unknown:
        return answer
    return answer._replace(truncated=text.truncated, unknown=text.unknown)
