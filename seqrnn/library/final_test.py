"""The setting `test`: data that nothing is chosen by, on which the best weights are measured at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqrnn.library.decoding import BEAM_SIZE
from seqrnn.library.measuring import DataArguments, EncodedData, encoded, find_source, with_fields
from seqrnn.run.results import TEST, keep_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqrnn.data.fields.field import Field
    from seqrnn.library.plan import Plan
    from seqrnn.metrics.evaluation import Evaluation


@dataclass(frozen=True)
class FinalTest:
    """Data that were read before the training, so that nothing is wrong with them after it."""

    files: tuple[str, ...]
    data: EncodedData

    def measure(self, run: Path, device: str) -> Evaluation:
        """Measure the best weights of a run as `seqrnn evaluate` does; keep the figures in the run."""
        from seqrnn.answering.opened_run import open_run
        from seqrnn.backends.torch.backend import open_backend
        from seqrnn.search.beam import Beam
        from seqrnn.training.evaluation import EvaluationOptions

        opened = open_run(run)
        self.data.task.calibration = opened.task.calibration
        measured = self.data.measure(open_backend(opened, device), EvaluationOptions(beam=Beam(BEAM_SIZE)))
        result = {"files": self.files, "step": opened.checkpoint.step, "figures": measured.as_json}
        keep_result(run, TEST, result)
        return measured


@contextmanager
def final_test(plan: Plan, fields: Sequence[Field]) -> Iterator[FinalTest | None]:
    """Read the test data of a training whose `fields` have learned, if it has any.

    Raises UsageError or DataError for what `seqrnn evaluate` could not measure.
    """
    from seqrnn.data.lines import file_name
    from seqrnn.data.source import Source

    named = Source.test(plan.config.data)
    if named is None:
        yield None
        return
    task = with_fields(plan.task(), fields)
    sides = (named.paths[0], named.target_path) if named.target_path else (None, None)
    paths = ("-",) if named.target_path else named.paths
    with encoded(task, find_source(plan.config, DataArguments(paths, sides))) as data:
        yield FinalTest(tuple(map(file_name, named.files)), data)
