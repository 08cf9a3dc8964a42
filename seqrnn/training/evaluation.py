"""Measuring a model on a data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from msgspec import structs
from torch import nn

from seqrnn.backends.torch.backend import TorchBackend, to_arrays, to_tensors
from seqrnn.backends.torch.loss import Output
from seqrnn.data.dataset.batching import Batch, BatchLimits, BatchOrder
from seqrnn.data.dataset.columns import Column, Dataset
from seqrnn.data.text.tokenizer import BLANK
from seqrnn.errors import NumericError
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding, decode
from seqrnn.search.generation import Limits
from seqrnn.tasks.scorer import Scorer, Values
from seqrnn.tasks.task import Task
from seqrnn.training.dynamic_evaluation import LearningModel

MAX_GENERATED = 1000  # examples for which an evaluation within a training writes sequences
WITH_SEARCH = 2.0  # times: an evaluation in a training where some targets are searched for
SLOWER_ALONE = 2.5  # times: a text that is read in one stream
MIN_STREAM = 2000  # tokens of a validation text that are read side by side with others in a training
MAX_STREAM = 500_000  # tokens that the last evaluation reads one after another


@dataclass(frozen=True)
class EvaluationOptions:
    """What an evaluation may cost.

    `streams` cuts a text into parts that are read side by side, each from its own start, which is
    faster and a little worse than one stream. Where sequences are generated, it is by a search of
    `beam`, for `max_generated` examples at most, spread over all; None: for all. Coverage and accuracy are
    told of the answers with a probability of `min_probability` or more. A `dynamic` evaluation of a language
    model lets it go on learning from the text; see `training/dynamic_evaluation.py`.
    """

    streams: int = 1
    max_generated: int | None = None
    beam: Beam = field(default_factory=lambda: Beam(1))
    min_probability: float | None = None
    dynamic: bool = False

    def order(self, task: Task) -> BatchOrder:
        """Return how the data are cut: what is learnt from a text is learnt in segments as in training."""
        rows, steps = self.streams, task.config.training.segment_length
        return BatchOrder(streams=rows, limits=BatchLimits(rows, rows * steps) if self.dynamic else None)

    @classmethod
    def in_training(cls, dataset: Dataset, most_streams: int) -> EvaluationOptions:
        """Return what an evaluation within a training may cost: for the most part, it should train."""
        return cls(max(1, min(most_streams, _tokens(dataset) // MIN_STREAM)), MAX_GENERATED)

    @classmethod
    def at_the_end(cls, dataset: Dataset) -> EvaluationOptions:
        """Return what the last evaluation may cost: all examples; a text in one stream unless it is huge."""
        return cls(streams_of(dataset, MAX_STREAM))

    def cost_beside(self, other: EvaluationOptions, dataset: Dataset, task: Task) -> float:
        """Return about how many times longer these options take than others."""
        if task.searches:
            return len(dataset) / min(len(dataset), other.max_generated or len(dataset))
        return SLOWER_ALONE if task.stream and self.streams < other.streams else 1.0

    def beside(self, other: EvaluationOptions, dataset: Dataset, task: Task) -> str:
        """Say what these options measure more than others; nothing if it is the same for these data."""
        if task.searches:
            spared = other.max_generated is not None and len(dataset) > other.max_generated
            return f"all {len(dataset):,} validation examples" if spared else ""
        if self.streams == other.streams or not task.stream:
            return ""
        return (
            "validation text read as one" if self.streams == 1 else f"validation text in {self.streams} parts"
        )


def streams_of(dataset: Dataset, longest: int) -> int:
    """Return into how many parts a text is cut of which none has many more than `longest` tokens."""
    return 1 + _tokens(dataset) // longest


class AnsweredBatch(NamedTuple):
    """A batch, what a model says of it, if it was asked, and the sum of its losses over `counted` targets."""

    batch: Batch
    values: Values | None
    loss: float
    counted: int


def evaluate(
    model: nn.Module,
    task: Task,
    dataset: Dataset,
    options: EvaluationOptions | None = None,
    scorer: Scorer | None = None,
    *,
    heard: Callable[[float], None] | None = None,
) -> Evaluation:
    """Measure `model` on `dataset` in full precision.

    A fresh `scorer` of the task, if one is given, has gathered the answers afterwards. After each batch
    `heard` is told its share (0 to 1) of all. The figure `loss` is a mean over the targets that training had,
    None where there are none of them. Raises NumericError where it is not finite.
    """
    options = options or EvaluationOptions()
    was_training = model.training
    model.eval()
    order = options.order(task)
    with torch.inference_mode(not options.dynamic):
        answering = LearningModel(model) if options.dynamic else model
        answered = _answered(answering, task, (dataset, options), task.batches(dataset, order))
        if heard is not None:
            answered = _telling(answered, heard, 1 / max(task.batch_count(dataset, order), 1))
        evaluation = scored(task, dataset, options, answered, scorer)
    model.train(was_training)
    return evaluation


@torch.inference_mode()
def answers_of_part(
    model: nn.Module,
    task: Task,
    dataset: Dataset,
    options: EvaluationOptions,
    share: Callable[[int], tuple[int, int]],
) -> Iterator[AnsweredBatch]:
    """Yield what a model says of some of the batches of `evaluate`: `share` tells of how many which.

    What `scored` makes of those of all shares, in their order, is what `evaluate` returns, to the last bit.
    """
    model.eval()
    order = options.order(task)
    start, stop = share(task.batch_count(dataset, order))
    yield from _answered(model, task, (dataset, options), islice(task.batches(dataset, order), start, stop))


def _answered(
    model: nn.Module, task: Task, asked: tuple[Dataset, EvaluationOptions], batches: Iterable[Batch]
) -> Iterator[AnsweredBatch]:
    (dataset, options), device, carry = asked, next(model.parameters()).device, None
    for batch in batches:
        output: Output = model(to_tensors(batch, device), None if batch.starts else carry)
        assert output.loss is not None
        carry = output.carry
        values: Values | None = None
        if not task.searches:
            values = to_arrays(output)
        elif chosen := _sample(batch, len(dataset), options.max_generated):
            values = _generated(model, chosen, Limits(task.generation_limit(chosen)), options.beam)
        yield AnsweredBatch(batch, values, output.loss.total.item(), int(output.loss.count))


def _telling(
    answered: Iterable[AnsweredBatch], heard: Callable[[float], None], share: float
) -> Iterator[AnsweredBatch]:
    for batch in answered:
        heard(share)
        yield batch


def scored(
    task: Task,
    dataset: Dataset,
    options: EvaluationOptions,
    answered: Iterable[AnsweredBatch],
    scorer: Scorer | None = None,
) -> Evaluation:
    """Return the figures of the answers to all batches of a data set; see `evaluate`."""
    scorer = scorer or task.scorer()
    total, counted, targets = 0.0, 0, 0
    for batch, values, loss, count in answered:
        total, counted, targets = total + loss, counted + count, targets + batch.targets
        chosen = _sample(batch, len(dataset), options.max_generated) if task.searches else batch
        if values is not None and chosen is not None:
            scorer.add(chosen, values)
    loss = total / max(counted, 1)
    if not math.isfinite(loss):
        raise NumericError(
            f"the loss is {loss}: the weights are damaged or diverged; train with a lower rate"
        )
    known = {"loss": loss if counted or not targets else None}
    general = {"task": task.name, "examples": len(dataset), "tokens": targets, **known}
    found = scorer.result(loss)
    return replace(
        found,
        figures={**general, **found.figures, **scorer.trust(options.min_probability)},
        reliability=scorer.reliability(),
        coverage=scorer.coverage(),
    )


@torch.no_grad()
def has_finite_loss(model: nn.Module, batch: Batch) -> bool:
    """Whether the loss of a batch is a finite number."""
    was_training = model.training
    model.eval()
    output: Output = model(to_tensors(batch, next(model.parameters()).device))
    model.train(was_training)
    assert output.loss is not None
    return math.isfinite(output.loss.total.item())


def passes_beside(valid: Dataset, train: Dataset, task: Task) -> float:
    """Return about how many times as long an evaluation on `valid` takes as going forward over `train`."""
    return _tokens(valid) / max(_tokens(train), 1) * (WITH_SEARCH if task.searches else 1.0)


def _tokens(dataset: Dataset) -> int:
    return sum(len(column.values) for column in dataset.columns.values())


def import_libraries(task: Task) -> None:
    """Import what scoring needs, so that no evaluation has this cost."""
    for name in task.libraries:
        import_module(name)


def _sample(batch: Batch, examples: int, most: int | None) -> Batch | None:
    """Take every n-th example of a data set, as far as it is in this batch, so that `most` are taken."""
    if most is None or batch.rows is None:
        return batch
    taken = batch.rows % math.ceil(examples / most) == 0  # (B,)
    arrays = {name: array[taken] for name, array in batch.arrays.items()}
    return structs.replace(batch, arrays=arrays, rows=batch.rows[taken]) if taken.any() else None


def _generated(model: nn.Module, batch: Batch, limits: Limits, beam: Beam) -> Values:
    """Write the best sequence for each example: `generated` (B, T), padded with <blank>.

    `generated_scores` (B,) are their natural-log probabilities.
    """
    backend = TorchBackend(model)
    found = decode(backend, backend.begin(batch), Decoding(limits, beam))
    column = Column.of([hypotheses[0].tokens for hypotheses in found])
    scores = np.array([hypotheses[0].score for hypotheses in found])
    return {"generated": column.gather(np.arange(len(found)), pad_value=BLANK), "generated_scores": scores}
