"""Rows to sequences: written a batch at a time, and put back into their order."""

from __future__ import annotations

from collections.abc import Sequence

from seqrnn.answering.backend import Backend, Seq2SeqBackend
from seqrnn.answering.row_batches import EMPTY, encode_rows, order_of_writing, turn_of
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import Encoded
from seqrnn.metrics.calibration import confidences_of
from seqrnn.search.beam import Beam, Hypothesis
from seqrnn.search.decoding import Decoding, decode, with_row_seeds
from seqrnn.search.generation import Limits
from seqrnn.tasks.task import GenerationTask


class RowWriter:
    """Answers rows with sequences."""

    def __init__(self, task: GenerationTask, backend: Backend) -> None:
        assert isinstance(backend, Seq2SeqBackend)
        self._task = task
        self._backend = backend

    def answer(self, records: Sequence[Record], decoding: Decoding) -> list[Answer]:
        """Answer each record, in order, with `decoding.n_best` sequences; an empty one with an empty one."""
        filled = [row for row, record in enumerate(records) if not record.is_blank]
        dataset, texts = encode_rows(self._task.inputs, [records[row] for row in filled])

        answers = [EMPTY] * len(records)
        for batch in self._task.batches(dataset, self._order(decoding)):
            examples = batch.examples.tolist()
            rows = with_row_seeds(decoding, [records[filled[example]].line for example in examples])
            with turn_of(batch):
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
