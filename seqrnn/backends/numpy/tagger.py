"""Many-to-many, aligned: a tag for every token.

Shapes: B batch, T time, E embedding, H hidden, K tags, U spellings, C characters.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqrnn.backends.numpy.heads import take_head
from seqrnn.backends.numpy.inputs import Lookup, take_embedding
from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.output_layers import take_output_layer
from seqrnn.backends.numpy.rnn import RNN
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch
from seqrnn.tasks.task import Values

MOST_WORDS = 2**12  # whose characters are read at a time: a long row may hold as many different ones


class CharacterEncoder:
    """One layer in both directions over the characters of each word (Ling et al. 2015)."""

    def __init__(self, take: Take, config: ModelConfig, vocabulary_size: int) -> None:
        size = config.character_embedding_size
        self._table = take_embedding(within(take, "embedding"), vocabulary_size, size)
        sizes = RNNSizes(size, config.character_size, bidirectional=True)
        self._rnn = RNN(within(take, "rnn"), config.cell, sizes)
        self.output_size = sizes.output_size

    def __call__(self, spellings: Array, lengths: Array) -> Array:
        """Read `spellings` (U, C) of `lengths` (U,), the longest first -> (U, 2 * H)."""
        if len(spellings) <= MOST_WORDS:
            return self._read(spellings, lengths)
        starts = range(0, len(spellings), MOST_WORDS)
        parts = [slice(start, start + MOST_WORDS) for start in starts]
        return np.concatenate(
            [self._read(spellings[part, : lengths[part][0]], lengths[part]) for part in parts]
        )

    def _read(self, spellings: Array, lengths: Array) -> Array:
        _, states = self._rnn(Lookup.of(self._table, spellings), lengths)
        return np.concatenate([state[0] for state in states], axis=1)


class Tagger:
    """Words, by name and by spelling, then recurrent layers, a head on every state, an output layer."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds `vocabulary`, `tags`, `characters` (0: unread) and `crf`."""
        self._table = take_embedding(within(take, "embedding"), sizes["vocabulary"], config.embedding_size)
        self._characters = None
        input_size = config.embedding_size
        if sizes["characters"]:
            self._characters = CharacterEncoder(within(take, "characters"), config, sizes["characters"])
            input_size += self._characters.output_size
        rnn_sizes = RNNSizes(input_size, config.hidden_size, config.num_layers, config.bidirectional)
        self._rnn = RNN(within(take, "rnn"), config.cell, rnn_sizes)
        self._head = take_head(within(take, "head"), config.head, rnn_sizes.output_size, sizes["tags"])
        self._choose = take_output_layer(within(take, "output"), sizes["tags"], bool(sizes["crf"]))

    def values(self, batch: Batch) -> Values:
        """Tag a batch; see `scores`."""
        scores = self.scores(batch)
        return self._choose(scores, sequence_mask(batch.arrays["lengths"], scores.shape[1]))

    def scores(self, batch: Batch) -> Array:
        """Score the tags of each of the words `source` (B, T) of `lengths` (B,): (B, T, K).

        `spellings` (U, C) of `spelling_lengths` (U,) are its different words by their characters,
        and `spelling_index` (B, T) says which of them each token is.
        """
        arrays = batch.arrays
        x = self._table[arrays["source"]]  # (B, T, E)
        if self._characters is not None:
            spelled = self._characters(arrays["spellings"], arrays["spelling_lengths"])  # (U, 2 * H)
            x = np.concatenate([x, spelled[arrays["spelling_index"]]], axis=2)
        hidden, _ = self._rnn(x, arrays["lengths"])
        return self._head(hidden.vectors).take(hidden.places, axis=0)
