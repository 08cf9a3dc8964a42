"""Which of the encoder's states a decoder looks at: dot, general and mlp attention.

All steps of a target that is known are answered at once.

Shapes: B batch, S source, Q queries of a row (the steps of a target, or the sequences written for a source),
M size of an encoder's state, H of the decoder's.
"""

from __future__ import annotations

from msgspec import Struct

from seqrnn.catalog import ATTENTIONS, load
from seqrnn.networks.ops import Ops, Value


class Memory(Struct, frozen=True):
    """What a decoder can look at: `values` by `keys` that are computed once, where `mask` is true."""

    keys: Value  # (B, S, H)
    values: Value  # (B, S, M)
    mask: Value  # (B, S)


class GeneralAttention:
    """A weighing of the memory by each query: `c_t = sum_s softmax_s(score(h_t, m_s)) m_s`.

    The score is `h_t . W m_s` (Luong et al. 2015, eq. 8, "general"); a subclass may say otherwise. A sequence
    without memory has the context 0.
    """

    def __init__(self, ops: Ops, memory_size: int, query_size: int) -> None:
        self._ops = ops
        self._keys = ops.within("keys").linear(memory_size, query_size, bias=False)

    def build_memory(self, values: Value, mask: Value) -> Memory:
        """Prepare the encoder's states `values` (B, S, M), of which `mask` (B, S) tells the true ones."""
        return Memory(self._keys(values), values, mask)

    def score(self, queries: Value, keys: Value) -> Value:
        """Compare queries (B, Q, H) with keys (B, S, H) -> (B, Q, S)."""
        return self._ops.scores(queries, keys)

    def __call__(self, queries: Value, memory: Memory) -> Value:
        """Return the contexts (B, Q, M) of `queries` (B, Q, H)."""
        scores, mask = self.score(queries, memory.keys), self._ops.insert_axis(memory.mask, 1)
        return self._ops.weighted_sum(self._ops.masked_softmax(scores, mask), memory.values)


class DotAttention(GeneralAttention):
    """`score = h_t . m_s` (Luong et al. 2015, eq. 8, "dot").

    Where an encoder's states are not of the decoder's size, a linear map leads there first.
    """

    def __init__(self, ops: Ops, memory_size: int, query_size: int) -> None:
        if memory_size != query_size:
            super().__init__(ops, memory_size, query_size)
            return
        self._ops = ops
        self._keys = lambda states: states


class MLPAttention(GeneralAttention):
    """`score = v . tanh(W h_t + U m_s)` (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, ops: Ops, memory_size: int, query_size: int) -> None:
        super().__init__(ops, memory_size, query_size)
        self._query = ops.within("query").linear(query_size, query_size)
        self._energy = ops.within("energy").linear(query_size, 1, bias=False)

    def score(self, queries: Value, keys: Value) -> Value:
        """Compare queries (B, Q, H) with keys (B, S, H) -> (B, Q, S), through (B, Q, S, H)."""
        ops = self._ops
        each, all_keys = ops.insert_axis(self._query(queries), 2), ops.insert_axis(keys, 1)
        return ops.remove_axis(self._energy(ops.tanh_of_sum(each, all_keys)), -1)


def build_attention(ops: Ops, name: str, memory_size: int, query_size: int) -> GeneralAttention | None:
    """Make the attention that a configuration names; `none` is None."""
    if name == "none":
        return None
    attention: GeneralAttention = load(ATTENTIONS[name])(ops, memory_size, query_size)
    return attention
