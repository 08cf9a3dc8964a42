"""Networks of `seqrnn.networks` as modules of PyTorch, with their losses.

Shapes: B batch, T time, K classes or tags, V vocabulary, N sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.loss import (
    IGNORED,
    PLAIN,
    Loss,
    Objective,
    Output,
    binary_cross_entropy,
    cross_entropy,
    known_cross_entropy,
    squared_error,
)
from seqrnn.backends.torch.ops import TorchOps
from seqrnn.backends.torch.padded import full_lengths
from seqrnn.backends.torch.rnn import RNN, Layers, detach, sequence_mask
from seqrnn.backends.torch.sampled_softmax import is_worth_sampling, sampled_cross_entropy
from seqrnn.backends.torch.scheduled_sampling import mix
from seqrnn.backends.torch.shapes import Multiples
from seqrnn.config import ModelConfig
from seqrnn.data.text.tokenizer import BLANK
from seqrnn.networks.decoder import DecoderState
from seqrnn.networks.encoder_decoder import EncoderDecoder
from seqrnn.networks.language_model import LanguageModel
from seqrnn.networks.ops import Learns
from seqrnn.networks.output_layers import CRFLayer
from seqrnn.networks.polyphony import Polyphony
from seqrnn.networks.predictions import LabellingNetwork, Prediction, number, one_label, several_labels
from seqrnn.networks.sizes import NetworkSizes
from seqrnn.networks.tagger import Tagger

Arrays = Mapping[str, Tensor]


Described = TypeVar("Described")


class Network(nn.Module, Generic[Described]):
    """A described network, whose layers are the modules of this one.

    `forward` computes a batch: its loss, if it has targets, and what answers are made from.
    """

    recordable: ClassVar[bool] = True  # as a CUDA graph: no size depends on what is computed

    def __init__(
        self, describe: Callable[..., Described], config: ModelConfig, sizes: NetworkSizes, shrink: bool
    ) -> None:
        """Describe the network over the operations of PyTorch."""
        super().__init__()
        self.config = config
        self.network: Described = describe(TorchOps(self, shrink), config, sizes)

    @property
    def multiples(self) -> Multiples:
        """Of what the axes of the arrays of a batch may become multiples: of nothing."""
        return {}

    def about_loss(self, objective: Objective) -> str:  # noqa: ARG002
        """Say in one line how the loss of a training is computed, if that is unusual."""
        return ""


class Labelled(Network[LabellingNetwork]):
    """A network that is trained on labels, or on a number, of each example."""

    def forward(self, arrays: Arrays, carry: Layers | None = None, objective: Objective = PLAIN) -> Output:  # noqa: ARG002
        """Answer a batch with `labels` where they are known: (B,), or (B, K) of 0/1."""
        scores = self.network.scores(arrays)
        values = self.network.predict(scores, arrays)
        if (labels := arrays.get("labels")) is None:
            return Output(None, values)
        return Output(LOSSES[self.network.prediction](scores, labels, objective), values)


def several_labels_loss(scores: Tensor, labels: Tensor, objective: Objective) -> Loss:
    """Compare with 0/1 labels (B, K); labels that training did not have are none of them."""
    return Loss(binary_cross_entropy(scores, labels, objective), len(scores))


LOSSES: Mapping[Prediction, Callable[[Tensor, Tensor, Objective], Loss]] = {
    one_label: known_cross_entropy,
    several_labels: several_labels_loss,
    number: squared_error,
}
"""The loss of scores (B, K) against labels, for each way to read the scores."""


class Polyphonic(Network[Polyphony]):
    """A network that is trained on what follows each step of notes."""

    recordable = False  # how many steps are judged is known when they are computed

    def forward(self, arrays: Arrays, carry: Layers | None = None, objective: Objective = PLAIN) -> Output:  # noqa: ARG002
        """Predict each step of `source` (B, T, K) but the first; the answers are about what follows the last.

        The loss is the sum over all keys, counted a step.
        """
        notes, lengths = arrays["source"], arrays["lengths"]
        scores = self.network.step_scores(arrays)
        later = sequence_mask(lengths - 1, notes.shape[1] - 1, notes.device)  # (B, T - 1)
        loss = binary_cross_entropy(scores[:, :-1][later], notes[:, 1:][later], objective)
        last = (lengths - 1).clamp(min=0)
        after = scores[torch.arange(len(last), device=scores.device), last.to(scores.device)]  # (B, K)
        return Output(Loss(loss, last.sum()), self.network.predict(after, arrays))


class Tagged(Network[Tagger]):
    """A network that is trained on a tag of each token."""

    @property
    def multiples(self) -> Multiples:
        """Of a few tokens, spellings and letters."""
        return {
            "source": (1, 4),
            "tags": (1, 4),
            "spelling_index": (1, 4),
            "spellings": (32, 4),
            "spelling_lengths": (32,),
        }

    def forward(self, arrays: Arrays, carry: Layers | None = None, objective: Objective = PLAIN) -> Output:  # noqa: ARG002
        """Tag a batch; `tags` (B, T) may be missing. Training computes no choice."""
        scores = self.network.scores(arrays)
        with torch.autocast(scores.device.type, enabled=False):
            choice = {} if self.training else self.network.predict(scores, arrays)
        if "tags" not in arrays:
            return Output(None, choice)
        mask = sequence_mask(arrays["lengths"], scores.shape[1], scores.device)  # (B, T)
        layer = self.network.output
        if isinstance(layer, CRFLayer):
            return Output(sentence_loss(cast(CRF, layer.crf), scores, arrays["tags"], mask), choice)
        return Output(tag_loss(scores, arrays["tags"], mask, objective), choice)


def tag_loss(scores: Tensor, tags: Tensor, mask: Tensor, objective: Objective) -> Loss:
    """Return the cross-entropy of the tags (B, T) from 0 to below K, those that training had."""
    targets = tags.masked_fill(~mask, IGNORED)
    return known_cross_entropy(scores.flatten(0, 1), targets.flatten(), objective)


def sentence_loss(crf: CRF, scores: Tensor, tags: Tensor, mask: Tensor) -> Loss:
    """Return the negative log-likelihood of the sentences whose tags (B, T) are all known.

    Smoothing and weights are of single tags and do not apply.
    """
    unknown = mask & (tags >= scores.shape[2])
    whole = ~unknown.any(dim=1)  # (B,)
    with torch.autocast(scores.device.type, enabled=False):
        found = crf.log_likelihood(scores, tags.masked_fill(unknown, 0), mask)
    return Loss(-(found * whole).sum(), (mask & whole[:, None]).sum())


class Texts(Network[LanguageModel]):
    """A language model: trained on the next token at every step of a text."""

    @property
    def _output(self) -> nn.Linear:
        return cast(nn.Linear, self.network.output)

    def about_loss(self, objective: Objective) -> str:
        """Say from how many tokens it is estimated."""
        if not is_worth_sampling(self._output, objective):
            return ""
        draws = f"{objective.sampled_tokens:,} draws of {self._output.out_features:,} tokens"
        return f"loss: estimated in training, from {draws} an update; `training.sampled_tokens=0`: exact"

    def forward(self, arrays: Arrays, carry: Layers | None = None, objective: Objective = PLAIN) -> Output:
        """Predict `targets` (B, T) from `inputs` (B, T); <blank> targets do not count.

        `carry` is the state after the segment before; the state returned is cut off from its
        graph, which is what truncates back-propagation through time.
        """
        hidden, states = self.network.hidden(arrays["inputs"], arrays["lengths"], carry)
        features, targets = self.network.features(hidden).flatten(0, 1), arrays["targets"].flatten()
        if is_worth_sampling(self._output, objective):
            draws = objective.sampled_tokens
            loss = sampled_cross_entropy(self._output, features, targets, draws, ignore=BLANK)
        else:
            loss = cross_entropy(self._output(features), targets, objective, ignore=BLANK)
        return Output(Loss(loss, arrays["lengths"].sum()), {}, detach(states))

    def token_logits(self, arrays: Arrays) -> Tensor:
        """Score every token at each step of `inputs` (B, T): (B, T, V)."""
        hidden, _ = self.network.hidden(arrays["inputs"], arrays["lengths"])
        logits: Tensor = self.network.score(hidden)
        return logits

    def log_likelihood(self, arrays: Arrays) -> Tensor:
        """Return the log-probability of `targets` (B, T), given `inputs`, up to the `lengths`: (B,).

        Step by step, so that the scores of one step are all that is in memory.
        """
        targets, lengths = arrays["targets"], arrays["lengths"]
        hidden, _ = self.network.hidden(arrays["inputs"], lengths)
        gained = [
            -F.cross_entropy(self.network.score(hidden[:, step]).float(), targets[:, step], reduction="none")
            for step in range(targets.shape[1])
        ]
        mask = sequence_mask(lengths, targets.shape[1], targets.device)
        return (torch.stack(gained, dim=1) * mask).sum(dim=1)

    def step(self, tokens: Tensor, states: Layers) -> tuple[Tensor, Layers]:
        """Read `tokens` (N,) after what led to `states`: the next token's logits (N, V), and the states."""
        return self.network.step(tokens, states)

    def initial(self, rows: int) -> Layers:
        """Return the state in which a text begins, each array (rows, H)."""
        return cast(RNN, self.network.rnn).initial(rows)

    def read(self, tokens: Tensor, states: Layers | None = None) -> tuple[Tensor, Layers]:
        """Read a prompt `tokens` (N, T) at once: the last step's logits (N, V) and states."""
        lengths = full_lengths(tokens.shape[0], tokens.shape[1], tokens.device)
        hidden, states = self.network.hidden(tokens, lengths, states)
        return self.network.score(hidden[:, -1]).float(), states


