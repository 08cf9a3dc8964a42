"""From the hidden states of a sequence to one vector.

Every pooling takes the outputs (B, T, H), zero where a sequence has ended, the top layer's last
state (B, H) and the mask (B, T), true where a sequence runs, and returns (B, H).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.attention_weights import note_weights


class LastPooling(nn.Module):
    """The last state of each sequence."""

    def forward(self, outputs: Tensor, last: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        """Return `last`."""
        return last


class MeanPooling(nn.Module):
    """The mean over the steps that a sequence has."""

    def forward(self, outputs: Tensor, last: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002
        """Return the mean; zero for an empty sequence."""
        return outputs.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


class MaxPooling(nn.Module):
    """The largest value of each feature over the steps."""

    def forward(self, outputs: Tensor, last: Tensor, mask: Tensor) -> Tensor:
        """Return the maximum; zero for an empty sequence."""
        if outputs.shape[1] == 0:
            return last
        lowest = torch.finfo(outputs.dtype).min
        pooled = outputs.masked_fill(~mask.unsqueeze(2), lowest).amax(dim=1)
        return pooled.masked_fill(~mask.any(dim=1, keepdim=True), 0.0)


class AttentionPooling(nn.Module):
    """A learnt weighing of the steps: `sum_t softmax_t(v . tanh(W h_t)) h_t` (Yang et al. 2016, eq. 5-7)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.key = nn.Linear(size, size)
        self.query = nn.Linear(size, 1, bias=False)

    def forward(self, outputs: Tensor, last: Tensor, mask: Tensor) -> Tensor:
        """Return the weighed mean; zero for an empty sequence."""
        if outputs.shape[1] == 0:
            return last
        scores = self.query(torch.tanh(self.key(outputs))).squeeze(2).float()  # (B, T)
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=1)  # (B, T)
        note_weights(weights)
        return torch.einsum("bt,bth->bh", weights.to(outputs.dtype), outputs)


def build_pooling(name: str, size: int) -> nn.Module:
    """Make the pooling that a configuration names, for states of `size` features."""
    if name == "attention":
        return AttentionPooling(size)
    return {"last": LastPooling, "mean": MeanPooling, "max": MaxPooling}[name]()
