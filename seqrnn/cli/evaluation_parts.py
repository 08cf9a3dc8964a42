"""`seqrnn evaluate --shard` and `--merge`: an evaluation that several processes make."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqrnn.cli.stdio import OutputStream
from seqrnn.data.several_files import files_named
from seqrnn.errors import UsageError
from seqrnn.library.evaluation_parts import PartOf, merged, require_divisible, write_part
from seqrnn.library.measuring import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.backends.torch.backend import TorchBackend
    from seqrnn.cli.shard import Shard
    from seqrnn.data.source import Source
    from seqrnn.metrics.evaluation import Evaluation
    from seqrnn.training.evaluation import EvaluationOptions


@dataclass(frozen=True)
class Parts:
    """The parts of an evaluation of a run on some data."""

    run: OpenedRun
    network: TorchBackend
    source: Source
    options: EvaluationOptions

    def write(self, shard: Shard, output: str | None) -> None:
        """Compute one part, and write it. Raises UsageError for a text, and for a terminal."""
        from seqrnn.training.evaluation import answers_of_part

        require_divisible(self.run.task)
        about = PartOf.describe(self.run, self.source, self.options, (shard.number, shard.of))
        with OutputStream(output) as out, encoded(self.run.task, self.source) as data:
            if out.is_terminal:
                raise UsageError("a part is no text for a terminal; redirect it, or name a file with -o")
            found = answers_of_part(self.network.model, data.task, data.dataset, self.options, shard.share)
            write_part(about, found, out)

    def merge(self, names: Sequence[str]) -> Evaluation:
        """Return the figures of all parts."""
        from seqrnn.training.evaluation import scored

        require_divisible(self.run.task)
        paths = [Path(path) for path in files_named(names)]
        about = PartOf.describe(self.run, self.source, self.options, (1, 1))
        with ExitStack() as kept:
            data = kept.enter_context(encoded(self.run.task, self.source))
            answered = merged(paths, about, data, kept)
            return data.noted(scored(data.task, data.dataset, self.options, answered))
