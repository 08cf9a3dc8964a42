"""The language model in ONNX: at every step, which token comes next.

Shapes: B batch, T time, E embedding, H hidden, L layers, V vocabulary.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.networks import TextPredictor
from seqrnn.backends.onnx.graph import Array, Graph
from seqrnn.backends.onnx.network import Arrays, Network
from seqrnn.backends.onnx.sources import random_tokens
from seqrnn.backends.onnx.states import LayerStates
from seqrnn.data.fields.input_sizes import TokenSizes
from seqrnn.networks.language_model import LanguageModel
from seqrnn.search.step import log_softmax


class LanguageNetwork(Network[LanguageModel, TokenSizes, TextPredictor]):
    """`tokens` (B, T), `lengths` and a state -> `log_probs` (B, T, V) of what comes next, and the state then.

    The state is `h_in` and `h_out` (L, B, H), for an LSTM `c_in` and `c_out` as well.
    """

    about = (
        "tokens (batch, time) are ids of tokenizer.json, <bos> first; of each row the first lengths (batch) "
        "count. h_in and, of an LSTM, c_in (layers, batch, hidden) are the state before them, zeros where "
        "nothing was read; h_out and c_out are the state after them. log_probs (batch, time, vocabulary) "
        "are natural logarithms of the probabilities of the token that follows each; values after a row's "
        "end mean nothing."
    )

    def graph(self) -> Graph:
        """Put the network together."""
        graph = Graph()
        network = self.network(graph)
        tokens = graph.input("tokens", "int64", "batch", "time")
        lengths = graph.input("lengths", "int64", "batch")
        states = LayerStates(self.trained.config)
        given = states.inputs(graph)
        hidden, last = network.hidden(tokens, lengths, states.split(graph, given))
        log_probs = graph.add("LogSoftmax", network.score(hidden), axis=2)
        graph.output(log_probs, "log_probs", "float32", "batch", "time", self.sizes.vocabulary)
        # A row without tokens stays where it is; what the operators return for one is not specified.
        some = graph.add("Greater", lengths, graph.integers(0))
        states.outputs(graph, states.where(graph, some, states.joined(graph, last), given))
        return graph

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens and states."""
        states = LayerStates(self.trained.config).sample(len(lengths), random)
        tokens = random_tokens(lengths, width, self.sizes.vocabulary, random)
        return {"tokens": tokens, "lengths": lengths, **states}

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin, row by row and token by token."""
        tokens, names = inputs["tokens"], list(LayerStates(self.trained.config).shapes)
        log_probs = np.zeros((*tokens.shape, self.sizes.vocabulary), dtype=np.float32)
        outputs = {"log_probs": log_probs, **{f"{name}_out": inputs[f"{name}_in"].copy() for name in names}}
        for row, length in enumerate(inputs["lengths"].tolist()):
            given = zip(*(inputs[f"{name}_in"][:, row : row + 1] for name in names), strict=True)
            states = list(given)  # for each layer its arrays, each (1, H)
            for step in range(length):
                token = tokens[row : row + 1, step : step + 1]
                logits, states = self.twin.read(token, states)
                log_probs[row, step] = log_softmax(logits[0])
            for name, arrays in zip(names, zip(*states, strict=True), strict=True):
                outputs[f"{name}_out"][:, row] = np.concatenate(arrays)
        return outputs
