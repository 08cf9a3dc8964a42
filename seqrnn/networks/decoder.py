"""The decoder: from first states, and a memory to look at, to a sequence of tokens.

Shapes: B batch, T time, E embedding, H hidden, M size of an encoder's state, V vocabulary, N sequences
that are written side by side, K of them for each of A sources.
"""

from __future__ import annotations

from msgspec import Struct

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BOS
from seqrnn.networks.attention import Memory, build_attention
from seqrnn.networks.ops import Layers, Map, Ops, Value


class DecoderState(Struct, frozen=True):
    """How far N = A * K sequences are written, the K of one source after one another."""

    layers: Layers  # each array (N, H)
    memory: Memory  # of the A sources


class Scoring:
    """A score for every token.

    With attention it is `W h~_t + b` of `h~_t = tanh(W_c [c_t; h_t])` (Luong et al. 2015, eq. 5); without, of
    `h_t` itself, projected to the size of an embedding where those are tied.
    """

    def __init__(self, ops: Ops, config: ModelConfig, sizes: tuple[int, int], embedding: Map) -> None:
        """Take the sizes of the vocabulary and of a state of the memory; `embedding` may be tied."""
        self._ops = ops
        vocabulary, memory_size = sizes
        hidden_size, self._attends = config.hidden_size, config.attention != "none"
        features = config.embedding_size if config.tie_embeddings else hidden_size
        self._combine = None
        if self._attends:
            self._combine = ops.within("0").linear(memory_size + hidden_size, features)
        elif features != hidden_size:
            self._combine = ops.within("0").linear(hidden_size, features)
        self._dropout = ops.dropout(config.dropout)
        name = (
            "3" if self._attends else "1" if self._combine is None else "2"
        )  # as old run directories have it
        tied = embedding if config.tie_embeddings else None
        self._output = ops.within(name).linear(features, vocabulary, tied_to=tied)

    def __call__(self, hidden: Value) -> Value:
        """Score `hidden` (..., H), or contexts and states (..., M + H) -> (..., V)."""
        if self._combine is not None:
            hidden = self._combine(hidden)
        if self._attends:
            hidden = self._ops.tanh(hidden)
        return self._output(self._dropout(hidden))


class Decoder:
    """Embedding, recurrent layers, attention and a score for every token.

    There is no input feeding, so a target that is known is one call of each layer and one batched attention.
    """

    def __init__(self, ops: Ops, config: ModelConfig, vocabulary: int, memory_size: int) -> None:
        """Build a decoder that looks at states of `memory_size`."""
        self._ops = ops
        ops.order("embedding", "rnn", "attention", "output")
        size = config.hidden_size
        self._embed = ops.within("embedding").embedding(
            vocabulary, config.embedding_size, dropout=config.embedding_dropout
        )
        self.attention = build_attention(ops.within("attention"), config.attention, memory_size, size)
        self._score = Scoring(ops.within("output"), config, (vocabulary, memory_size), self._embed)
        sizes = RNNSizes(config.embedding_size, size, config.num_layers, dropout=config.dropout)
        self.rnn = ops.within("rnn").rnn(config.cell, sizes)

    def build_memory(self, values: Value, mask: Value) -> Memory:
        """Prepare an encoder's states `values` (B, S, M) for looking at, where `mask` (B, S) is true."""
        if self.attention is None:
            return Memory(values, values, mask)
        return self.attention.build_memory(values, mask)

    def score(self, hidden: Value, memory: Memory) -> Value:
        """Score the next token: hidden states (B, Q, H) -> logits (B, Q, V)."""
        if self.attention is not None:
            hidden = self._ops.concat([self.attention(hidden, memory), hidden], axis=2)
        return self._score(hidden)

    def __call__(self, inputs: Value, lengths: Value, start: DecoderState) -> Value:
        """Predict every token of targets from those before it, `inputs` (B, T) -> logits (B, T, V)."""
        hidden, _ = self.rnn(self._embed(inputs), lengths, start.layers)
        return self.score(hidden, start.memory)

    def begin(self, start: DecoderState) -> tuple[Value, DecoderState]:
        """Begin a sequence for each source: the first token's logits (A, V)."""
        return self.step(self._ops.tokens_like(BOS, start.memory.mask), start)

    def step(self, tokens: Value, state: DecoderState) -> tuple[Value, DecoderState]:
        """Read `tokens` (N,) and return the next token's logits (N, V), in float32."""
        ops, memory = self._ops, state.memory
        hidden, layers = self.rnn.step(self._embed(tokens), state.layers)
        logits = ops.ungrouped(self.score(ops.grouped(hidden, memory.mask), memory))  # (N, V)
        return ops.floats(logits), DecoderState(layers, memory)

    def select(self, state: DecoderState, rows: Value) -> DecoderState:
        """Go on from the sequences `rows` (A, K), where those of one row have one source."""
        memory, sources = state.memory, len(state.memory.mask)
        width = len(state.layers[0][0]) // sources
        if len(rows) < sources:  # some sources are done
            left = rows[:, 0] // width
            memory = Memory(
                *(self._ops.rows(part, left) for part in (memory.keys, memory.values, memory.mask))
            )
        each = rows.reshape(-1)
        layers = [tuple(self._ops.rows(array, each) for array in layer) for layer in state.layers]
        return DecoderState(layers, memory)
