"""Many-to-many and one-to-many: an encoder reads the source, a decoder of its own writes the target.

The source is a sequence, which recurrent layers read, or an image or a vector, which has places but
no order. Shapes: B batch, S source, T target, M size of an encoder's state, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seqrnn.backends.torch.attention import Memory
from seqrnn.backends.torch.bridge import Bridge, FirstInput
from seqrnn.backends.torch.decoder import Decoder, DecoderState, build_decoder
from seqrnn.backends.torch.inputs import build_input
from seqrnn.backends.torch.loss import PLAIN, Loss, Objective, Output, cross_entropy
from seqrnn.backends.torch.rnn import RNN, Layers, sequence_mask
from seqrnn.backends.torch.shapes import Multiples
from seqrnn.backends.torch.summary import PlacesEncoder
from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BLANK, SPECIALS


class EncoderDecoder(nn.Module):
    """An encoder, a bridge and a decoder; `embedding` makes steps or places of the source."""

    def __init__(
        self,
        embedding: nn.Module,
        encoder: RNN | PlacesEncoder,
        bridge: Bridge | FirstInput,
        decoder: Decoder,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder
        self.scheduled_sampling = 0.0
        sides: Multiples = {"source": (1, 4), "inputs": (1, 4), "targets": (1, 4)}
        self.multiples = sides if isinstance(encoder, RNN) else {}

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Layers, Memory]:
        """Read `source`, tokens (B, S), vectors (B, S, F) or images (B, C, N, N).

        Returns the decoder's first states, and the memory that it looks at.
        """
        steps = self.embedding(source)
        if isinstance(self.encoder, PlacesEncoder):
            outputs, last = self.encoder(steps)  # (B, S, M)
            mask = torch.ones(outputs.shape[:2], dtype=torch.bool, device=source.device)
        else:
            outputs, last = self.encoder(steps, lengths)  # (B, S, M)
            mask = sequence_mask(lengths, source.shape[1], source.device)  # (B, S)
        return self.bridge(last, self.decoder.rnn), self.decoder.memorize(outputs, mask)

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Predict `targets` (B, T) from `inputs` (B, T) and `source`; <blank> targets do not count."""
        start, memory = self.encode(arrays["source"], arrays["source_lengths"])
        inputs, lengths = arrays["inputs"], arrays["target_lengths"]
        if self.training and self.scheduled_sampling:
            with torch.no_grad():
                guesses = self.decoder(inputs, lengths, start, memory)
            inputs = mix(inputs, guesses, self.scheduled_sampling)
        logits = self.decoder(inputs, lengths, start, memory).flatten(0, 1)  # (B * T, V)
        loss = cross_entropy(logits, arrays["targets"].flatten(), objective, ignore=BLANK)
        return Output(Loss(loss, lengths.sum()), {})

    def begin(self, arrays: Mapping[str, Tensor]) -> tuple[Tensor, DecoderState]:
        """Begin a sequence for each row of `source`: the first token's logits (B, V)."""
        return self.decoder.begin(*self.encode(arrays["source"], arrays["source_lengths"]))

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read one more token of each sequence, (N,): the next one's logits (N, V)."""
        return self.decoder.step(tokens, state)

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """Go on from the sequences `rows` (A, K)."""
        return self.decoder.select(state, rows)


def mix(inputs: Tensor, guesses: Tensor, share: float) -> Tensor:
    """Replace a random `share` of `inputs` (B, T) by what the model would have chosen there.

    Scheduled sampling (Bengio et al. 2015, section 2.4) in one extra pass, as Mihaylova and Martins
    (2019) have it: `guesses` (B, T, V) are the scores of a pass in which every input was true, the
    choice at step t is drawn from the one before, and the share does not change over the training.
    """
    logits = guesses[:, :-1].float()
    logits[:, :, : len(SPECIALS)] = torch.finfo(logits.dtype).min
    gumbel = -torch.empty_like(logits).exponential_().log()  # the largest of logits + gumbel is a draw
    drawn = (logits + gumbel).argmax(dim=2)  # (B, T - 1)
    chosen = torch.rand(drawn.shape, device=inputs.device) < share
    later = inputs[:, 1:]
    replaced = torch.where(chosen & (later != BLANK), drawn, later)
    return torch.cat([inputs[:, :1], replaced], dim=1)


def build_encoder_decoder(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> EncoderDecoder:
    """Make an encoder-decoder; `sizes` holds what is read, if it is `sequential`, and `target_vocabulary`."""
    embedding, input_size = build_input(config, sizes)
    shapes = list(load(CELLS[config.cell]).state(config.hidden_size).values())
    both_ways = config.bidirectional and bool(sizes["sequential"])
    reads = RNNSizes(input_size, config.hidden_size, config.num_layers, both_ways, config.dropout)
    encoder: RNN | PlacesEncoder
    if sizes["sequential"]:
        encoder, memory_size = RNN(config.cell, reads, shrink), reads.output_size
    else:
        encoder, memory_size = PlacesEncoder(reads, len(shapes)), input_size
    bridge = Bridge(shapes, reads) if config.entry == "state" else FirstInput(reads, config.embedding_size)
    decoder = build_decoder(config, sizes["target_vocabulary"], memory_size, shrink)
    model = EncoderDecoder(embedding, encoder, bridge, decoder)
    model.scheduled_sampling = config.scheduled_sampling
    return model
