"""What the workers of a training begin with: where the leading one is, new or resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from seqrnn.backends.torch.parameters import load_model, model_arrays
from seqrnn.training.state import TrainerState
from seqrnn.training.training_arrays import carried, restore_moments, training_arrays

if TYPE_CHECKING:
    from seqrnn.training.trainer import Trainer

STATE = "state"  # name of the counters, beside those of weights and moments


def share_start(trainer: Trainer) -> None:
    """Give all workers what the leading one begins with, and each its share of the carried states."""
    workers, updater = trainer.workers, trainer.updater
    given = workers.begin(lambda: _start_of(trainer))
    if given is not None:
        trainer.state = msgspec.json.decode(given[STATE].tobytes(), type=TrainerState)
        load_model(trainer.model, given)
        restore_moments(given, trainer.model, trainer.optimizer)
        updater.carry = carried(given, trainer.device)
    updater.carry = workers.own(updater.carry)


def _start_of(trainer: Trainer) -> Mapping[str, np.ndarray]:
    counters = np.frombuffer(msgspec.json.encode(trainer.state), np.uint8)
    moments = training_arrays(trainer.model, trainer.optimizer, trainer.updater.carry)
    return {**model_arrays(trainer.model), **moments, STATE: counters}
