"""Many-to-many: an encoder reads the source, a decoder of its own writes the target.

Shapes: B batch, S source, T target, E embedding, H hidden, D directions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seqrnn.catalog import CELLS, load
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig
from seqrnn.data.tokenizer import BLANK, SPECIALS
from seqrnn.engine.attention import Memory
from seqrnn.engine.decoder import Decoder, Writing, build_decoder
from seqrnn.engine.embedding import TokenEmbedding, build_embedding
from seqrnn.engine.loss import PLAIN, Loss, Objective, Output, cross_entropy
from seqrnn.engine.rnn import RNN, Layers, running


class Bridge(nn.Module):
    """From the encoder's last states to the decoder's first: `s = tanh(W [forward; backward] + b)`.

    Each layer, and each array of its state, has a `W` and `b` of its own.
    """

    def __init__(self, arrays: int, sizes: RNNSizes) -> None:
        """Take how many arrays a cell's state has, and the sizes of the encoder."""
        super().__init__()
        self.directions = sizes.directions
        self.layers = nn.ModuleList(
            nn.ModuleList(nn.Linear(sizes.output_size, sizes.hidden_size) for _ in range(arrays))
            for _ in range(sizes.num_layers)
        )

    def forward(self, last: Layers) -> Layers:
        """Map the last states of an encoder's layers and directions to the states of a decoder's layers."""
        first: Layers = []
        for depth, maps in enumerate(self.layers):
            together = last[depth * self.directions : (depth + 1) * self.directions]
            arrays = (torch.cat(parts, dim=1) for parts in zip(*together, strict=True))  # (B, D * H)
            assert isinstance(maps, nn.ModuleList)
            first.append(tuple(torch.tanh(map_(array)) for map_, array in zip(maps, arrays, strict=True)))
        return first


class EncoderDecoder(nn.Module):
    """An encoder, a bridge and a decoder."""

    def __init__(self, embedding: TokenEmbedding, encoder: RNN, bridge: Bridge, decoder: Decoder) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder
        self.scheduled_sampling = 0.0

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Layers, Memory]:
        """Read `source` (B, S): the decoder's first states, and the memory that it looks at."""
        outputs, last = self.encoder(self.embedding(source), lengths)  # (B, S, D * H)
        mask = running(lengths, source.shape[1], source.device)  # (B, S)
        return self.bridge(last), self.decoder.memorize(outputs, mask)

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Predict `targets` (B, T) from `inputs` (B, T) and `source` (B, S); <blank> targets do not count."""
        start, memory = self.encode(arrays["source"], arrays["source_lengths"])
        inputs, lengths = arrays["inputs"], arrays["target_lengths"]
        if self.training and self.scheduled_sampling:
            with torch.no_grad():
                guesses = self.decoder(inputs, lengths, start, memory)
            inputs = mix(inputs, guesses, self.scheduled_sampling)
        logits = self.decoder(inputs, lengths, start, memory).flatten(0, 1)  # (B * T, V)
        loss = cross_entropy(logits, arrays["targets"].flatten(), objective, ignore=BLANK)
        return Output(Loss(loss, int(lengths.sum())), {})

    def begin(self, arrays: Mapping[str, Tensor]) -> tuple[Tensor, Writing]:
        """Begin a sequence for each row of `source`: the first token's log-probabilities (B, V)."""
        return self.decoder.begin(*self.encode(arrays["source"], arrays["source_lengths"]))

    def step(self, tokens: Tensor, writing: Writing) -> tuple[Tensor, Writing]:
        """Read one more token of each sequence, (N,): the next one's log-probabilities (N, V)."""
        return self.decoder.step(tokens, writing)

    def select(self, writing: Writing, rows: Tensor) -> Writing:
        """Go on from the sequences `rows` (A, K)."""
        return self.decoder.select(writing, rows)


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
    """Make an encoder-decoder; `sizes` holds `source_vocabulary` and `target_vocabulary`."""
    rnn_sizes = RNNSizes(
        config.embedding_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
    )
    model = EncoderDecoder(
        build_embedding(config, sizes["source_vocabulary"]),
        RNN(config.cell, rnn_sizes, shrink),
        Bridge(len(load(CELLS[config.cell]).state_names), rnn_sizes),
        build_decoder(config, sizes["target_vocabulary"], rnn_sizes.output_size, shrink),
    )
    model.scheduled_sampling = config.scheduled_sampling
    return model
