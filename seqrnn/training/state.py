"""Where a training is: with the tensors of a checkpoint, all that resuming needs."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, field

from seqrnn.errors import ModelError
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.files import Sha256
from seqrnn.run.manifest import TRAINING_STATE
from seqrnn.strict_json import conform

MAX_COUNT = 2**53  # what a float holds exactly
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
OPTIONAL = frozenset({"best_loss", "learning_rate", "rollbacks"})  # which older runs do not have
BOUNDED = ("epoch", "evaluated", "evaluations_without_improvement", "skipped_updates", "loss_count")
"""What there cannot be more of than updates."""


class TrainerState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The counters of a training, as they change. The file has some of them under older, shorter names."""

    step: Count = 0
    epoch: Count = 0
    batch: Count = 0  # batches of this epoch that are done
    seconds: Annotated[float, Meta(ge=0.0, le=1e12)] = 0.0  # when the state last changed, since the start
    best: float | None = None
    best_loss: float | None = None
    evaluated: Count = 0  # step of the last evaluation
    evaluations_without_improvement: Count = field(name="stale", default=0)
    learning_rate: Annotated[float, Meta(ge=0.0)] = 0.0  # of the last update
    lr_scale: Annotated[float, Meta(ge=0.0, le=1.0)] = field(
        name="scale", default=1.0
    )  # by the plateau schedule, and rollbacks
    rollbacks: Annotated[int, Meta(ge=0, le=100)] = 0
    skipped_updates: Count = field(name="failures", default=0)  # in a row: their losses were not finite
    loss_sum: float = field(name="loss", default=0.0)  # over the updates since the last evaluation
    loss_count: Count = field(name="losses", default=0)

    def content(self) -> dict[str, Any]:
        """Return the counters by the names that the file has for them."""
        return dict(zip(self.__struct_encode_fields__, msgspec.structs.astuple(self), strict=True))


class SavedState(TrainerState):
    """The content of training.json: the counters, and the sha256 of each data file by its name."""

    data: dict[str, Sha256] = {}

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> SavedState:
        """Read the state that a checkpoint was saved in.

        Raises ModelError where something is missing, of another type, or cannot be: more of anything than
        there were updates.
        """
        path = checkpoint.path / TRAINING_STATE
        content = checkpoint.training_state()
        state = conform(content, cls, path)
        keys = dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
        if missing := sorted({*keys.values()} - content.keys() - OPTIONAL):
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
        return TrainerState(**{name: getattr(self, name) for name in TrainerState.__struct_fields__})
