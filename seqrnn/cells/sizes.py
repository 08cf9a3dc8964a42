"""How large a stack of recurrent layers is."""

from __future__ import annotations

from msgspec import Struct

CACHED = 2**17
"""Numbers, 512 KiB: of what a step computes, so much stays in a processor's cache."""


class RNNSizes(Struct, frozen=True):
    """The sizes of a stack of recurrent layers."""

    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0

    @property
    def directions(self) -> int:
        """Ways in which a sequence is read: D."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Size of the hidden states of one step, all directions together: D * H."""
        return self.hidden_size * self.directions

    @property
    def input_sizes(self) -> list[int]:
        """Size of what each layer reads."""
        return [self.input_size] + [self.output_size] * (self.num_layers - 1)
