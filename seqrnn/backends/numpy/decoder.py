"""The decoder: from a summary, and a memory to look at, to a sequence of tokens.

Shapes: E embedding, H hidden, M size of an encoder's state, V vocabulary, N sequences that are written
side by side, K of them for each of A sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqrnn.backends.numpy.attention import Memory, take_attention
from seqrnn.backends.numpy.inputs import take_embedding
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers, reorder
from seqrnn.backends.numpy.token_steps import TokenSteps
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BOS


@dataclass(frozen=True)
class DecoderState:
    """Where the writing of N = A * K sequences stands, the K of one source after one another."""

    layers: Layers  # each array (N, H)
    memory: Memory  # of the A sources


class Scoring:
    """A score for every token.

    With attention it is `W h~_t + b` of `h~_t = tanh(W_c [c_t; h_t])` (Luong et al. 2015, eq. 5);
    without, `h_t` stands in its place, mapped to the size of an embedding where that is tied.
    """

    def __init__(self, take: Take, config: ModelConfig, sizes: tuple[int, int], table: Array) -> None:
        """Take the parameters by their places among the engine's layers.

        `sizes` are those of the vocabulary and of a state of the memory; `table` (V, E) may be tied.
        """
        vocabulary_size, memory_size = sizes
        size, attends = config.hidden_size, config.attention != "none"
        features = config.embedding_size if config.tie_embeddings else size
        inputs = size + memory_size * attends
        self._squash = attends
        self._combine = None
        if attends or features != size:
            self._combine = Linear.take(within(take, "0"), inputs, features)
        place = 3 if attends else 1 if self._combine is None else 2
        take = within(take, str(place))
        weight = table if config.tie_embeddings else take("weight", (vocabulary_size, features))
        self._output = Linear(weight, take("bias", (vocabulary_size,)))

    def __call__(self, hidden: Array) -> Array:
        """Score `hidden` (N, H), or contexts and states (N, M + H) -> (N, V)."""
        if self._combine is not None:
            hidden = self._combine(hidden)
        return self._output(np.tanh(hidden) if self._squash else hidden)


class Decoder:
    """Embedding, recurrent layers, attention and a score for every token."""

    def __init__(self, take: Take, config: ModelConfig, vocabulary_size: int, memory_size: int) -> None:
        """Take the parameters of a decoder that looks at states of `memory_size`."""
        size = config.hidden_size
        table = take_embedding(within(take, "embedding"), vocabulary_size, config.embedding_size)
        sizes = RNNSizes(config.embedding_size, size, config.num_layers)
        self.rnn = RNN(within(take, "rnn"), config.cell, sizes)
        self._steps = TokenSteps(table, self.rnn)
        self._attend = take_attention(within(take, "attention"), config.attention, memory_size, size)
        self._score = Scoring(within(take, "output"), config, (vocabulary_size, memory_size), table)

    def memorize(self, values: Array, mask: Array) -> Memory:
        """Prepare an encoder's states `values` (A, S, M) for looking at, where `mask` (A, S) is true."""
        if self._attend is None:
            return Memory(values, values, mask)
        return self._attend.memorize(values, mask)

    def begin(self, start: Layers, memory: Memory) -> tuple[Array, DecoderState]:
        """Begin a sequence for each source: the first token's logits (A, V)."""
        return self.step(np.full(len(memory.mask), BOS), DecoderState(start, memory))

    def step(self, tokens: Array, state: DecoderState) -> tuple[Array, DecoderState]:
        """Read `tokens` (N,) and return the next token's logits (N, V)."""
        hidden, layers = self._steps(tokens, state.layers)
        if self._attend is not None:
            queries = hidden.reshape(len(state.memory.mask), -1, hidden.shape[1])  # (A, K, H)
            contexts = self._attend(queries, state.memory).reshape(len(hidden), -1)  # (N, M)
            hidden = np.concatenate([contexts, hidden], axis=1)
        return self._score(hidden), DecoderState(layers, state.memory)

    def select(self, state: DecoderState, rows: Array) -> DecoderState:
        """Go on from the sequences `rows` (A, K), where those of one row have one source."""
        sources = len(state.memory.mask)
        width = len(state.layers[0][0]) // sources
        memory = state.memory
        if len(rows) < sources:  # some sources are done
            memory = memory.rows(rows[:, 0] // width)
        return DecoderState(reorder(state.layers, rows.ravel()), memory)
