"""Many-to-many: an encoder reads the source, a decoder of its own writes the target.

Shapes: B batch, S source, H hidden, D directions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.batching import Batch
from seqrnn.runtime.decoder import Decoder, Writing
from seqrnn.runtime.inputs import take_input
from seqrnn.runtime.linear import Linear
from seqrnn.runtime.rnn import RNN, Layers, running
from seqrnn.runtime.weights import Array, Take, within


class Bridge:
    """From the encoder's last states to the decoder's first: `s = tanh(W [forward; backward] + b)`."""

    def __init__(self, take: Take, arrays: int, sizes: RNNSizes) -> None:
        """Take a `W` and `b` for each layer of the encoder and each of the arrays of its state."""
        self._directions = sizes.directions
        self._maps = [
            [
                Linear.take(within(take, f"layers.{depth}.{number}"), sizes.output_size, sizes.hidden_size)
                for number in range(arrays)
            ]
            for depth in range(sizes.num_layers)
        ]

    def __call__(self, last: Layers) -> Layers:
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self._maps):
            together = last[depth * self._directions : (depth + 1) * self._directions]
            arrays = (np.concatenate(parts, axis=1) for parts in zip(*together, strict=True))  # (B, D * H)
            first.append(tuple(np.tanh(map_(array)) for map_, array in zip(maps, arrays, strict=True)))
        return first


class EncoderDecoder:
    """An encoder, a bridge and a decoder."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds the sizes of what is read, and `target_vocabulary`."""
        self._input, input_size = take_input(within(take, "embedding"), config, sizes)
        rnn_sizes = RNNSizes(input_size, config.hidden_size, config.num_layers, config.bidirectional)
        self._encoder = RNN(within(take, "encoder"), config.cell, rnn_sizes)
        self._bridge = Bridge(within(take, "bridge"), len(load(CELLS[config.cell]).state_names), rnn_sizes)
        self._decoder = Decoder(
            within(take, "decoder"), config, sizes["target_vocabulary"], rnn_sizes.output_size
        )

    def begin(self, batch: Batch) -> tuple[Array, Writing]:
        """Begin a sequence for each row of `source`: the first token's log-probabilities (B, V)."""
        source, lengths = batch.arrays["source"], batch.arrays["source_lengths"]
        outputs, last = self._encoder(self._input(source), lengths)  # (B, S, D * H)
        memory = self._decoder.memorize(outputs, running(lengths, source.shape[1]))
        return self._decoder.begin(self._bridge(last), memory)

    def step(self, tokens: Array, states: Writing) -> tuple[Array, Writing]:
        """Read one more token of each sequence, (N,): the next one's log-probabilities (N, V)."""
        return self._decoder.step(tokens, states)

    def select(self, states: Writing, rows: Array) -> Writing:
        """Go on from the sequences `rows` (A, K)."""
        return self._decoder.select(states, rows)
