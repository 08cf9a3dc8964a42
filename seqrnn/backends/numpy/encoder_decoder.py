"""Many-to-many and one-to-many: an encoder reads the source, a decoder of its own writes the target.

Shapes: B batch, S source, F features, M size of an encoder's state, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqrnn.backends.numpy.bridge import take_entry
from seqrnn.backends.numpy.decoder import Decoder, DecoderState
from seqrnn.backends.numpy.inputs import Lookup, take_input
from seqrnn.backends.numpy.lengths import sequence_mask
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.summary import PlacesEncoder
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch


class EncoderDecoder:
    """An encoder, what leads from it into the decoder, and a decoder."""

    def __init__(self, take: Take, config: ModelConfig, sizes: Mapping[str, int]) -> None:
        """Take the parameters; `sizes` holds what is read, if it is `sequential`, and `target_vocabulary`."""
        self._embed, input_size = take_input(within(take, "embedding"), config, sizes)
        bidirectional = config.bidirectional and bool(sizes["sequential"])
        reads = RNNSizes(input_size, config.hidden_size, config.num_layers, bidirectional)
        self._encoder: Callable[..., tuple[Lookup, Layers]]
        if sizes["sequential"]:
            self._encoder, memory_size = RNN(within(take, "encoder"), config.cell, reads), reads.output_size
        else:
            arrays = len(load(CELLS[config.cell]).state(config.hidden_size))
            self._encoder, memory_size = PlacesEncoder(within(take, "encoder"), reads, arrays), input_size
        self._enter = take_entry(within(take, "bridge"), config, reads)
        self._decoder = Decoder(within(take, "decoder"), config, sizes["target_vocabulary"], memory_size)

    def begin(self, batch: Batch) -> tuple[Array, DecoderState]:
        """Begin a sequence for each row of `source`, tokens (B, S) or vectors (B, S, F).

        Returns the first token's logits (B, V), and where the writing stands.
        """
        source, lengths = batch.arrays["source"], batch.arrays["source_lengths"]
        read, last = self._encoder(self._embed(source), lengths)  # (B, S, M)
        memory = self._decoder.memorize(read.written_out(), sequence_mask(lengths, source.shape[1]))
        return self._decoder.begin(self._enter(last, self._decoder.rnn), memory)

    def step(self, tokens: Array, states: DecoderState) -> tuple[Array, DecoderState]:
        """Read one more token of each sequence, (N,): the next one's logits (N, V)."""
        return self._decoder.step(tokens, states)

    def select(self, states: DecoderState, rows: Array) -> DecoderState:
        """Go on from the sequences `rows` (A, K)."""
        return self._decoder.select(states, rows)
