"""What is read without recurrence: the places of an image, or one vector, summed up in one state.

Shapes: B batch, S places, E size of a place's vector, H hidden.
"""

from __future__ import annotations

from torch import Tensor, nn

from seqrnn.backends.torch.rnn import Layers
from seqrnn.cells.sizes import RNNSizes


class Summary(nn.Module):
    """Layers `h = relu(W x + b)` over each place, and then the largest value of each feature.

    One vector is one place: then this is a plain feed-forward network.
    """

    def __init__(self, sizes: RNNSizes) -> None:
        super().__init__()
        inputs = [sizes.input_size] + [sizes.hidden_size] * (sizes.num_layers - 1)
        self.layers = nn.ModuleList(nn.Linear(size, sizes.hidden_size) for size in inputs)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, places: Tensor) -> Tensor:
        """Sum up `places` (B, S, E) -> (B, H)."""
        x = places
        for depth, layer in enumerate(self.layers):
            x = self.dropout(x) if depth else x
            x = layer(x).relu()  # (B, S, H)
        return x.amax(dim=1)


class PlacesEncoder(nn.Module):
    """Stands where an `RNN` reads a sequence: the places are the memory, their summary every last state.

    The summary is normalised: the largest values of many places are nearly the same in all images.
    """

    def __init__(self, sizes: RNNSizes, arrays: int) -> None:
        """Take the sizes of the decoder's layers, and how many arrays its cell's state has."""
        super().__init__()
        self.summary = Summary(sizes)
        self.norm = nn.LayerNorm(sizes.hidden_size)
        self.arrays = arrays
        self.depth = sizes.num_layers

    def forward(self, places: Tensor) -> tuple[Tensor, Layers]:
        """Read `places` (B, S, E): the memory, which they are themselves, and a last state a layer."""
        last = self.norm(self.summary(places))  # (B, H)
        return places, [(last,) * self.arrays] * self.depth
