"""Which of the encoder's states a decoder looks at: dot, general and mlp attention.

Shapes: A sources, K sequences written for each, S source, M size of an encoder's state, H of the decoder's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqrnn.backends.numpy.activations import masked_softmax
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.weights import Array, Take, within


@dataclass(frozen=True)
class Memory:
    """What a decoder can look at: `values` by `keys` that are computed once, where `mask` is true."""

    keys: Array  # (A, S, H)
    values: Array  # (A, S, M)
    mask: Array  # (A, S)

    def rows(self, rows: Array) -> Memory:
        """Take `rows` (N,) of the sources."""
        return Memory(self.keys[rows], self.values[rows], self.mask[rows])


class Attention:
    """A weighing of the memory by each query: `c_t = sum_s softmax_s(score(h_t, m_s)) m_s`.

    The score is `h_t . W m_s` (Luong et al. 2015, eq. 8): "general", and "dot" where the sizes differ
    and a map must lead from one to the other. A sequence without memory has the context 0.
    """

    def __init__(self, take: Take, memory_size: int, query_size: int) -> None:
        self._keys = Linear.take(within(take, "keys"), memory_size, query_size, bias=False)

    def memorize(self, values: Array, mask: Array) -> Memory:
        """Prepare the encoder's states `values` (A, S, M), of which `mask` (A, S) tells the true ones."""
        return Memory(self._keys(values), values, mask)

    def score(self, queries: Array, keys: Array) -> Array:
        """Compare queries (A, K, H) with keys (A, S, H) -> (A, K, S)."""
        scores: Array = queries @ keys.swapaxes(1, 2)
        return scores

    def __call__(self, queries: Array, memory: Memory) -> Array:
        """Return the contexts (A, K, M) of `queries` (A, K, H)."""
        weights = masked_softmax(self.score(queries, memory.keys), memory.mask[:, None])
        contexts: Array = weights @ memory.values
        return contexts


class PlainDotAttention(Attention):
    """`score = h_t . m_s`, for states of the same size: nothing is learnt."""

    def __init__(self) -> None:
        """Take nothing."""

    def memorize(self, values: Array, mask: Array) -> Memory:
        """Prepare the encoder's states, which are their own keys."""
        return Memory(values, values, mask)


class MLPAttention(Attention):
    """`score = v . tanh(W h_t + U m_s)` (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, take: Take, memory_size: int, query_size: int) -> None:
        super().__init__(take, memory_size, query_size)
        self._query = Linear.take(within(take, "query"), query_size, query_size)
        self._energy = Linear.take(within(take, "energy"), query_size, 1, bias=False)

    def score(self, queries: Array, keys: Array) -> Array:
        """Compare queries (A, K, H) with keys (A, S, H) -> (A, K, S), through (A, K, S, H)."""
        sums = self._query(queries)[:, :, None] + keys[:, None]
        return self._energy(np.tanh(sums, out=sums))[..., 0]


def take_attention(take: Take, name: str, memory_size: int, query_size: int) -> Attention | None:
    """Make the attention that a configuration names; `none` is None."""
    if name == "none":
        return None
    if name == "mlp":
        return MLPAttention(take, memory_size, query_size)
    if name == "dot" and memory_size == query_size:
        return PlainDotAttention()
    return Attention(take, memory_size, query_size)
