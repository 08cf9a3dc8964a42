"""A linear-chain conditional random field over tags (Lample et al. 2016, section 2.2).

    s(x, y) = start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_{t-1}, y_t] + end[y_n]
    log p(y | x) = s(x, y) - log sum_y' exp s(x, y')

Shapes: B batch, T time, K tags. Sequences may have ended: `mask` (B, T) is true where one runs. Training
computes in float32. An answer's probability is a small difference of sums over all steps: that is float64's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.log_partition import log_partition

TINY = torch.finfo(torch.float32).tiny


class CRF(nn.Module):
    """Scores of neighbouring tags, and of the first and the last tag, beside those of each tag."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.empty(tags, tags))  # (from, to)
        self.start = nn.Parameter(torch.empty(tags))
        self.end = nn.Parameter(torch.empty(tags))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)

    def log_likelihood(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Return `log p(tags | emissions)`, (B,), for emissions (B, T, K) and tags (B, T)."""
        emissions = emissions.float()
        if emissions.shape[1] == 0:
            return self._log_prob(emissions, tags, mask)
        total = log_partition(emissions, mask, (self.transitions, self.start, self.end))
        return self._score(emissions, tags, mask) - total

    def _log_prob(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        return self._score(emissions, tags, mask) - self._log_partition(emissions, mask)

    def _score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Return `s(x, y)`, (B,); 0 for an empty sequence."""
        tags = tags.masked_fill(~mask, 0)
        chosen = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)  # (B, T)
        entered = torch.cat([self.start[tags[:, :1]], self.transitions[tags[:, :-1], tags[:, 1:]]], dim=1)
        last = mask & ~nn.functional.pad(mask[:, 1:], (0, 1))
        return ((chosen + entered + self.end[tags] * last) * mask).sum(dim=1)

    def _log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the log of the sum over all sequences of tags, (B,); 0 for an empty sequence."""
        alphas = self._forward(emissions, mask)
        return torch.logsumexp(alphas[-1] + self.end, dim=1) * mask.any(dim=1)

    def _forward(self, emissions: Tensor, mask: Tensor) -> list[Tensor]:
        """Return for each step the log of the sum over all beginnings that end in a tag, each (B, K).

        A sequence that has ended keeps its last one.
        """
        alphas = [self.start + emissions[:, :1].sum(dim=1)]
        for step in range(1, emissions.shape[1]):
            alpha = _log_matmul(alphas[-1], self.transitions) + emissions[:, step]
            alphas.append(torch.where(mask[:, step : step + 1], alpha, alphas[-1]))
        return alphas

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return `log p(y_t = k | x)`, (B, T, K), by the forward-backward algorithm."""
        emissions = emissions.double()
        betas = [self.end.expand(len(emissions), -1)]
        for step in range(emissions.shape[1] - 1, 0, -1):
            beta = _log_matmul(betas[-1] + emissions[:, step], self.transitions.t())
            betas.append(torch.where(mask[:, step : step + 1], beta, betas[-1]))
        both = torch.stack(self._forward(emissions, mask), dim=1) + torch.stack(betas[::-1], dim=1)
        return both[:, : emissions.shape[1]].log_softmax(dim=2).float()

    def decode(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the likeliest tags (B, T), any where a sequence has ended, and their log p (B,).

        The algorithm is Viterbi's.
        """
        emissions = emissions.double()
        best = self.start + emissions[:, :1].sum(dim=1)  # (B, K)
        stay = torch.arange(best.shape[1], device=best.device).expand_as(best)
        origins = []
        for step in range(1, emissions.shape[1]):
            scores, origin = (best.unsqueeze(2) + self.transitions).max(dim=1)
            runs = mask[:, step : step + 1]
            best = torch.where(runs, scores + emissions[:, step], best)
            origins.append(torch.where(runs, origin, stay))
        tags = [(best + self.end).argmax(dim=1, keepdim=True)]
        for origin in reversed(origins):
            tags.append(origin.gather(1, tags[-1]))
        path = torch.cat(tags[::-1], dim=1)[:, : emissions.shape[1]]
        return path, self._log_prob(emissions, path, mask).float()


def _log_matmul(scores: Tensor, transitions: Tensor) -> Tensor:
    """Return `log sum_j exp(scores[:, j] + transitions[j, k])`, (B, K), as one product of matrices.

    Both factors are shifted so that their largest entry is 1; a sum that is so much smaller that it
    underflows, by a factor of e^-87, is kept at the smallest number that there is.
    """
    shift, most = scores.amax(dim=1, keepdim=True).detach(), transitions.amax().detach()
    total = torch.exp(scores - shift) @ torch.exp(transitions.to(scores.dtype) - most)
    return total.clamp_min(TINY).log() + shift + most
