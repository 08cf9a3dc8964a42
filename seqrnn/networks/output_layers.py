"""How tags are chosen from a score a tag and step.

Every layer takes scores (B, T, K) and the mask (B, T), true where a sequence runs. `tags` returns the
likeliest, (B, T). A call returns by name `tags`; `tag_log_probs` (B, T), of each of them; `log_prob` (B,), of
all of them together; `log_probs` (B, T, K), of every tag at each step. After the end of a sequence the values
mean nothing.

Shapes: B batch, T time, K tags.
"""

from __future__ import annotations

from seqrnn.networks.ops import Ops, Value
from seqrnn.networks.predictions import Values


class SoftmaxLayer:
    """Each step is judged by itself."""

    def __init__(self, ops: Ops, tags: int) -> None:  # noqa: ARG002
        self._ops = ops

    def tags(self, scores: Value, mask: Value) -> Value:  # noqa: ARG002
        """Take the likeliest tag of each step."""
        return self._ops.likeliest(scores)[1]

    def __call__(self, scores: Value, mask: Value) -> Values:
        """Choose the tags of a batch."""
        log_probs = self._ops.log_softmax(scores)
        chosen, tags = self._ops.likeliest(log_probs)
        log_prob = self._ops.sum_of_steps(chosen, mask)
        return {"tags": tags, "tag_log_probs": chosen, "log_prob": log_prob, "log_probs": log_probs}


class CRFLayer:
    """The tags of a sequence are judged together; a tag's own probability is its marginal."""

    def __init__(self, ops: Ops, tags: int) -> None:
        self._ops = ops
        self.crf = ops.within("crf").crf(tags)

    def tags(self, scores: Value, mask: Value) -> Value:
        """Take the likeliest sequence."""
        return self.crf.decode(scores, mask)[0]

    def __call__(self, scores: Value, mask: Value) -> Values:
        """Choose the tags of a batch."""
        tags, log_prob = self.crf.decode(scores, mask)
        marginals = self.crf.marginals(scores, mask)
        chosen = self._ops.chosen(marginals, tags)
        return {"tags": tags, "tag_log_probs": chosen, "log_prob": log_prob, "log_probs": marginals}
