"""The language model in ONNX: at every step, which token comes next.

Shapes: B batch, T time, E embedding, H hidden, L layers, V vocabulary.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.onnx.graph import Array, Axis, Graph, Part
from seqrnn.backends.onnx.layers import RNN, embed, linear
from seqrnn.backends.onnx.network import Arrays, Network, random_tokens
from seqrnn.cells.cell import Shape
from seqrnn.cells.sizes import RNNSizes
from seqrnn.search.step import log_softmax


class LanguageNetwork(Network):
    """`tokens` (B, T), `lengths` and a state -> `log_probs` (B, T, V) of what comes next, and the state then.

    The state is `h_in` and `h_out` (L, B, H), for an LSTM `c_in` and `c_out` as well.
    """

    about = (
        "tokens (batch, time) are ids of tokenizer.json, <bos> first; of each row the first lengths (batch) "
        "count. h_in and, of an LSTM, c_in (layers, batch, hidden) are the state before them, zeros where "
        "nothing was read; h_out and c_out are the state behind them. log_probs (batch, time, vocabulary) "
        "are natural logarithms of the probabilities of the token that follows each; behind a row's end "
        "stands anything."
    )

    def graph(self) -> Graph:
        """Put the network together."""
        config, sizes = self.trained.config, self.trained.task.sizes()
        graph = Graph()
        part = self.trained.part(graph)
        x = embed(part.within("embedding"), graph.input("tokens", "int64", "batch", "time"))
        lengths = graph.input("lengths", "int64", "batch")
        rnn = self._rnn
        shapes: dict[str, tuple[Axis, ...]] = {
            name: (config.num_layers, "batch", *shape) for name, shape in self._state.items()
        }
        given = [graph.input(f"{name}_in", "float32", *shape) for name, shape in shapes.items()]
        split = [graph.add_many("Split", (array,), config.num_layers, axis=0) for array in given]
        first = [list(layer) for layer in zip(*split, strict=True)]
        hidden, states = rnn.read(part.within("rnn"), x, lengths, first)
        log_probs = graph.add("LogSoftmax", self._scores(part, hidden), axis=2)
        graph.output(log_probs, "log_probs", "float32", "batch", "time", sizes["vocabulary"])
        # A row without tokens stays where it is; what the operators return for one is not specified.
        some = graph.add("Greater", lengths, graph.integers(0))
        for (name, shape), before, arrays in zip(
            shapes.items(), given, zip(*states, strict=True), strict=True
        ):
            last = graph.add("Concat", *arrays, axis=0)
            rows = graph.add("Unsqueeze", some, graph.integers(*range(1, len(shape) - 1)))
            graph.output(graph.add("Where", rows, last, before), f"{name}_out", "float32", *shape)
        return graph

    @property
    def _state(self) -> dict[str, Shape]:
        """The shapes of the arrays of a layer's state, without layers and batch, by name."""
        return self._rnn.kind.state(self.trained.config.hidden_size)

    @property
    def _rnn(self) -> RNN:
        config = self.trained.config
        return RNN(config.cell, RNNSizes(config.embedding_size, config.hidden_size, config.num_layers))

    def _scores(self, part: Part, hidden: str) -> str:
        """Score every token, (B, T, H) -> (B, T, V)."""
        config = self.trained.config
        if not config.tie_embeddings:
            return linear(part.within("output"), hidden)
        if config.embedding_size != config.hidden_size:
            hidden = linear(part.within("bridge.1"), hidden)
        return linear(part.within("output"), hidden, weight=part.weight("embedding.table.weight"))

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens and states."""
        layers, vocabulary = self.trained.config.num_layers, self.trained.task.sizes()["vocabulary"]
        states = {
            f"{name}_in": random.uniform(-1.0, 1.0, size=(layers, len(lengths), *shape)).astype(np.float32)
            for name, shape in self._state.items()
        }
        return {"tokens": random_tokens(lengths, width, vocabulary, random), "lengths": lengths, **states}

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin, row by row and token by token."""
        tokens, names = inputs["tokens"], list(self._state)
        log_probs = np.zeros((*tokens.shape, self.trained.task.sizes()["vocabulary"]), dtype=np.float32)
        outputs = {"log_probs": log_probs, **{f"{name}_out": inputs[f"{name}_in"].copy() for name in names}}
        for row, length in enumerate(inputs["lengths"].tolist()):
            given = zip(*(inputs[f"{name}_in"][:, row : row + 1] for name in names), strict=True)
            states = list(given)  # for each layer its arrays, each (1, H)
            for step in range(length):
                token = tokens[row : row + 1, step : step + 1]
                logits, states = self.trained.twin.read(token, states)
                log_probs[row, step] = log_softmax(logits[0])
            for name, arrays in zip(names, zip(*states, strict=True), strict=True):
                outputs[f"{name}_out"][:, row] = np.concatenate(arrays)
        return outputs
