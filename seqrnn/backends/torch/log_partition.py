"""The log of a CRF's sum over all sequences of tags, with a backward pass of its own.

Forwards and backwards go through probabilities that are scaled at every step, so that both take one small
product of matrices a step; the gradients are the expected counts of tags and of pairs of tags (Lafferty et
al. 2001), which are sums over all steps at once.

Shapes: B batch, T time, K tags.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

LEAST = 1e-30  # by which a gradient is still divided: that of scores so far apart is not to be infinite


class LogPartition(torch.autograd.Function):
    """`log sum_y exp s(x, y)`, (B,), of emissions (B, T, K) where `mask` (B, T) is true; T is at least 1.

    Transitions (K, K), start (K,) and end (K,) are the scores of the module `CRF`. 0 for an empty sequence. A
    sum that is smaller than the largest of its step by a factor of e^-87 is kept at the smallest number that
    there is.
    """

    @staticmethod
    def forward(  # noqa: PLR0917
        ctx: Any, emissions: Tensor, mask: Tensor, transitions: Tensor, start: Tensor, end: Tensor
    ) -> Tensor:
        """Go through the steps, and keep the share of each tag in each of them."""
        tiny = torch.finfo(emissions.dtype).tiny
        top, most = emissions.amax(dim=2), transitions.amax()
        factors, steps = torch.exp(emissions - top.unsqueeze(2)), torch.exp(transitions - most)
        alpha = torch.exp(start - start.amax()).clamp_min(tiny) * factors[:, 0]
        sizes = [alpha.sum(dim=1, keepdim=True)]
        alphas = [alpha / sizes[0]]
        for step in range(1, emissions.shape[1]):
            alpha = (alphas[-1] @ steps).clamp_min_(tiny).mul_(factors[:, step])
            sizes.append(alpha.sum(dim=1, keepdim=True))
            alphas.append(torch.where(mask[:, step : step + 1], alpha.div_(sizes[-1]), alphas[-1]))
        ends = torch.exp(end - end.amax())
        last = (alphas[-1] * ends).sum(dim=1).clamp_min(tiny)
        size = torch.cat(sizes, dim=1)  # (B, T)
        ctx.save_for_backward(torch.stack(alphas, dim=1), size, factors, steps, ends, mask)
        gained = (size.log() + top) * mask
        moves = mask[:, 1:].sum(dim=1) * most
        return (gained.sum(dim=1) + moves + start.amax() + last.log() + end.amax()) * mask.any(dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through the steps: what may follow each tag, and from both what is expected."""
        alphas, size, factors, steps, ends, mask = ctx.saved_tensors
        tiny = torch.finfo(alphas.dtype).tiny
        betas = [(ends / ends.sum()).expand_as(alphas[:, 0])]
        for step in range(alphas.shape[1] - 1, 0, -1):
            beta = ((betas[-1] * factors[:, step]) @ steps.t()).clamp_min_(tiny)
            beta.div_(beta.sum(dim=1, keepdim=True))
            betas.append(torch.where(mask[:, step : step + 1], beta, betas[-1]))
        beta = torch.stack(betas[::-1], dim=1)  # (B, T, K)
        both = alphas * beta
        shares = both.sum(dim=2)  # (B, T)
        weights = gradient.unsqueeze(1) * mask.any(dim=1, keepdim=True)
        expected = both * (weights / shares.clamp_min(LEAST)).unsqueeze(2)  # (B, T, K)
        moved = (weights / (shares * size).clamp_min(LEAST) * mask)[:, 1:].unsqueeze(2)
        pairs = alphas[:, :-1].flatten(0, 1).t() @ (beta * factors)[:, 1:].mul(moved).flatten(0, 1)
        found = expected * mask.unsqueeze(2)
        return found, None, pairs * steps, expected[:, 0].sum(dim=0), expected[:, -1].sum(dim=0)


def log_partition(emissions: Tensor, mask: Tensor, scores: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return it for the `scores` transitions, start and end; see `LogPartition`."""
    found: Tensor = LogPartition.apply(emissions, mask, *scores)  # type: ignore[no-untyped-call]
    return found
