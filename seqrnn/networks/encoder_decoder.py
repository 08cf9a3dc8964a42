"""Many-to-many and one-to-many: an encoder reads the source, a decoder of its own writes the target.

The source is a sequence, which recurrent layers read, or an image or a vector, which has positions but
no order. Shapes: B batch, S source, T target, M size of an encoder's state, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.networks.bridges import build_bridge
from seqrnn.networks.decoder import Decoder, DecoderState
from seqrnn.networks.grid_encoder import GridEncoder
from seqrnn.networks.inputs import build_input
from seqrnn.networks.ops import Layers, Learns, Ops, Recurrence, Value
from seqrnn.networks.sizes import EncoderDecoderSizes


class EncoderDecoder:
    """An encoder, a bridge and a decoder; the input makes steps or positions of the source."""

    learns: ClassVar[Learns] = "target"

    def __init__(self, ops: Ops, config: ModelConfig, sizes: EncoderDecoderSizes) -> None:
        """Build it."""
        self._ops = ops
        self._embed, size = build_input(ops.within("embedding"), config, sizes.reads)
        both_ways = config.bidirectional and sizes.sequential
        reads = RNNSizes(size, config.hidden_size, config.num_layers, both_ways, config.dropout)
        self._encoder: Recurrence | GridEncoder
        if sizes.sequential:
            self._encoder, memory_size = ops.within("encoder").rnn(config.cell, reads), reads.output_size
        else:
            arrays = len(load(CELLS[config.cell]).state(config.hidden_size))
            self._encoder, memory_size = GridEncoder(ops.within("encoder"), reads, arrays), size
        self._bridge = build_bridge(ops.within("bridge"), config, reads)
        self.decoder = Decoder(ops.within("decoder"), config, sizes.target_vocabulary, memory_size)
        self.step, self.select = self.decoder.step, self.decoder.select

    def encode(self, arrays: Mapping[str, Value]) -> DecoderState:
        """Read `source`: tokens (B, S) or vectors (B, S, F) of `source_lengths` (B,), or images."""
        values, mask, last = self._read(arrays)
        return DecoderState(self._bridge(last, self.decoder.rnn), self.decoder.build_memory(values, mask))

    def _read(self, arrays: Mapping[str, Value]) -> tuple[Value, Value, Layers]:
        """Return the memory's values (B, S, M), its mask (B, S), and the last states."""
        steps = self._embed(arrays["source"])
        if isinstance(self._encoder, GridEncoder):
            return steps, self._ops.everywhere(steps), self._encoder(steps)
        lengths = arrays["source_lengths"]
        hidden, last = self._encoder(steps, lengths)
        return self._ops.whole(hidden), self._ops.mask(lengths, hidden), last

    def begin(self, arrays: Mapping[str, Value]) -> tuple[Value, DecoderState]:
        """Begin a sequence for each row of `source`: the first token's logits (B, V)."""
        return self.decoder.begin(self.encode(arrays))
