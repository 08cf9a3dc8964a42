"""Why a model says what it says of a row: saliency of what it reads, attention, and what else was likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args

import numpy as np

from seqrnn.catalog import SaliencyMethod as Method
from seqrnn.data.answer import Answer
from seqrnn.data.dataset.batching import Batch
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.fields.field import TextField
from seqrnn.data.fields.input_sizes import ImageSizes
from seqrnn.data.fields.source_kind import kind_named
from seqrnn.data.record import Record
from seqrnn.data.text.encoded import Encoded
from seqrnn.data.text.tokenizer import UNK
from seqrnn.errors import DataError, UsageError
from seqrnn.library.decoding import BEAM_SIZE
from seqrnn.library.explanations import Explanation, OutputExplanation
from seqrnn.tasks.explained import Alternatives, ExplainedOutput
from seqrnn.tasks.task import GenerationTask, Task

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.backends.torch.backend import TorchBackend

T = TypeVar("T")
METHODS: Final[tuple[Method, ...]] = get_args(Method)
METHOD_NAMES: Final[Mapping[Method, str]] = {
    "gradient": "gradient x input",
    "leave-one-out": "leave-one-out",
}
MAX_TOKENS = 1024  # of a row: a language model has a probability of every token at each of them
MAX_TOGETHER = 2**14  # steps of copies of a row that are computed together


class Explainer:
    """Explains what the model of a run says of rows. Raises UsageError for a method that does not fit."""

    def __init__(
        self, run: OpenedRun, backend: TorchBackend, method: Method | None = None, has_saliency: bool = True
    ) -> None:
        """Take a run, with its network on the CPU: a GPU's layers have a gradient in training only.

        Without a method it is leaving out where numbers or images are read, which may matter though they are
        0, and the gradient elsewhere. Without saliency, which takes the most time, it is 0. N-grams are left
        out with either: they are no sum over steps.
        """
        from seqrnn.backends.torch.saliency import Observer

        kind = kind_named(run.config.data.source_kind)
        sizes = run.task.explained_fields[0].sizes()
        self._grid = sizes.grid if isinstance(sizes, ImageSizes) else None
        self._observer = Observer(backend.model)
        if method is None:
            method = "leave-one-out" if kind.has_numbers or self._grid else "gradient"
        if method not in METHODS:
            raise UsageError(f"`method={method}`: no such method; choose from {', '.join(METHODS)}")
        self._has_numbers = kind.has_numbers
        self._task: Task = run.task
        self._backend = backend
        self._method: Method = method
        self._has_saliency = has_saliency
        if method == "gradient" and (self._grid or not self._observer.has_gradient):
            raise UsageError("`method=gradient`: what this model reads has no steps; use leave-one-out")
        if method == "leave-one-out" and self._task.output_per_token:
            raise UsageError("`method=leave-one-out`: a token that is left out has no tag; use gradient")

    def check(self, record: Record) -> None:
        """Raise DataError for what cannot be read, and for more tokens than memory is worth."""
        field = self._task.explained_fields[0]
        field.check(record)
        if not self._grid and (count := len(field.encode([record])[0].ids)) > MAX_TOKENS:
            raise DataError(
                f"{record.location}: {count:,} tokens or steps, of {MAX_TOKENS:,} that are explained"
            )

    def answers(self, records: Sequence[Record]) -> list[Answer]:
        """Answer each record, with the explanation."""
        return [self._answer(record) for record in records]

    def _answer(self, record: Record) -> Answer:
        fields = self._task.explained_fields
        row = {field.name: field.encode([record])[0] for field in fields}
        source = row[fields[0].name]
        tokens = fields[0].step_names(record, source)
        if self._task.searches:
            row[GenerationTask.of(self._task).output.name] = self._written(row)
        batch = self._batch([row])
        values, attention = self._observer.values(batch)
        outputs = self._task.explained(values, batch)
        saliency = self._saliency(record, row, outputs, len(tokens))
        explanation = Explanation(
            tuple(tokens),
            METHOD_NAMES[self._method],
            tuple(map(_explained, outputs, saliency, _attention(attention, len(outputs), len(tokens)))),
            _tuple(self._task.surprisals(values, batch)),
            tuple(np.flatnonzero(source.ids == UNK).tolist()) if source.unknown else (),
            grid=self._grid,
        )
        sure = [output.probability for output in outputs]
        known = (sure[0],) if len(sure) == 1 and sure[0] is not None else ()
        prediction = self._task.explained_prediction(outputs)
        return Answer(
            prediction,
            None,
            truncated=source.truncated,
            unknown=source.unknown,
            confidences=known,
            explanation=explanation,
        )

    def _written(self, row: Mapping[str, Encoded]) -> Encoded:
        """Write the best sequence for a row."""
        from seqrnn.search.beam import Beam
        from seqrnn.search.decoding import Decoding, decode
        from seqrnn.search.generation import Limits

        prediction = self._backend.begin(self._batch([row]))
        ((best, *_),) = decode(self._backend, prediction, Decoding(Limits(), Beam(BEAM_SIZE)))
        return Encoded(best.tokens)

    def _batch(self, rows: Sequence[Mapping[str, Encoded]]) -> Batch:
        """Make one batch of rows that are equally long; `examples` says in which order they are."""
        columns = {name: Column.of([row[name].ids for row in rows]) for name in rows[0]}
        (batch,) = self._task.explained_batches(Dataset(columns))
        return batch

    def _asked(
        self,
        rows: Sequence[Mapping[str, Encoded]],
        outputs: Sequence[ExplainedOutput],
        ask: Callable[[Batch, Sequence[ExplainedOutput]], np.ndarray],
        hidden: int | None = None,
    ) -> np.ndarray:
        """Ask about each output in a row of its own; the answers come in the order of the outputs.

        The region of number `hidden` of an image is not seen.
        """
        batch = self._batch(rows)
        if hidden is not None:
            name = self._task.explained_fields[0].name
            batch.arrays[name] = _without_region(batch.arrays[name], hidden, self._grid or 1)
        answers = ask(batch, [outputs[row] for row in batch.examples])
        return answers[np.argsort(batch.examples)]

    def _saliency(
        self, record: Record, row: Mapping[str, Encoded], outputs: Sequence[ExplainedOutput], steps: int
    ) -> np.ndarray:
        """Return how much each step speaks for each output, (N, S)."""
        if not outputs or not steps or not self._has_saliency:
            return np.zeros((len(outputs), steps))
        if self._method == "leave-one-out":
            return self._left_out(record, row, outputs, steps)
        summed = np.concatenate([self._gradients(row, some, steps) for some in _together(outputs, steps)])
        return summed + self._of_ngrams(record, row, outputs, steps) if self._observer.has_ngrams else summed

    def _gradients(
        self, row: Mapping[str, Encoded], outputs: Sequence[ExplainedOutput], steps: int
    ) -> np.ndarray:
        product = self._asked([row] * len(outputs), outputs, self._observer.gradient_times_input)  # (B, S, E)
        read = product if self._task.explained_fields[0].sequential else product.swapaxes(1, 2)
        summed: np.ndarray = read.sum(axis=2)[:, -steps:]  # a language model reads <bos> before a line
        return summed

    def _of_ngrams(
        self, record: Record, row: Mapping[str, Encoded], outputs: Sequence[ExplainedOutput], steps: int
    ) -> np.ndarray:
        """Return the gradient of each output times what leaving a step out takes of the n-grams, (N, S)."""
        gradients = self._asked([row] * len(outputs), outputs, self._observer.ngram_gradients)  # (N, K)
        shorter = [*self._each_left_out(record, row, steps)]
        rest = np.concatenate([self._ngram_scores(some) for some in _together(shorter, steps)])
        lost: np.ndarray = gradients @ (self._ngram_scores([row]) - rest).T
        return lost

    def _ngram_scores(self, rows: Sequence[Mapping[str, Encoded]]) -> np.ndarray:
        """Return the scores of the n-grams of rows that are equally long, (B, K)."""
        batch = self._batch(rows)
        return self._observer.ngram_scores(batch)[np.argsort(batch.examples)]

    def _left_out(
        self, record: Record, row: Mapping[str, Encoded], outputs: Sequence[ExplainedOutput], steps: int
    ) -> np.ndarray:
        """Return by how much each score falls when a step is taken out of the row."""
        ask = self._observer.scores
        whole = self._asked([row] * len(outputs), outputs, ask)  # (N,)
        if self._grid:
            rest = [self._asked([row] * len(outputs), outputs, ask, hidden) for hidden in range(steps)]
        else:
            rest = [
                self._asked([without] * len(outputs), outputs, ask)
                for without in self._each_left_out(record, row, steps)
            ]
        lost: np.ndarray = whole[:, None] - np.array(rest).T
        return lost

    def _each_left_out(
        self, record: Record, row: Mapping[str, Encoded], steps: int
    ) -> Iterator[Mapping[str, Encoded]]:
        """Yield a row without each step, in what else is read of the text as well."""
        source, *others = self._task.explained_fields
        for step in range(steps):
            shorter = {source.name: self._without(row[source.name].ids, step, source.sequential)}
            if beside := [field for field in others if field.name in row]:
                text = cast(TextField, source).without(record, step)
                shorter |= {field.name: field.encode([text])[0] for field in beside}
            yield {**row, **shorter}

    def _without(self, ids: np.ndarray, step: int, sequential: bool) -> Encoded:
        """Leave out a step or, where there is one vector, replace a feature by the mean.

        The only step of numbers becomes means, or silence: a row of none is nothing to answer.
        """
        if not sequential:
            return Encoded(np.where(np.arange(ids.shape[-1]) == step, 0, ids).astype(ids.dtype))
        if self._has_numbers and len(ids) == 1:
            return Encoded(np.zeros_like(ids))
        return Encoded(np.delete(ids, step, axis=0))


def _together(items: Sequence[T], steps: int) -> Iterator[Sequence[T]]:
    """Cut what is asked of copies of a row of so many steps into parts that are computed together."""
    size = max(1, MAX_TOGETHER // steps)
    for first in range(0, len(items), size):
        yield items[first : first + size]


def _without_region(images: np.ndarray, region: int, grid: int) -> np.ndarray:
    """Return images (B, C, N, N) whose pixels in a region of a grid have the mean of their channel, 0."""
    row, column = divmod(region, grid)
    edges = np.linspace(0, images.shape[-1], grid + 1).round().astype(int)
    seen = images.copy()
    seen[:, :, edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = 0.0
    return seen


def _explained(output: ExplainedOutput, saliency: np.ndarray, attention: Any) -> OutputExplanation:
    alternatives: Alternatives = output.alternatives
    return OutputExplanation(
        output.output, output.probability, tuple(saliency.tolist()), attention, tuple(alternatives)
    )


def _attention(weights: np.ndarray | None, outputs: int, steps: int) -> list[tuple[float, ...] | None]:
    """Return for each output how much of each step was looked at; None where the network does not attend."""
    if weights is None:
        return [None] * outputs
    one = weights.shape[1] == 1  # of a pooling, which looks once whatever is said
    rows = np.broadcast_to(weights[0], (outputs, weights.shape[-1])) if one else weights[0]
    return [tuple(row[:steps].tolist()) for row in rows[:outputs]]


def _tuple(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)
