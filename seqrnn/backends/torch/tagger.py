"""Many-to-many, aligned: a tag for every token.

Shapes: B batch, T time, E embedding, H hidden, K tags, U spellings, C characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.characters import CharacterEncoder, build_characters
from seqrnn.backends.torch.embedding import TokenEmbedding, build_embedding
from seqrnn.backends.torch.heads import build_head
from seqrnn.backends.torch.loss import PLAIN, Objective, Output
from seqrnn.backends.torch.output_layers import CRFLayer, SoftmaxLayer
from seqrnn.backends.torch.rnn import RNN, Layers, sequence_mask
from seqrnn.backends.torch.shapes import Multiples
from seqrnn.cells.sizes import RNNSizes
from seqrnn.config import ModelConfig


class Tagger(nn.Module):
    """Words, by name and by spelling, then recurrent layers, a head on every state, an output layer."""

    multiples: ClassVar[Multiples] = {
        "source": (1, 4),
        "tags": (1, 4),
        "spelling_index": (1, 4),
        "spellings": (32, 4),
        "spelling_lengths": (32,),
    }

    def __init__(
        self,
        inputs: tuple[TokenEmbedding, CharacterEncoder | None],
        rnn: RNN,
        head: nn.Module,
        output: SoftmaxLayer | CRFLayer,
    ) -> None:
        super().__init__()
        self.embedding, self.characters = inputs
        self.rnn = rnn
        self.head = head
        self.output = output

    def scores(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Score the tags of each token, (B, T, K)."""
        x = self.embedding(arrays["source"])  # (B, T, E)
        if self.characters is not None:
            spelled = self.characters(arrays["spellings"], arrays["spelling_lengths"])  # (U, 2 * H)
            x = torch.cat([x, F.embedding(arrays["spelling_index"], spelled)], dim=2)
        hidden, _ = self.rnn(x, arrays["lengths"])
        scores: Tensor = self.head(hidden)
        return scores

    def forward(
        self,
        arrays: Mapping[str, Tensor],
        carry: Layers | None = None,  # noqa: ARG002
        objective: Objective = PLAIN,
    ) -> Output:
        """Tag a batch.

        `source` (B, T) are words of `lengths` (B,); `spellings` (U, C) of `spelling_lengths` (U,)
        are the different words of the batch by their characters, and `spelling_index` (B, T) says
        which of them each token is; `tags` (B, T) may be missing. Training computes no choice.
        """
        scores = self.scores(arrays)
        mask = sequence_mask(arrays["lengths"], scores.shape[1], scores.device)  # (B, T)
        choice = {} if self.training else self.output.choose(scores, mask)
        if "tags" not in arrays:
            return Output(None, choice)
        return Output(self.output.loss(scores, arrays["tags"], mask, objective), choice)


def build_tagger(config: ModelConfig, sizes: Mapping[str, int], shrink: bool) -> Tagger:
    """Make a tagger; `sizes` holds `vocabulary`, `tags`, `characters` (0: unread) and `crf` (0 or 1)."""
    characters = build_characters(config, sizes["characters"], shrink) if sizes["characters"] else None
    input_size = config.embedding_size + (characters.output_size if characters else 0)
    rnn_sizes = RNNSizes(
        input_size, config.hidden_size, config.num_layers, config.bidirectional, config.dropout
    )
    return Tagger(
        (build_embedding(config, sizes["vocabulary"]), characters),
        RNN(config.cell, rnn_sizes, shrink),
        build_head(config.head, rnn_sizes.output_size, sizes["tags"], config.dropout),
        CRFLayer(sizes["tags"]) if sizes["crf"] else SoftmaxLayer(),
    )
