"""Many-to-one in ONNX: read an example, predict its label, labels, number, or the notes that follow.

Shapes: B batch, T time, F features, K classes or keys.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.networks import Predictor
from seqrnn.backends.onnx.graph import Array, Graph
from seqrnn.backends.onnx.network import Arrays, Network, Trained
from seqrnn.backends.onnx.sources import Source, random_tokens
from seqrnn.data.fields.input_sizes import VectorSizes
from seqrnn.data.fields.number_field import NumberField
from seqrnn.networks.predictions import PredictingNetwork
from seqrnn.networks.sizes import ClassifierSizes

LARGEST_SAMPLED = 0x3000  # of code points that are tried


class ExampleNetwork(Network[PredictingNetwork, ClassifierSizes | VectorSizes, Predictor]):
    """The input, and `lengths` (B,) where it has steps -> `log_probs` (B, K), or `numbers` (B,)."""

    about = (
        "tokens (batch, time) are ids of tokenizer.json, vectors (batch, time, features) as the data have "
        "them, notes (batch, time, keys) are 1 where a key sounds; of each row the first lengths (batch) "
        "count. A model of single vectors reads (batch, features), without lengths. code_points (batch, "
        "characters) are those of a text, normalised as tokenizer.json says, cut where its tokens are cut, "
        "with one blank for white space, one at either end, and zeros after that. log_probs (batch, "
        "classes) are natural logarithms of calibrated probabilities, in the order of labels.json or of the "
        "keys; numbers (batch) are in the units of the data."
    )

    def __init__(self, trained: Trained) -> None:
        super().__init__(trained)
        self._source = Source(trained.task.fields[0])

    def graph(self) -> Graph:
        """Put the network together."""
        graph = Graph()
        network = self.network(graph)
        arrays = self._source.add_to(graph)
        if self._reads_characters:
            arrays["code_points"] = graph.input("code_points", "int64", "batch", "characters")
        scores = network.scores(arrays)
        if self._temperature != 1.0:
            scores = graph.add("Div", scores, graph.number(self._temperature))
        values = network.predict(scores, arrays)
        if "numbers" in values:
            numbers = self._restored(graph, values["numbers"])
            graph.output(numbers, "numbers", "float64", "batch")
        else:
            sizes = self.sizes
            classes = sizes.classes if isinstance(sizes, ClassifierSizes) else sizes.features
            graph.output(values["log_probs"], "log_probs", "float32", "batch", classes)
        return graph

    def _restored(self, graph: Graph, numbers: str) -> str:
        """Turn normalised numbers (B,) into those of the data, in double precision."""
        mean, deviation = (
            graph.weight(f"numbers.{name}", np.array(getattr(self._numbers, name), dtype=np.float64))
            for name in ("mean", "deviation")
        )
        wide = graph.add("Cast", numbers, to="float64")
        return graph.add("Add", graph.add("Mul", wide, deviation), mean)

    @property
    def _reads_characters(self) -> bool:
        ngrams = self.sizes.ngrams if isinstance(self.sizes, ClassifierSizes) else None
        return ngrams is not None and bool(ngrams.of_characters)

    @property
    def _temperature(self) -> float:
        """What the scores of labels are divided by; 1 for others."""
        return self.trained.task.calibration.temperature

    @property
    def _numbers(self) -> NumberField:
        """What a regression has learned of its numbers."""
        return next(field for field in self.trained.task.fields if isinstance(field, NumberField))

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens, vectors or notes; of characters twice as many as of tokens, and two blanks."""
        inputs = self._source.sample(lengths, width, random)
        if self._reads_characters:
            inputs["code_points"] = random_tokens(2 * lengths + 2, 2 * width + 2, LARGEST_SAMPLED, random)
        return inputs

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin."""
        network, arrays = self.twin.network, self._source.arrays(inputs)
        if self._reads_characters:
            arrays["code_points"] = inputs["code_points"]
        values = network.predict(network.scores(arrays) / np.float32(self._temperature), arrays)
        if "numbers" in values:
            return {"numbers": self._numbers.restore(values["numbers"])}
        return dict(values)
