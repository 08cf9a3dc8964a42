"""Who trains a model: one process, or several that each compute a share of every batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor, nn

from seqrnn.backends.torch.rnn import Layers
from seqrnn.data.dataset.batching import Batch, Shard

Arrays = Mapping[str, np.ndarray]
Number = TypeVar("Number", float, Tensor)


class Workers:
    """The workers of a training, as one of them sees them; here it is the only one."""

    shard = Shard()
    leads = True

    @property
    def count(self) -> int:
        """How many there are."""
        return self.shard.count

    def begin(self, arrays: Callable[[], Arrays]) -> Arrays | None:  # noqa: ARG002
        """Give the other workers what the leading one starts from; these return it."""
        return None

    def close(self) -> None:
        """Leave the others."""

    def announce_update(self, rate: float) -> float:
        """Have all workers make an update; return its learning rate."""
        return rate

    def announce_restart(self) -> None:
        """Let the other workers take what the leading one goes on from, by `begin`."""

    def announce_end(self) -> None:
        """Let the other workers end."""

    def combine(self, model: nn.Module, loss: Number, group: Sequence[Batch]) -> Sequence[Number]:  # noqa: ARG002
        """Turn a worker's gradients into those of the whole batch, and its mean loss likewise.

        Each worker has means over the targets of its own `group`, whose numbers differ. Returns the loss and,
        of several workers, the tokens and positions of all. A loss on a device stays there.
        """
        return (loss,)

    def gather(self, model: nn.Module, carry: Layers | None) -> Layers | None:  # noqa: ARG002
        """Return the states of all streams, in their order, from those that each worker carries."""
        return carry

    def own(self, whole: Layers | None) -> Layers | None:
        """Return a worker's share of the states of all streams."""
        return whole
