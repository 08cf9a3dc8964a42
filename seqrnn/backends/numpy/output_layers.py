"""How tags are chosen from a score a tag and step: `tags` (B, T), `tag_log_probs` (B, T), `log_prob` (B,).

`log_probs` (B, T, K) are of all tags of each step, of which `tag_log_probs` are those chosen.
Every layer takes scores (B, T, K) and the mask (B, T), true where a sequence runs. What stands behind
the end of a sequence is without meaning.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqrnn.backends.numpy.activations import log_softmax
from seqrnn.backends.numpy.crf import CRF
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.tasks.task import Values

OutputLayer = Callable[[Array, Array], Values]


def choose_each(scores: Array, mask: Array) -> Values:
    """Take the likeliest tag of each step."""
    every = log_softmax(scores)
    log_probs = every.max(axis=2)
    return {
        "tags": scores.argmax(axis=2),
        "tag_log_probs": log_probs,
        "log_prob": (log_probs * mask).sum(axis=1),
        "log_probs": every,
    }


class CRFLayer:
    """Take the likeliest sequence; a tag's own probability is its marginal."""

    def __init__(self, take: Take, tags: int) -> None:
        self._crf = CRF(within(take, "crf"), tags)

    def __call__(self, scores: Array, mask: Array) -> Values:
        """Choose the tags of a batch."""
        tags, log_prob = self._crf.decode(scores, mask)
        marginals = self._crf.marginals(scores, mask)
        chosen = np.take_along_axis(marginals, tags[:, :, None], axis=2)[:, :, 0]
        return {"tags": tags, "tag_log_probs": chosen, "log_prob": log_prob, "log_probs": marginals}


def take_output_layer(take: Take, tags: int, crf: bool) -> OutputLayer:
    """Make the output layer of a tagger."""
    return CRFLayer(take, tags) if crf else choose_each
