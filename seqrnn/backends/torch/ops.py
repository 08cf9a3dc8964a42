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
        return TorchOps(self.root, self._shrink, (*self._path, *part.split(".")))

    def order(self, *parts: str) -> None:
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

    def norm(self, size: int) -> nn.LayerNorm:
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
        images = self._register(CNN(channels, side, width))
        return images, images.size

    def rnn(self, cell: str, sizes: RNNSizes) -> RNN:
        return self._register(RNN(cell, sizes, self._shrink))

    def crf(self, tags: int) -> CRF:
        return self._register(CRF(tags))

    def dropout(self, share: float) -> Dropout:
        return Dropout(self.root, share)

    def zero_states(self, rnn: RNN, like: Tensor) -> Layers:
        return rnn.initial(len(like))


class Dropout:
    """Drops values while the network is in training."""

    def __init__(self, root: nn.Module, share: float) -> None:
        self._root = root
        self._share = share

    def __call__(self, x: Tensor) -> Tensor:
        """Return `x`, some values zero and the others larger."""
        return F.dropout(x, self._share, self._root.training)
