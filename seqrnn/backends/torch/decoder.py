"""The decoder: from a summary, and a memory to look at, to a sequence of tokens.

Shapes: B batch, T time, E embedding, H hidden, M size of an encoder's state, V vocabulary, N sequences
that are written side by side, K of them for each of A sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.attention import Attention, Memory, build_attention
from seqrnn.backends.torch.embedding import TokenEmbedding
from seqrnn.backends.torch.rnn import RNN, Layers, reorder
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BOS


@dataclass(frozen=True)
class DecoderState:
    """Where the writing of N = A * K sequences stands, the K of one source after one another."""

    layers: Layers  # each array (N, H)
    memory: Memory  # of the A sources


class Decoder(nn.Module):
    """Embedding, recurrent layers, attention and a score for every token.

    There is no input feeding, so a target that is known is one call of each layer and one batched
    attention: `h~_t = tanh(W_c [c_t; h_t])` (Luong et al. 2015, eq. 5), scores `W h~_t`. Without
    attention `h_t` stands in the place of `h~_t`.
    """

    def __init__(self, embedding: TokenEmbedding, rnn: RNN, attention: Attention | None, output: nn.Module):
        super().__init__()
        self.embedding = embedding
        self.rnn = rnn
        self.attention = attention
        self.output = output

    def memorize(self, values: Tensor, mask: Tensor) -> Memory:
        """Prepare an encoder's states `values` (B, S, M) for looking at, where `mask` (B, S) is true."""
        if self.attention is None:
            return Memory(values, values, mask)
        return self.attention.memorize(values, mask)

    def score(self, hidden: Tensor, memory: Memory) -> Tensor:
        """Score the next token: hidden states (B, T, H) -> logits (B, T, V)."""
        if self.attention is not None:
            hidden = torch.cat([self.attention(hidden, memory), hidden], dim=2)
        logits: Tensor = self.output(hidden)
        return logits

    def forward(self, inputs: Tensor, lengths: Tensor, start: Layers, memory: Memory) -> Tensor:
        """Predict every token of targets from those before it, `inputs` (B, T) -> logits (B, T, V)."""
        hidden, _ = self.rnn(self.embedding(inputs), lengths, start)
        return self.score(hidden, memory)

    def begin(self, start: Layers, memory: Memory) -> tuple[Tensor, DecoderState]:
        """Begin a sequence for each source: the first token's logits (A, V)."""
        first = torch.full((start[0][0].shape[0],), BOS, device=start[0][0].device)
        return self.step(first, DecoderState(start, memory))

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read `tokens` (N,) and return the next token's logits (N, V), in float32."""
        hidden, layers = self.rnn.step(self.embedding(tokens), state.layers)
        beams = hidden.view(state.memory.mask.shape[0], -1, hidden.shape[1])  # (A, K, H)
        logits = self.score(beams, state.memory).flatten(0, 1)  # (N, V)
        return logits.float(), DecoderState(layers, state.memory)

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """Go on from the sequences `rows` (A, K), where those of one row have one source."""
        sources = state.memory.mask.shape[0]
        width = state.layers[0][0].shape[0] // sources
        memory = state.memory
        if len(rows) < sources:  # some sources are done
            memory = memory.rows(rows[:, 0] // width)
        return DecoderState(reorder(state.layers, rows.flatten()), memory)


def build_decoder(config: ModelConfig, vocabulary_size: int, memory_size: int, shrink: bool) -> Decoder:
    """Make a decoder that looks at states of `memory_size`.

    Tied embeddings score a token with the vector that also stands for it at the input.
    """
    hidden_size = config.hidden_size
    sizes = RNNSizes(config.embedding_size, hidden_size, config.num_layers, False, config.dropout)
    embedding = TokenEmbedding(vocabulary_size, config.embedding_size, config.embedding_dropout, 0.0)
    attention = build_attention(config.attention, memory_size, hidden_size)
    features = config.embedding_size if config.tie_embeddings else hidden_size
    layers: list[nn.Module] = []
    if attention is not None:
        layers += [nn.Linear(memory_size + hidden_size, features), nn.Tanh()]
    elif features != hidden_size:
        layers += [nn.Linear(hidden_size, features)]
    output = nn.Linear(features, vocabulary_size)
    if config.tie_embeddings:
        output.weight = embedding.table.weight
    scoring = nn.Sequential(*layers, nn.Dropout(config.dropout), output)
    return Decoder(embedding, RNN(config.cell, sizes, shrink), attention, scoring)
