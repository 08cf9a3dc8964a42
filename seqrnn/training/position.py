"""Where a training is: with the tensors of a checkpoint, all that resuming needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from seqrnn.errors import ModelError
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.files import Sha256
from seqrnn.run.manifest import TRAINING_STATE

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]  # what a float holds exactly
OPTIONAL = frozenset({"best_loss"})  # which older runs do not have


class Position(BaseModel):
    """The counters of a training, as it goes on."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    step: Count = 0
    epoch: Count = 0
    batch: Count = 0  # batches of this epoch that are done
    seconds: Annotated[float, Field(ge=0.0, le=1e12)] = 0.0
    best: float | None = None
    best_loss: float | None = None
    evaluated: Count = 0  # step of the last evaluation
    stale: Count = 0  # evaluations since the best
    scale: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0  # of the learning rate, by the plateau
    failures: Count = 0  # updates in a row without a finite loss
    loss: float = 0.0  # sum over the updates since the last evaluation
    losses: Count = 0  # how many these are


class SavedPosition(Position):
    """The content of training.json: the counters, and the sha256 of each data file by its name."""

    data: Mapping[str, Sha256] = {}

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> SavedPosition:
        """Read the position that a checkpoint was saved at.

        Raises ModelError where something is missing, of another type, or cannot be: more of anything than
        there were updates.
        """
        path = checkpoint.path / TRAINING_STATE
        state = checkpoint.training_state(cls)
        if missing := sorted(cls.model_fields.keys() - state.model_fields_set - OPTIONAL):
            raise ModelError(f"{path}: lacks {missing[0]!r}; copy it again")
        if state.step != checkpoint.step:
            raise ModelError(f"{path}: says step {state.step}; it belongs to another checkpoint")
        for name in ("epoch", "evaluated", "stale", "failures", "losses"):
            if getattr(state, name) > state.step:
                raise ModelError(f"{path}: {name!r} is more than the {state.step} updates; copy it again")
        return state

    def position(self) -> Position:
        """Return the counters."""
        return Position(**self.model_dump(exclude={"data"}))
