"""All that is found in data before a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from seqrnn.config import Config
from seqrnn.data.dataset.building import Building
from seqrnn.data.dataset.progress import Preparing, Progress, bytes_in
from seqrnn.data.lines import file_name
from seqrnn.data.record import Record
from seqrnn.data.source import Source, spool
from seqrnn.inspection.measuring import SampleMeasurements, measure
from seqrnn.inspection.survey import SampledRows, Survey, Surveyor
from seqrnn.tasks.task import Task

LONGEST_SHOWN, STEPS_SHOWN, TARGETS_SHOWN = 500, 5, 50  # of a row: characters, time steps, answers


@dataclass(frozen=True)
class Findings:
    """What was found in all rows, and what was measured of those that were sampled."""

    files: list[str]
    bytes: int
    survey: Survey
    measured: SampleMeasurements
    train: SampledRows
    valid: SampledRows

    @property
    def stops(self) -> list[str]:
        """Reasons for which a training would end before it begins, the first few."""
        return [*self.survey.stops, *self.measured.stops]

    @property
    def stopping(self) -> int:
        """How many rows there are, as far as was looked, of which none can be learned from."""
        return self.survey.stopping + self.measured.stopping

    def to_dict(self) -> dict[str, Any]:
        """Return all but the rows, by names that are stable, in values that JSON can hold."""
        survey, measured = self.survey, self.measured
        return {
            "files": self.files,
            "bytes": self.bytes,
            "examples": {
                "train": survey.examples,
                "valid": survey.held_out,
                "blank": survey.blank,
                "one_in": survey.one_in[0],
                "valid_one_in": survey.one_in[-1],
                "replaced_bytes": survey.replaced_bytes,
                "first": [_shown(record) for record in survey.first],
            },
            "answers": survey.answers,
            "sampled": {"rows": len(self.train.train), "share": self.train.share},
            "sides": {name: asdict(side) for name, side in measured.sides.items()},
            "repeats": asdict(survey.repeats) if survey.repeats else None,
            "suspicious": [asdict(each) for each in survey.suspicious],
            "stops": {"rows": self.stopping, "first": self.stops},
        }


def find(
    config: Config, make: Callable[[Config], Task], tell: Callable[[Preparing], None] = lambda _: None
) -> Findings:
    """Look at the data that a configuration names; `make` makes its task, `tell` hears how far this is.

    Raises DataError for files that cannot be read, and UsageError for settings that do not go together.
    """
    valid = Source.validation(config.data)
    task, training = make(config), config.training
    sources = spool(Source.training(config.data)), valid and spool(valid)
    building = Building(*sources, task.fields, config.data, training.seed, training.threads, Progress(tell))
    survey, (train, *others) = Surveyor(building, task).read()
    held_out = others[0] if others else train
    measured = measure(config, make, train, held_out)
    files = building.paths
    return Findings(list(map(file_name, files)), bytes_in(files), survey, measured, train, held_out)


def _shown(record: Record) -> dict[str, Any]:
    source = record.source.rstrip("\n")[:LONGEST_SHOWN]
    if record.steps is not None:
        few = ", ".join(str(step) for step in list(record.steps[:STEPS_SHOWN]))
        source = (few if len(record.steps) == 1 else f"{len(record.steps)} steps: {few}")[:LONGEST_SHOWN]
    return {"place": record.location, "source": source, "targets": list(record.targets[:TARGETS_SHOWN])}
