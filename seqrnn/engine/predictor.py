"""A trained model, opened from its run directory, that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from seqrnn.catalog import TASKS, load
from seqrnn.config import Config
from seqrnn.config_file import load_run_config
from seqrnn.data.batching import Pass
from seqrnn.data.columns import Column, Dataset
from seqrnn.data.tokenizer import BOS
from seqrnn.engine.build import build_model
from seqrnn.engine.checkpoint import expected_arrays, load_model
from seqrnn.engine.device import choose_device
from seqrnn.engine.evaluation import to_arrays, to_tensors
from seqrnn.engine.language_model import LanguageModel as LanguageModelNetwork
from seqrnn.engine.rnn import Layers
from seqrnn.errors import UsageError
from seqrnn.run.directory import RunDirectory
from seqrnn.run.generation import Generation
from seqrnn.search.step import Prediction
from seqrnn.tasks.classification import Choice, Classification, Ranking
from seqrnn.tasks.language_model import LanguageModel
from seqrnn.tasks.task import Task


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
        raise UsageError(f"{path}: is a {task.name} model; use seqrnn {task.verb}")
    for field in task.fields:
        field.load_json(run.read_text(field.file_name))
    with torch.device("meta"):
        expected = expected_arrays(build_model(config, task))
    arrays = generation.tensors(expected)
    model = build_model(config, task)
    load_model(model, arrays)
    return OpenedModel(config, task, model.to(choose_device(device)).eval(), generation, run.warnings)


@dataclass(frozen=True)
class Answer:
    """What a classifier says of one text."""

    ranking: Ranking
    truncated: bool
    unknown: int


class Labeller:
    """Classifies texts."""

    def __init__(self, opened: OpenedModel) -> None:
        assert isinstance(opened.task, Classification)
        self.task = opened.task
        self.model = opened.model
        self.device = next(opened.model.parameters()).device

    @torch.inference_mode()
    def classify(self, texts: Sequence[str], choice: Choice) -> list[Answer]:
        """Answer each text, in order; an answer does not depend on the other texts."""
        encoded = self.task.source.tokenizer.encode_batch(texts)
        dataset = Dataset({"source": Column.of([example.ids for example in encoded])})
        rankings: dict[int, Ranking] = {}
        for batch in self.task.batches(dataset, Pass()):
            values = to_arrays(self.model(to_tensors(batch, self.device)))
            assert batch.rows is not None
            rankings.update(zip(batch.rows.tolist(), self.task.choose(values, choice), strict=True))
        return [
            Answer(rankings[row], example.truncated, example.unknown) for row, example in enumerate(encoded)
        ]


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
