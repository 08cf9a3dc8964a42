"""What a network is described with, in PyTorch: its layers are modules, registered under their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.attention_weights import note_weights
from seqrnn.backends.torch.cnn import CNN
from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.dropout import dropout
from seqrnn.backends.torch.embedding import SumOfRows, TokenEmbedding
from seqrnn.backends.torch.rnn import RNN, Layers, sequence_mask
from seqrnn.cells.sizes import RNNSizes
from seqrnn.data.text.vocabulary import BLANK
from seqrnn.networks.hashing import hashed, windows
from seqrnn.networks.ops import Map

Module = TypeVar("Module", bound=nn.Module)
MOST_ROWS = 2**12  # that are read at a time: a long row of words may hold as many different ones


class TorchOps:
    """Makes the layers of one part of `root`.

    A layer becomes a module of `root`, by the name of its part, when it is made. Hence a network draws its
    first weights in the order in which its description makes them.
    """

    def __init__(self, root: nn.Module, shrink: bool, path: tuple[str, ...] = ()) -> None:
        """With `shrink`, rows that have ended are not computed any further; see `RNN`."""
        self.root = root
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

    def sum_of_rows(self, rows: int, size: int, dropout: float) -> SumOfRows:
        return self._register(SumOfRows(rows, size, dropout))

    def images(self, channels: int, side: int, width: int) -> tuple[CNN, int]:
        images = self._register(CNN(channels, side, width))
        return images, images.size

    def rnn(self, cell: str, sizes: RNNSizes) -> RNN:
        return self._register(RNN(cell, sizes, self._shrink))

    def crf(self, tags: int) -> CRF:
        return self._register(CRF(tags))

    def dropout(self, share: float) -> NetworkDropout:
        return NetworkDropout(self.root, share)

    def zero_states(self, rnn: RNN, like: Tensor) -> Layers:
        return rnn.initial(len(like))

    def floats(self, x: Tensor) -> Tensor:
        return x.float()

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def tanh(self, x: Tensor) -> Tensor:
        return torch.tanh(x)

    def tanh_of_sum(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(x + y)

    def relu(self, x: Tensor) -> Tensor:
        return x.relu()

    def log_softmax(self, x: Tensor) -> Tensor:
        return x.float().log_softmax(dim=-1)

    def log_sigmoid(self, x: Tensor) -> Tensor:
        return F.logsigmoid(x.float())

    def concat(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        return torch.cat(tuple(parts), dim=axis)

    def insert_axis(self, x: Tensor, axis: int) -> Tensor:
        return x.unsqueeze(axis)

    def remove_axis(self, x: Tensor, axis: int) -> Tensor:
        return x.squeeze(axis)

    def unflatten(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Give each row of `x` (B, N) a shape: (B, *shape)."""
        return x.reshape(-1, *shape)

    def rows(self, x: Tensor, index: Tensor) -> Tensor:
        return x.index_select(0, index) if index.ndim == 1 else F.embedding(index, x)

    def grouped(self, x: Tensor, sources: Tensor) -> Tensor:
        return x.view(sources.shape[0], -1, x.shape[1])

    def ungrouped(self, x: Tensor) -> Tensor:
        return x.flatten(0, 1)

    def tokens_like(self, token: int, like: Tensor) -> Tensor:
        return torch.full((like.shape[0],), token, device=like.device)

    def mask(self, lengths: Tensor, like: Tensor) -> Tensor:
        return sequence_mask(lengths, like.shape[1], like.device)

    def everywhere(self, like: Tensor) -> Tensor:
        return torch.ones(like.shape[:2], dtype=torch.bool, device=like.device)

    def whole(self, hidden: Tensor) -> Tensor:
        return hidden

    def per_step(self, hidden: Tensor, function: Map) -> Tensor:
        found: Tensor = function(hidden)
        return found

    def mean_step(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        steps = self.mask(lengths, hidden).sum(dim=1, keepdim=True)
        return hidden.sum(dim=1) / steps.clamp(min=1)

    def largest_step(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        if hidden.shape[1] == 0:
            return hidden.sum(dim=1)  # zeros
        mask = self.mask(lengths, hidden)
        lowest = torch.finfo(hidden.dtype).min
        pooled = hidden.masked_fill(~mask.unsqueeze(2), lowest).amax(dim=1)
        return pooled.masked_fill(~mask.any(dim=1, keepdim=True), 0.0)

    def max_over_positions(self, hidden: Tensor) -> Tensor:
        return hidden.amax(dim=1)

    def present(self, tokens: Tensor) -> Tensor:
        return tokens != BLANK

    def kept(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return tokens * mask

    def windows(self, x: Tensor, size: int) -> list[Tensor]:
        return windows(x, size)

    def hashed(self, parts: Sequence[Tensor], buckets: int) -> Tensor:
        found: Tensor = hashed(parts, buckets)
        return found

    def masked_softmax(self, scores: Tensor, mask: Tensor) -> Tensor:
        scores = scores.float().masked_fill(~mask, torch.finfo(torch.float32).min)
        return scores.softmax(dim=-1) * mask

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return torch.bmm(queries, keys.transpose(1, 2))

    def weighted_sum(self, weights: Tensor, values: Tensor) -> Tensor:
        note_weights(weights)
        return torch.bmm(weights.to(values.dtype), values)

    def likeliest(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        largest, index = scores.max(dim=-1)
        return largest, index

    def chosen(self, scores: Tensor, index: Tensor) -> Tensor:
        return scores.gather(2, index.unsqueeze(2)).squeeze(2)

    def sum_of_steps(self, x: Tensor, mask: Tensor) -> Tensor:
        return (x * mask).sum(dim=1)

    def in_parts(self, read: Callable[[Tensor, Tensor], Tensor], rows: Tensor, lengths: Tensor) -> Tensor:
        if self.root.training or len(rows) <= MOST_ROWS:
            return read(rows, lengths)
        parts = zip(torch.split(rows, MOST_ROWS), torch.split(lengths, MOST_ROWS), strict=True)
        return torch.cat([read(part[:, : int(sizes[0])], sizes) for part, sizes in parts])


class NetworkDropout:
    """Drops values while the network is in training; no module, so that it needs no name."""

    def __init__(self, root: nn.Module, share: float) -> None:
        self._root = root
        self._share = share

    def __call__(self, x: Tensor) -> Tensor:
        """Return `x`, some values zero and the others larger."""
        return dropout(x, self._share, self._root.training)
