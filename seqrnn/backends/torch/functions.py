"""The functions of `networks/ops.py` in PyTorch.

Probabilities are computed in float32, whatever the scores are. Shapes: B batch, T time, Q queries, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.attention_weights import note_weights
from seqrnn.backends.torch.rnn import sequence_mask
from seqrnn.networks.ops import Map

MOST_ROWS = 2**12  # that are read at a time: a long row of words may hold as many different ones


class TorchFunctions:
    """Functions of tensors; `root` is the network, which is in training or not."""

    def __init__(self, root: nn.Module) -> None:
        self.root = root

    def floats(self, x: Tensor) -> Tensor:
        return x.float()

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

    def largest_place(self, places: Tensor) -> Tensor:
        return places.amax(dim=1)

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
