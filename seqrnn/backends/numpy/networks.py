"""Networks of `seqrnn.networks` in NumPy, ready to answer: the protocols of `answering/backend.py`.

Shapes: N sequences, A sources, T time, H hidden, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import local
from typing import TYPE_CHECKING, cast

import numpy as np

from seqrnn.answering.backend import Backend
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.ops import Embedding, NumpyOps, Recurrence
from seqrnn.backends.numpy.rnn import Layers
from seqrnn.backends.numpy.single_stream import SingleStreamDecoder
from seqrnn.backends.numpy.unrolled import UntraceableError
from seqrnn.backends.numpy.weights import Array, Take
from seqrnn.catalog import NETWORKS, load
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import Batch
from seqrnn.networks.ops import Learns
from seqrnn.networks.predictions import PredictingNetwork
from seqrnn.networks.sizes import NetworkSizes
from seqrnn.search.step import Prediction, log_softmax
from seqrnn.tasks.scorer import Values

if TYPE_CHECKING:  # the one that a run has is imported by its name in the catalogue
    from seqrnn.networks.encoder_decoder import EncoderDecoder
    from seqrnn.networks.language_model import LanguageModel


class Predictor:
    """A network of a `PredictionTask`."""

    def __init__(self, network: PredictingNetwork) -> None:
        self.network = network

    def values(self, batch: Batch) -> Values:
        """Compute what the task makes its answers from."""
        return self.network.predict(self.network.scores(batch.arrays), batch.arrays)


class Writer:
    """An encoder-decoder."""

    def __init__(self, network: EncoderDecoder) -> None:
        self.network, self.step, self.select = network, network.step, network.select

    def begin(self, batch: Batch) -> Prediction:
        """Begin a sequence for each row of a batch: the first token's logits (A, V)."""
        return self.network.begin(batch.arrays)


class TextPredictor:
    """A language model."""

    def __init__(self, network: LanguageModel) -> None:
        self.network = network
        self._of_thread = local()

    def _single_stream(self) -> SingleStreamDecoder | None:
        """Return what writes one text in this thread: it computes in place, so each thread has its own.

        None unless there is one layer, with a formula that can be traced, its output and few enough tokens.
        """
        of_thread = self._of_thread.__dict__
        if "single_stream" not in of_thread:
            of_thread["single_stream"] = self._make_single_stream()
        single: SingleStreamDecoder | None = of_thread["single_stream"]
        return single

    def _make_single_stream(self) -> SingleStreamDecoder | None:
        network, rnn = self.network, cast(Recurrence, self.network.rnn)
        inputs = rnn.token_steps(cast(Embedding, network.embed).table).single_inputs
        layers = rnn.layers.layers
        if inputs is None or network.projection is not None or len(layers) > 1:
            return None
        try:
            return SingleStreamDecoder(inputs, layers[0][0], cast(Linear, network.output))
        except UntraceableError:
            return None

    def read(self, tokens: Array, states: Layers | None) -> tuple[Array, Layers]:
        """Read `tokens` (N, T), from nothing if `states` is None.

        Returns the next token's logits (N, V), and the states.
        """
        lengths = np.full(len(tokens), tokens.shape[1])
        _, states = self.network.hidden(tokens, lengths, states)
        assert states is not None
        return self.network.score(states[-1][0]), states

    def step(self, tokens: Array, states: Layers) -> tuple[Array, Layers]:
        """Read one more token of each sequence, (N,)."""
        if len(tokens) == 1 and (single := self._single_stream()) is not None:
            return single(tokens.item(), states)
        return self.network.step(tokens, states)

    def log_likelihood(self, batch: Batch) -> Array:
        """Return the log-probability of `targets` (B, T) up to the `lengths`, (B,), in nats.

        Step by step, so that the scores of one step are all that is in memory.
        """
        inputs, targets, lengths = (batch.arrays[name] for name in ("inputs", "targets", "lengths"))
        hidden, _ = self.network.hidden(inputs, lengths)
        total = np.zeros(len(targets), dtype=np.float32)
        for step in range(targets.shape[1]):
            rows = np.flatnonzero(lengths > step)
            used, columns = np.unique(hidden.index[rows, step], return_inverse=True)
            log_probs = log_softmax(self.network.score(hidden.vectors[used]))
            total[rows] += log_probs[columns, targets[rows, step]]
        return total

    def to_arrays(self, states: Layers) -> Layers:
        """Return the states, which are arrays already."""
        return states

    def from_arrays(self, layers: Sequence[tuple[Array, ...]]) -> Layers:
        """Return the states that `to_arrays` has returned."""
        return list(layers)


KINDS: Mapping[Learns, Callable[..., Backend]] = {
    "labels": Predictor,
    "notes": Predictor,
    "tags": Predictor,
    "text": TextPredictor,
    "target": Writer,
}
"""What asks a network, by what it was trained on."""


def build_network(take: Take, name: str, config: ModelConfig, sizes: NetworkSizes) -> Backend:
    """Make the network `name` of the catalogue, ready to be asked."""
    description = load(NETWORKS[name])
    return KINDS[description.learns](description(NumpyOps(take), config, sizes))
