"""Many-to-many, aligned: a tag for every token.

Shapes: B batch, T time, E embedding, H hidden, K tags, U spellings, C characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.networks.heads import build_head
from seqrnn.networks.inputs import build_embedding
from seqrnn.networks.ops import Learns, Ops, Value
from seqrnn.networks.output_layers import CRFLayer, SoftmaxLayer
from seqrnn.networks.predictions import Values
from seqrnn.networks.sizes import TaggerSizes


class CharacterEncoder:
    """One layer in both directions over the characters of each word (Ling et al. 2015)."""

    def __init__(self, ops: Ops, config: ModelConfig, vocabulary: int) -> None:
        self._ops = ops
        size = config.character_embedding_size
        self._embed = ops.within("embedding").embedding(vocabulary, size)
        sizes = RNNSizes(size, config.character_size, bidirectional=True)
        self._rnn = ops.within("rnn").rnn(config.cell, sizes)
        self._dropout = ops.dropout(config.dropout)
        self.output_size = sizes.output_size

    def __call__(self, spellings: Value, lengths: Value) -> Value:
        """Read `spellings` (U, C) of `lengths` (U,), the longest first -> (U, 2 * H)."""
        return self._ops.in_parts(self._read, spellings, lengths)

    def _read(self, spellings: Value, lengths: Value) -> Value:
        _, (forward, backward) = self._rnn(self._embed(spellings), lengths)
        return self._dropout(self._ops.concat([forward[0], backward[0]], axis=1))


class Tagger:
    """Words, by name and by spelling, then recurrent layers, a head on every state, an output layer."""

    learns: ClassVar[Learns] = "tags"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: TaggerSizes) -> None:
        """Build it."""
        self._ops = ops
        ops.order("embedding", "characters", "rnn", "head", "output")
        self._characters, input_size = None, config.embedding_size
        if sizes.characters:
            self._characters = CharacterEncoder(ops.within("characters"), config, sizes.characters)
            input_size += self._characters.output_size
        self._embed = build_embedding(ops.within("embedding"), config, sizes.vocabulary)
        rnn_sizes = RNNSizes(
            input_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
        )
        self._rnn = ops.within("rnn").rnn(config.cell, rnn_sizes)
        self._head = build_head(
            ops.within("head"), config.head, rnn_sizes.output_size, sizes.tags, config.dropout
        )
        kind = CRFLayer if sizes.crf else SoftmaxLayer
        self.output: CRFLayer | SoftmaxLayer = kind(ops.within("output"), sizes.tags)

    def scores(self, arrays: Mapping[str, Value]) -> Value:
        """Score the tags of each of the words `source` (B, T) of `lengths` (B,): (B, T, K).

        `spellings` (U, C) of `spelling_lengths` (U,) are the different words by their characters, and
        `spelling_index` (B, T) says which of them each token is.
        """
        ops = self._ops
        x = self._embed(arrays["source"])  # (B, T, E)
        if self._characters is not None:
            spelled = self._characters(arrays["spellings"], arrays["spelling_lengths"])  # (U, 2 * H)
            x = ops.concat([x, ops.rows(spelled, arrays["spelling_index"])], axis=2)
        hidden, _ = self._rnn(x, arrays["lengths"])
        return ops.whole(ops.per_step(hidden, self._head))

    def predict(self, scores: Value, arrays: Mapping[str, Value]) -> Values:
        """Choose the tags of a batch, of its scores (B, T, K)."""
        return self.output(scores, self._ops.mask(arrays["lengths"], scores))