class Written(Network[EncoderDecoder]):
    """An encoder-decoder: trained on the target of each source."""

    @property
    def multiples(self) -> Multiples:
        """Of a few tokens, where the source is a sequence."""
        is_sequence = isinstance(self.get_submodule("encoder"), RNN)
        return {"source": (1, 4), "inputs": (1, 4), "targets": (1, 4)} if is_sequence else {}

    def forward(self, arrays: Arrays, carry: Layers | None = None, objective: Objective = PLAIN) -> Output:  # noqa: ARG002
        """Predict `targets` (B, T) from `inputs` (B, T) and `source`; <blank> targets do not count."""
        start = self.network.encode(arrays)
        inputs, lengths = arrays["inputs"], arrays["target_lengths"]
        if self.training and self.config.scheduled_sampling:
            with torch.no_grad():
                guesses = self.network.decoder(inputs, lengths, start)
            inputs = mix(inputs, guesses, self.config.scheduled_sampling)
        logits = self.network.decoder(inputs, lengths, start).flatten(0, 1)  # (B * T, V)
        loss = cross_entropy(logits, arrays["targets"].flatten(), objective, ignore=BLANK)
        return Output(Loss(loss, lengths.sum()), {})

    def token_logits(self, arrays: Arrays) -> Tensor:
        """Score every token at each step of a target, given those before it, `inputs` (B, T): (B, T, V)."""
        start = self.network.encode(arrays)
        logits: Tensor = self.network.decoder(arrays["inputs"], arrays["target_lengths"], start)
        return logits

    def begin(self, arrays: Arrays) -> tuple[Tensor, DecoderState]:
        """Begin a sequence for each row of `source`: the first token's logits (B, V)."""
        return self.network.begin(arrays)

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read `tokens` (N,) and return the next token's logits (N, V)."""
        return self.network.step(tokens, state)

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """Go on from the sequences `rows` (A, K), where those of one row have one source."""
        return self.network.select(state, rows)


KINDS: Mapping[Learns, type[Network[Any]]] = {
    "labels": Labelled,
    "notes": Polyphonic,
    "tags": Tagged,
    "text": Texts,
    "target": Written,
}
"""The module for what a network is trained on."""
