"""Where a training is: with the tensors of a checkpoint, all that resuming needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from seqrnn.errors import ModelError
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.files import Sha256
from seqrnn.run.manifest import TRAINING_STATE

MAX_COUNT = 2**53  # what a float holds exactly
Count: TypeAlias = Annotated[int, Field(ge=0, le=MAX_COUNT)]
OPTIONAL = frozenset({"best_loss", "learning_rate", "rollbacks"})  # which older runs do not have
BOUNDED = ("epoch", "evaluated", "evaluations_without_improvement", "skipped_updates", "loss_count")
"""What there cannot be more of than updates."""


def _count(alias: str) -> int:
    """Declare a count that the file calls by an older name."""
    count: int = Field(default=0, ge=0, le=MAX_COUNT, alias=alias)
    return count


class TrainerState(BaseModel):
    """The counters of a training, as they change. The file has some of them under older, shorter names."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    step: Count = 0
    epoch: Count = 0
    batch: Count = 0  # batches of this epoch that are done
    seconds: Annotated[float, Field(ge=0.0, le=1e12)] = 0.0  # when the state last changed, since the start
    best: float | None = None
    best_loss: float | None = None
    evaluated: Count = 0  # step of the last evaluation
    evaluations_without_improvement: int = _count("stale")
    learning_rate: Annotated[float, Field(ge=0.0)] = 0.0  # of the last update
    lr_scale: float = Field(
        default=1.0, ge=0.0, le=1.0, alias="scale"
    )  # by the plateau schedule, and rollbacks
    rollbacks: Annotated[int, Field(ge=0, le=100)] = 0
    skipped_updates: int = _count("failures")  # in a row: their losses were not finite
    loss_sum: float = Field(default=0.0, alias="loss")  # over the updates since the last evaluation
    loss_count: int = _count("losses")


class SavedState(TrainerState):
    """The content of training.json: the counters, and the sha256 of each data file by its name."""

    data: Mapping[str, Sha256] = {}

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> SavedState:
        """Read the state that a checkpoint was saved in.

        Raises ModelError where something is missing, of another type, or cannot be: more of anything than
        there were updates.
        """
        path = checkpoint.path / TRAINING_STATE
        state = checkpoint.training_state(cls)
        keys = {name: field.alias or name for name, field in cls.model_fields.items()}
        if missing := sorted(keys[name] for name in keys.keys() - state.model_fields_set - OPTIONAL):
            raise ModelError(f"{path}: lacks {missing[0]!r}; copy it again")
        if state.step != checkpoint.step:
            raise ModelError(f"{path}: says step {state.step}; it belongs to another checkpoint")
        for name in BOUNDED:
            if getattr(state, name) > state.step:
                raise ModelError(
                    f"{path}: {keys[name]!r} is more than the {state.step} updates; copy it again"
                )
        return state

    def counters(self) -> TrainerState:
        """Return the counters alone."""
        return TrainerState(**self.model_dump(by_alias=True, exclude={"data"}))
