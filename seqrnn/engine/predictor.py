"""A trained model, opened from its run directory, that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from seqrnn.catalog import TASKS, load
from seqrnn.config import Config
from seqrnn.config_file import load_run_config
from seqrnn.data.batching import Pass
from seqrnn.data.columns import Column, Dataset
from seqrnn.data.fields import load_fields
from seqrnn.data.record import Record
from seqrnn.data.tokenizer import BOS, Encoded
from seqrnn.engine.build import build_model
from seqrnn.engine.checkpoint import expected_arrays, load_model
from seqrnn.engine.device import choose_device
from seqrnn.engine.evaluation import to_arrays, to_tensors
from seqrnn.engine.language_model import LanguageModel as LanguageModelNetwork
from seqrnn.engine.rnn import Layers
from seqrnn.engine.writer import Writer
from seqrnn.errors import UsageError
from seqrnn.run.directory import RunDirectory
from seqrnn.run.generation import Generation
from seqrnn.search.beam import Hypothesis
from seqrnn.search.decoding import Decoding, seeded
from seqrnn.search.generation import Limits
from seqrnn.search.step import Prediction
from seqrnn.tasks.language_model import LanguageModel
from seqrnn.tasks.task import Answer, AnsweringTask, Choice, RowTask, Task, WritingTask


@dataclass(frozen=True)
class OpenedModel:
    """A model and all that is needed to ask it."""

    config: Config
    task: Task
    model: nn.Module
    generation: Generation
    warnings: Sequence[str]


def open_model(path: Path, device: str = "auto", verb: str | None = None) -> OpenedModel:
    """Open the best generation of a run directory; trusts nothing in it.

    Raises ModelError for whatever is damaged or does not fit together, before memory is taken for
    it, and UsageError where the model does not answer to the command `verb`.
    """
    run = RunDirectory.open(path)
    generation = run.best()
    config = load_run_config(run.read_text("config.yaml"), str(path / "config.yaml"))
    task: Task = load(TASKS[config.task])(config)
    if verb is not None and task.verb != verb:
        raise UsageError(f"{path}: was trained for {task.name}; use seqrnn {task.verb}")
    load_fields(task.fields, run.read_text)
    with torch.device("meta"):
        expected = expected_arrays(build_model(config, task))
    arrays = generation.tensors(expected)
    model = build_model(config, task)
    load_model(model, arrays)
    return OpenedModel(config, task, model.to(choose_device(device)).eval(), generation, run.warnings)


class Labeller:
    """Answers rows with labels."""

    def __init__(self, opened: OpenedModel) -> None:
        assert isinstance(opened.task, AnsweringTask)
        self.task = opened.task
        self.model = opened.model
        self.device = next(opened.model.parameters()).device

    @torch.inference_mode()
    def answer(self, records: Sequence[Record], choice: Choice) -> list[Answer]:
        """Answer each record, in order; an answer does not depend on the other records."""
        dataset, texts = _encode(self.task, records)
        answers: dict[int, Answer] = {}
        for batch in self.task.batches(dataset, Pass()):
            values = to_arrays(self.model(to_tensors(batch, self.device)))
            assert batch.rows is not None
            answers.update(zip(batch.rows.tolist(), self.task.answers(values, batch, choice), strict=True))
        return [
            replace(answers[row], truncated=text.truncated, unknown=text.unknown)
            for row, text in enumerate(texts)
        ]


class RowWriter:
    """Answers rows with sequences."""

    def __init__(self, opened: OpenedModel) -> None:
        assert isinstance(opened.task, WritingTask)
        self.task = opened.task
        self.device = next(opened.model.parameters()).device
        self._writer = Writer(opened.model)
        self._batches = 0  # so far: each has draws of its own

    def answer(self, records: Sequence[Record], decoding: Decoding) -> list[Answer]:
        """Answer each record, in order, with `decoding.n_best` sequences; an empty one with an empty one."""
        filled = [row for row, record in enumerate(records) if not record.is_blank]
        dataset, texts = _encode(self.task, [records[row] for row in filled])
        answers = [EMPTY] * len(records)
        for batch in self.task.batches(dataset, Pass()):
            found = self._writer.write(to_tensors(batch, self.device), seeded(decoding, self._batches))
            self._batches += 1
            assert batch.rows is not None
            for row, hypotheses in zip(batch.rows, found, strict=True):
                answers[filled[row]] = self._answer(hypotheses, texts[row], decoding.limits)
        return answers

    def _answer(self, found: Sequence[Hypothesis], text: Encoded, limits: Limits) -> Answer:
        decode = self.task.output.tokenizer.decode
        nbest = [(decode(hypothesis.tokens), hypothesis.score) for hypothesis in found]
        cut = text.truncated or not (found[0].ended or limits.fixed_len)
        return Answer(*nbest[0], nbest, truncated=cut, unknown=text.unknown)


EMPTY = Answer("", None)  # to an empty row


def _encode(task: RowTask, records: Sequence[Record]) -> tuple[Dataset, list[Encoded]]:
    """Encode what a task reads of some rows; return with it the first field, which holds their texts."""
    encoded = {field.name: field.encode(records) for field in task.inputs}
    columns = {name: Column.of([side.ids for side in sides]) for name, sides in encoded.items()}
    return Dataset(columns), encoded[task.inputs[0].name]


class Continuer:
    """Reads prompts and goes on token by token: the step function that search asks."""

    def __init__(self, opened: OpenedModel) -> None:
        assert isinstance(opened.task, LanguageModel)
        assert isinstance(opened.model, LanguageModelNetwork)
        self.tokenizer = opened.task.text.tokenizer
        self.model = opened.model
        self.device = next(opened.model.parameters()).device

    @torch.inference_mode()
    def start(self, prompt: np.ndarray) -> Prediction:
        """Read <bos> and a prompt (T,): the next token's log-probabilities (1, V), and the states."""
        tokens = torch.from_numpy(np.concatenate([[BOS], prompt]).astype(np.int64)).to(self.device)
        log_probs, states = self.model.read(tokens.unsqueeze(0), self.model.rnn.initial(1))
        return log_probs.cpu().numpy(), states

    @torch.inference_mode()
    def step(self, tokens: np.ndarray, states: Layers) -> Prediction:
        """Read one more token of each sequence, (N,)."""
        log_probs, states = self.model.step(torch.from_numpy(tokens).to(self.device), states)
        return log_probs.cpu().numpy(), states
