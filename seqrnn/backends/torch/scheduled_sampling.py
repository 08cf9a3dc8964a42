"""Scheduled sampling (Bengio et al. 2015): training a decoder on some of its own choices.

Shapes: B batch, T target, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqrnn.data.text.tokenizer import BLANK, SPECIALS


def mix(inputs: Tensor, guesses: Tensor, share: float) -> Tensor:
    """Replace a random `share` of `inputs` (B, T) by what the model would have chosen there.

    Scheduled sampling (Bengio et al. 2015, section 2.4) in one extra pass, as Mihaylova and Martins
    (2019) have it: `guesses` (B, T, V) are the scores of a pass in which every input was true, the
    choice at step t is drawn from the one before, and the share does not change over the training.
    """
    logits = guesses[:, :-1].float()
    logits[:, :, : len(SPECIALS)] = torch.finfo(logits.dtype).min
    gumbel = -torch.empty_like(logits).exponential_().log()  # the largest of logits + gumbel is a draw
    drawn = (logits + gumbel).argmax(dim=2)  # (B, T - 1)
    chosen = torch.rand(drawn.shape, device=inputs.device) < share
    later = inputs[:, 1:]
    replaced = torch.where(chosen & (later != BLANK), drawn, later)
    return torch.cat([inputs[:, :1], replaced], dim=1)
