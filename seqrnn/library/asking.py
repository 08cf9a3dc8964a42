"""The ways in which a model is asked of rows: to name, to write, or to score them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from seqrnn.answering.rows import Labeller, LineScorer, RowWriter
from seqrnn.errors import UsageError
from seqrnn.library.decoding import DecodingOptions
from seqrnn.library.opened_model import OpenedModel
from seqrnn.library.rows import Asking
from seqrnn.tasks.language_model import LanguageModeling
from seqrnn.tasks.task import GenerationTask, PredictionTask


def naming(
    model: OpenedModel, k: int | None = None, threshold: float | None = None, probs: bool = False
) -> Asking:
    """Ask a classifier, a tagger or another model that names something; see `Task.choice`.

    With `probs`, answers have the scores of all classes.
    """
    task = model.run.task
    assert isinstance(task, PredictionTask)
    answer = Labeller(task, model.backend).answer
    return Asking(task.check, partial(answer, choice=replace(task.choice(k, threshold), probs=probs)))


def writing(model: OpenedModel, options: DecodingOptions) -> Asking:
    """Ask a model that writes a sequence for each row. Raises UsageError for options that do not fit."""
    task = model.run.task
    assert isinstance(task, GenerationTask)
    return Asking(task.check, partial(RowWriter(task, model.backend).answer, decoding=options.of_rows()))


def line_scoring(model: OpenedModel, option: str) -> Asking:
    """Ask a language model how surprising lines are. Raises UsageError, for the `option`, for another."""
    task = model.run.task
    if not isinstance(task, LanguageModeling):
        raise UsageError(f"{option}: scores are a language model's, and this is one for {task.name}")
    return Asking(task.text.check, LineScorer(task, model.backend).answer)
