"""An encoder-decoder in ONNX: the encoder, and one step of the decoder, as two graphs.

Shapes: B batch, S source, L layers, H hidden, M size of an encoder's state, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from seqrnn.backends.numpy.networks import Writer
from seqrnn.backends.onnx.graph import Array, Graph, Kind
from seqrnn.backends.onnx.network import Arrays, Network, Trained
from seqrnn.backends.onnx.sources import Source
from seqrnn.backends.onnx.states import LayerStates
from seqrnn.data.dataset.batching import Batch
from seqrnn.data.text.tokenizer import BOS
from seqrnn.networks.attention import Memory
from seqrnn.networks.decoder import DecoderState
from seqrnn.networks.encoder_decoder import EncoderDecoder
from seqrnn.networks.ops import Value
from seqrnn.networks.sizes import EncoderDecoderSizes
from seqrnn.search.step import log_softmax

MEMORY: Mapping[str, Kind] = {"keys": "float32", "values": "float32", "mask": "bool"}
STEPS = 12  # that a check writes


class _Part(Network[EncoderDecoder, EncoderDecoderSizes, Writer]):
    """What both graphs share: the states of the decoder's layers, and the memory that it looks at."""

    def __init__(self, trained: Trained) -> None:
        super().__init__(trained)
        self._source = Source(trained.task.fields[0])
        self._states = LayerStates(trained.config)
        self._attends = trained.config.attention != "none"

    def _read(self, inputs: Arrays) -> dict[str, Array]:
        """Return what the network reads of the inputs of the encoder."""
        arrays = self._source.arrays(inputs)
        return {**arrays, "source_lengths": arrays["lengths"]}

    def _encoded(self, inputs: Arrays) -> dict[str, Array]:
        """Return what the encoder gives, by the names of its outputs, from NumPy."""
        state = self.twin.network.encode(self._read(inputs))
        return {**self._states.named(state.layers, "out"), **self._memory_of(state.memory)}

    def _memory_of(self, memory: Memory) -> dict[str, Value]:
        """Return the parts of a memory by name, if the decoder looks at one."""
        return {name: getattr(memory, name) for name in MEMORY} if self._attends else {}


class EncoderNetwork(_Part):
    """The input, and `lengths` (B,) where it has steps -> the decoder's first state, and a memory."""

    name = "encoder"
    about = (
        "tokens (batch, time) are ids of tokenizer.json, or vectors (batch, time, features) as the data have "
        "them; of each row the first lengths (batch) count. A model of single vectors reads (batch, "
        "features), without lengths. h_out and, of an LSTM, c_out (layers, batch, hidden) are the state in "
        "which the decoder begins; keys, values (batch, time, size) and mask (batch, time), of a model with "
        "attention, are what each of its steps takes besides."
    )

    def graph(self) -> Graph:
        """Put the encoder together."""
        graph = Graph()
        network = self.network(graph)
        arrays = self._source.add_to(graph)
        if "lengths" in arrays:
            arrays["source_lengths"] = arrays["lengths"]
        start = network.encode(arrays)
        self._states.outputs(graph, self._states.joined(graph, start.layers))
        sizes = self._memory_sizes()
        for name, value in self._memory_of(start.memory).items():
            graph.output(value, name, MEMORY[name], "batch", "time", *sizes[name])
        return graph

    def _memory_sizes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the last axis of each part of the memory."""
        inputs = self.sample(np.array([1]), 1, np.random.default_rng(0))
        encoded = self._encoded(inputs)
        return {name: encoded[name].shape[2:] for name in MEMORY if name in encoded}

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens or vectors."""
        return self._source.sample(lengths, width, random)

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin."""
        return self._encoded(inputs)


class DecoderNetwork(_Part):
    """`tokens` (B,), a state and a memory -> `log_probs` (B, V) of what comes next, and the state then."""

    name = "decoder"
    about = (
        "tokens (batch) are ids of target_tokenizer.json, <bos> first, and then each time the one that was "
        "chosen. h_in and, of an LSTM, c_in (layers, batch, hidden) are what the encoder or the step before "
        "gave as h_out and c_out; keys, values and mask, of a model with attention, what the encoder gave. "
        "log_probs (batch, vocabulary) are natural logarithms of the probabilities of the next token."
    )

    def graph(self) -> Graph:
        """Put a step of the decoder together."""
        graph = Graph()
        network = self.network(graph)
        tokens = graph.input("tokens", "int64", "batch")
        layers = self._states.split(graph, self._states.inputs(graph))
        parts = [tokens] * len(MEMORY)  # without attention only the number of rows counts
        if self._attends:
            sample = self.sample(np.array([1]), 1, np.random.default_rng(0))
            parts = [
                graph.input(name, kind, "batch", "time", *sample[name].shape[2:])
                for name, kind in MEMORY.items()
            ]
        logits, state = network.step(tokens, DecoderState(layers, Memory(*parts)))
        graph.output(
            graph.add("LogSoftmax", logits, axis=1),
            "log_probs",
            "float32",
            "batch",
            self.sizes.target_vocabulary,
        )
        self._states.outputs(graph, self._states.joined(graph, state.layers))
        return graph

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens after what the encoder gives for random sources."""
        encoded = self._encoded(self._source.sample(lengths, width, random))
        vocabulary = self.sizes.target_vocabulary
        return {"tokens": random.integers(vocabulary, size=len(lengths)), **fed_back(encoded)}

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin."""
        memory = Memory(*(inputs.get(name, inputs["tokens"]) for name in MEMORY))
        state = DecoderState(self._states.layers(inputs), memory)
        logits, state = self.twin.step(inputs["tokens"], state)
        return {"log_probs": log_softmax(logits), **self._states.named(state.layers, "out")}

    def greedy(self, inputs: Arrays) -> Iterator[tuple[Array, Array]]:
        """Write greedily in NumPy for inputs of the encoder: what each step reads, and its `log_probs`."""
        batch = Batch(self._read(inputs), 0, 0, 0)
        logits, state = self.twin.begin(batch)
        tokens = np.full(len(logits), BOS)
        for _ in range(STEPS):
            yield tokens, log_softmax(logits)
            tokens = logits.argmax(axis=1)
            logits, state = self.twin.step(tokens, state)


def fed_back(outputs: Arrays) -> dict[str, Array]:
    """Return what a step takes of the outputs of the encoder or of the step before."""
    return {
        f"{name.removesuffix('_out')}_in" if name.endswith("_out") else name: array
        for name, array in outputs.items()
        if name != "log_probs"
    }
