"""One training of a cross-validation: on all of the data but a fold, on which it is measured."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seqrnn.backends.torch.parameters import expected_arrays, load_model
from seqrnn.config import Config
from seqrnn.data.dataset.prepare import PreparedData
from seqrnn.metrics.evaluation import Figures
from seqrnn.run.directory import RunDirectory
from seqrnn.tasks.task import Task
from seqrnn.training.evaluation import EvaluationOptions, evaluate
from seqrnn.training.events import Event
from seqrnn.training.session import RunTarget, Session


class FoldTraining:
    """Trains to the end, and chooses nothing by the fold; what it saves is gone afterwards."""

    def __init__(self, config: Config, task: Task, prepared: PreparedData) -> None:
        """Make the model. `prepared.valid` is the fold."""
        assert prepared.valid is not None
        self._fold = prepared.valid
        self._session = Session(config, task, replace(prepared, valid=None))
        self.stop = self._session.trainer.stop
        self.figures: Figures = {}  # of the last weights, once all events have come

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._session.trainer.stopped

    def events(self, options: EvaluationOptions) -> Iterator[Event]:
        """Train, and measure with these options. Raises what `Session.train` raises."""
        session = self._session
        with tempfile.TemporaryDirectory(prefix="seqrnn-") as directory:
            run = Path(directory, "run")
            yield from session.train(RunTarget(run))
            if self.stopped:
                return
            last = RunDirectory.open(run).newest()
            load_model(session.model, last.tensors(expected_arrays(session.model)))
        self.figures = evaluate(session.model, session.task, self._fold, options).figures
