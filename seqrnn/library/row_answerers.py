"""What answers rows with a model: a prediction, a generated sequence, a score or an explanation of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seqrnn.answering.labeller import Labeller
from seqrnn.errors import UsageError
from seqrnn.library.opened_model import OpenedModel
from seqrnn.library.rows import RowAnswerer
from seqrnn.tasks.task import GenerationTask, PredictionTask, Task

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.backends.torch.backend import TorchBackend
    from seqrnn.catalog import SaliencyMethod
    from seqrnn.data.answer import Answer
    from seqrnn.data.record import Record
    from seqrnn.library.decoding import DecodingOptions


def row_predictor(
    model: OpenedModel,
    k: int | None = None,
    threshold: float | None = None,
    probs: bool = False,
    min_probability: float | None = None,
    *,
    part_probs: bool = False,
) -> RowAnswerer:
    """Predict with a classifier, a tagger or another model that names something; see `Task.choice`.

    With `probs`, answers have the scores of all classes; with `part_probs`, each token has. Answers less
    likely than `min_probability` have no prediction; raises UsageError where an answer has no probability
    that it is right.
    """
    task = PredictionTask.of(model.run.task)
    selection = replace(task.choice(k, threshold), probs=probs, part_probs=part_probs)
    answer = partial(Labeller(task, model.backend).answer, choice=selection)
    if min_probability is None:
        return RowAnswerer(task.check, answer)
    require_probability(task, min_probability)
    return RowAnswerer(
        task.check, lambda records: [found.if_likely(min_probability) for found in answer(records)]
    )


def require_probability(task: Task, lowest: float) -> None:
    """Raise UsageError where answers to a task have no probability, or none can be as low as `lowest`."""
    if not 0.0 <= lowest <= 1.0:
        raise UsageError(f"`min_probability` {lowest:g}: out of range; give a probability from 0 to 1")
    if not task.may_abstain:
        raise UsageError(f"`min_probability`: {task.no_probability}; leave it out")


def row_generator(model: OpenedModel, options: DecodingOptions) -> RowAnswerer:
    """Generate a sequence for each row. Raises UsageError for options that do not fit."""
    from seqrnn.answering.row_writer import RowWriter

    task = GenerationTask.of(model.run.task)
    return RowAnswerer(task.check, partial(RowWriter(task, model.backend).answer, decoding=options.of_rows()))


def line_scorer(model: OpenedModel, option: str) -> RowAnswerer:
    """Score lines with a language model. Raises UsageError, for the `option`, for another."""
    from seqrnn.answering.line_scorer import LineScorer
    from seqrnn.tasks.language_model import LanguageModeling

    task = LanguageModeling.of(model.run.task, f"{option}: scores are a language model's")
    return RowAnswerer(task.text.check, LineScorer(task, model.backend).answer)


def row_explainer(run: OpenedRun, network: TorchBackend, method: SaliencyMethod | None = None) -> RowAnswerer:
    """Answer rows and explain the answers, for one caller at a time; the network is on the CPU.

    Raises UsageError for a method that does not fit the model.
    """
    from seqrnn.library.explaining import Explainer

    explainer, alone = Explainer(run, network, method), Lock()

    def answers(records: Sequence[Record]) -> list[Answer]:
        with alone:  # what is looked at on the way through the network is kept by it
            return explainer.answers(records)

    return RowAnswerer(explainer.check, answers)
