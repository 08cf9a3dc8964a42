"""What a network is described with, in PyTorch: its layers are modules, registered under their names."""

from __future__ import annotations

from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.cnn import CNN
from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.embedding import TokenEmbedding
from seqrnn.backends.torch.functions import TorchFunctions
from seqrnn.backends.torch.rnn import RNN, Layers
from seqrnn.cells.sizes import RNNSizes
from seqrnn.networks.ops import TokenSteps

Module = TypeVar("Module", bound=nn.Module)


class TorchOps(TorchFunctions):
    """Makes the layers of one part of `root`.

    A layer becomes a module of `root`, by the name of its part, when it is made. Hence a network draws its
    first weights in the order in which its description makes them.
    """

    def __init__(self, root: nn.Module, shrink: bool, path: tuple[str, ...] = ()) -> None:
        """With `shrink`, rows that have ended are not computed any further; see `RNN`."""
        super().__init__(root)
        self._shrink = shrink
        self._path = path

    def within(self, part: str) -> TorchOps:
        """Return what builds a part of this part."""
        return TorchOps(self.root, self._shrink, (*self._path, *part.split(".")))

    def order(self, *parts: str) -> None:
        """Keep a place for each part: a module's parameters come in the order of its places."""
        for part in parts:
            self.within(part)._register(nn.Module())

    def _register(self, module: Module) -> Module:
        parent = self.root
        for name in self._path[:-1]:
            if name not in parent._modules:
                parent.add_module(name, nn.Module())
            parent = parent.get_submodule(name)
        parent._modules[self._path[-1]] = module
        return module

    def linear(
        self, inputs: int, outputs: int, bias: bool = True, tied_to: TokenEmbedding | None = None
    ) -> nn.Linear:
        """Make `y = W x + b`."""
        layer = self._register(nn.Linear(inputs, outputs, bias))
        if tied_to is not None:
            layer.weight = tied_to.table.weight
        return layer

    def scalar(self, inputs: int) -> Scalar:
        """Make `y = v . x`."""
        return Scalar(self.linear(inputs, 1, bias=False))

    def norm(self, size: int) -> nn.LayerNorm:
        """Make a layer normalization."""
        return self._register(nn.LayerNorm(size))

    def embedding(
        self,
        vocabulary: int,
        size: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        trained: bool = True,
    ) -> TokenEmbedding:
        """Make a vector a token."""
        embedding = self._register(TokenEmbedding(vocabulary, size, dropout, word_dropout))
        embedding.table.weight.requires_grad = trained
        return embedding

    def images(self, channels: int, side: int, width: int) -> tuple[CNN, int]:
        """Make a convolutional network, and tell the size of its states."""
        images = self._register(CNN(channels, side, width))
        return images, images.size

    def rnn(self, cell: str, sizes: RNNSizes) -> RNN:
        """Make recurrent layers."""
        return self._register(RNN(cell, sizes, self._shrink))

    def crf(self, tags: int) -> CRF:
        """Make a conditional random field."""
        return self._register(CRF(tags))

    def dropout(self, share: float) -> Dropout:
        """Make what drops a share of the values in training."""
        return Dropout(self.root, share)

    def zero_states(self, rnn: RNN, like: Tensor) -> Layers:
        """Return the state in which `rnn` begins, for the rows of `like`."""
        return rnn.initial(len(like))

    def token_steps(self, embedding: TokenEmbedding, rnn: RNN) -> TokenSteps:
        """Make what reads tokens one at a time."""
        return Steps(embedding, rnn)


class Scalar:
    """A linear map to one number, without its axis."""

    def __init__(self, layer: nn.Linear) -> None:
        self._layer = layer

    def __call__(self, x: Tensor) -> Tensor:
        """Map (..., E) -> (...)."""
        found: Tensor = self._layer(x).squeeze(-1)
        return found


class Dropout:
    """Drops values while the network is in training."""

    def __init__(self, root: nn.Module, share: float) -> None:
        self._root = root
        self._share = share

    def __call__(self, x: Tensor) -> Tensor:
        """Return `x`, some values zero and the others larger."""
        return F.dropout(x, self._share, self._root.training)


class Steps:
    """An embedding, and the cell's formula in each layer on it."""

    def __init__(self, embedding: TokenEmbedding, rnn: RNN) -> None:
        self._embedding = embedding
        self._rnn = rnn

    def __call__(self, tokens: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Read `tokens` (N,): the hidden states (N, H) of the last layer, and all states."""
        return self._rnn.step(self._embedding(tokens), states)
