"""Many-to-one in ONNX: read a sequence, sum it up, score the classes.

Shapes: B batch, T time, F features, E embedding, K classes.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.onnx.graph import Array, Graph, Part
from seqrnn.backends.onnx.layers import RNN, embed, head, last_outputs, sequence_mask
from seqrnn.backends.onnx.network import Arrays, Network, random_tokens
from seqrnn.backends.onnx.pooling import pool
from seqrnn.cells.sizes import RNNSizes
from seqrnn.data.dataset.batching import Batch
from seqrnn.data.fields.vectors_field import VectorsField
from seqrnn.tasks.classification import Classification


class ClassifierNetwork(Network):
    """`tokens` (B, T), or `vectors` (B, T, F) as in the data, and `lengths` (B,) -> `log_probs` (B, K)."""

    about = (
        "tokens (batch, time) are ids of tokenizer.json, or vectors (batch, time, features) as the data have "
        "them; of each row the first lengths (batch) count. log_probs (batch, classes) are natural "
        "logarithms of calibrated probabilities, in the order of labels.json."
    )

    def graph(self) -> Graph:
        """Put the network together."""
        config, task = self.trained.config, self.trained.task
        sizes = task.sizes()
        graph = Graph()
        part = self.trained.part(graph)
        x, input_size = self._read(part)
        lengths = graph.input("lengths", "int64", "batch")
        rnn_sizes = RNNSizes(input_size, config.hidden_size, config.num_layers, config.bidirectional)
        outputs, states = RNN(config.cell, rnn_sizes).read(part.within("rnn"), x, lengths)
        last = last_outputs(graph, states[-1], rnn_sizes)
        pooled = pool(part.within("pooling"), config.pooling, outputs, last, sequence_mask(graph, lengths, x))
        scores = head(part.within("head"), config.head, pooled)
        if (temperature := task.calibration.temperature) != 1.0:
            scores = graph.add(
                "Div", scores, graph.weight("temperature", np.array(temperature, dtype=np.float32))
            )
        if sizes["multi_label"]:
            log_probs = graph.add("Neg", graph.add("Softplus", graph.add("Neg", scores)))
        else:
            log_probs = graph.add("LogSoftmax", scores, axis=1)
        graph.output(log_probs, "log_probs", "float32", "batch", sizes["classes"])
        return graph

    def _read(self, part: Part) -> tuple[str, int]:
        """Add what is read, (B, T, E), and return E: a vector a token, or vectors, normalised."""
        graph, features = part.graph, self._features
        if features is None:
            tokens = graph.input("tokens", "int64", "batch", "time")
            return embed(part.within("embedding"), tokens), self.trained.config.embedding_size
        field = self._task.source
        if not isinstance(field, VectorsField):
            return graph.input("vectors", "float32", "batch", "time", features), features
        # In double precision, as in training: a mean may be much larger than a deviation.
        vectors = graph.input("vectors", "float64", "batch", "time", features)
        mean, deviation = (
            graph.weight(name, getattr(field, name).astype(np.float64)) for name in ("mean", "deviation")
        )
        centred = graph.add("Sub", vectors, mean)
        return graph.add("Cast", graph.add("Div", centred, deviation), to="float32"), features

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens or vectors."""
        if self._features is None:
            vocabulary = self._task.sizes()["vocabulary"]
            return {"tokens": random_tokens(lengths, width, vocabulary, random), "lengths": lengths}
        normal = random.normal(size=(len(lengths), width, self._features))
        field = self._task.source
        if isinstance(field, VectorsField):
            return {"vectors": normal * field.deviation + field.mean, "lengths": lengths}
        return {"vectors": normal.astype(np.float32), "lengths": lengths}

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin."""
        source, field = inputs.get("tokens", inputs.get("vectors")), self._task.source
        if isinstance(field, VectorsField):
            assert source is not None
            source = field.normalise(source)
        assert source is not None
        batch = Batch({"source": source, "lengths": inputs["lengths"]}, 0, 0, 0)
        return {"log_probs": self._task.calibrated(self.trained.twin.values(batch)["log_probs"])}

    @property
    def _task(self) -> Classification:
        task = self.trained.task
        assert isinstance(task, Classification)
        return task

    @property
    def _features(self) -> int | None:
        return self._task.sizes().get("features")
