"""How tags are chosen from a score a tag and step, and what a choice costs.

Every layer takes scores (B, T, K) and the mask (B, T), true where a sequence runs. `loss` sums
`-log p(tags)` over the batch in nats, without tags from K on, which training did not have; `choose`
returns by name `tags` (B, T), the likeliest; `tag_log_probs` (B, T), of each of them; `log_prob` (B,),
of all of them together; `log_probs` (B, T, K), of every tag at each step. What stands behind the end of
a sequence is without meaning.

Shapes: B batch, T time, K tags.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.loss import IGNORED, Loss, Objective, known_cross_entropy


class SoftmaxLayer(nn.Module):
    """Each step is judged by itself."""

    def loss(self, scores: Tensor, tags: Tensor, mask: Tensor, objective: Objective) -> Loss:
        """Return the cross-entropy of the known tags."""
        targets = tags.masked_fill(~mask, IGNORED)
        return known_cross_entropy(scores.flatten(0, 1), targets.flatten(), objective)

    def choose(self, scores: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Take the likeliest tag of each step."""
        every = scores.float().log_softmax(dim=2)
        log_probs, tags = every.max(dim=2)
        return {
            "tags": tags,
            "tag_log_probs": log_probs,
            "log_prob": (log_probs * mask).sum(dim=1),
            "log_probs": every,
        }


class CRFLayer(nn.Module):
    """The tags of a sequence are judged together; see `crf.py`."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.crf = CRF(tags)

    def loss(
        self,
        scores: Tensor,
        tags: Tensor,
        mask: Tensor,
        objective: Objective,  # noqa: ARG002
    ) -> Loss:
        """Return the negative log-likelihood of the sentences whose tags are all known.

        Smoothing and weights are of single tags and do not apply.
        """
        unknown = mask & (tags >= scores.shape[2])
        whole = ~unknown.any(dim=1)  # (B,)
        with torch.autocast(scores.device.type, enabled=False):
            found = self.crf.log_likelihood(scores, tags.masked_fill(unknown, 0), mask)
        return Loss(-(found * whole).sum(), (mask & whole[:, None]).sum())

    def choose(self, scores: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Take the likeliest sequence; a tag's own probability is its marginal."""
        with torch.autocast(scores.device.type, enabled=False):
            tags, log_prob = self.crf.decode(scores, mask)
            marginals = self.crf.marginals(scores, mask)
        chosen = marginals.gather(2, tags.unsqueeze(2)).squeeze(2)
        return {"tags": tags, "tag_log_probs": chosen, "log_prob": log_prob, "log_probs": marginals}
