"""Many-to-many, aligned, in ONNX: a tag for every token.

Shapes: B batch, T time, E embedding, H hidden, K tags, C characters.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.networks import Predictor
from seqrnn.backends.onnx.graph import Array, Graph
from seqrnn.backends.onnx.layers import sequence_mask
from seqrnn.backends.onnx.network import Arrays, Network
from seqrnn.backends.onnx.sources import random_tokens
from seqrnn.data.dataset.batching import Batch
from seqrnn.networks.sizes import TaggerSizes
from seqrnn.networks.tagger import Tagger
from seqrnn.search.step import log_softmax

LONGEST_WORD = 9  # characters of a word of the sample


class TaggerNetwork(Network[Tagger, TaggerSizes, Predictor]):
    """`tokens` (B, T) of `lengths` (B,), and how they are spelled -> `tags` (B, T) and `scores` (B, T, K).

    `characters` (B, T, C) and `character_lengths` (B, T) are inputs of a model that reads characters.
    """

    about = (
        "tokens (batch, time) are ids of tokenizer.json; of each row the first lengths (batch) count. "
        "characters (batch, time, letters) are the ids of each token's characters in characters.json, of "
        "which the first character_lengths (batch, time) count. tags (batch, time) are numbers of "
        "tags.json: the likeliest of each token or, with a CRF, the likeliest sequence. scores (batch, time, "
        "tags) are natural logarithms of probabilities or, with a CRF, what it adds up. Values after a row's "
        "end mean nothing."
    )

    def graph(self) -> Graph:
        """Put the network together."""
        sizes, graph = self.sizes, Graph()
        network = self.network(graph)
        arrays = {"source": graph.input("tokens", "int64", "batch", "time")}
        arrays["lengths"] = graph.input("lengths", "int64", "batch")
        if sizes.characters:
            arrays |= _spellings(graph)
        scores = network.scores(arrays)  # (B, T, K)
        tags = network.output.tags(scores, sequence_mask(graph, arrays["lengths"], scores))
        if not sizes.crf:
            scores = graph.add("LogSoftmax", scores, axis=2)
        graph.output(tags, "tags", "int64", "batch", "time")
        graph.output(scores, "scores", "float32", "batch", "time", sizes.tags)
        return graph

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens of random characters."""
        sizes = self.sizes
        inputs = {"tokens": random_tokens(lengths, width, sizes.vocabulary, random), "lengths": lengths}
        if sizes.characters:
            inside = np.arange(width) < lengths[:, None]  # (B, T)
            counts = random.integers(1, LONGEST_WORD + 1, size=inside.shape) * inside
            flat = random_tokens(counts.reshape(-1), LONGEST_WORD + 1, sizes.characters, random)
            inputs |= {
                "characters": flat.reshape(*inside.shape, LONGEST_WORD + 1),
                "character_lengths": counts,
            }
        return inputs

    def expected(self, inputs: Arrays) -> dict[str, Array]:
        """Ask the twin, which reads each token's spelling as one of many."""
        arrays = {"source": inputs["tokens"], "lengths": inputs["lengths"]}
        if "characters" in inputs:
            counts = inputs["character_lengths"]
            arrays |= {
                "spellings": inputs["characters"].reshape(counts.size, -1),
                "spelling_lengths": counts.reshape(-1),
                "spelling_index": np.arange(counts.size).reshape(counts.shape),
            }
        values = self.twin.values(Batch(arrays, 0, 0, 0))
        scores = self.twin.network.scores(arrays)
        if not self.sizes.crf:
            scores = log_softmax(scores)
        return {"tags": values["tags"], "scores": scores}


def _spellings(graph: Graph) -> dict[str, str]:
    """Declare the characters of each token; return what the network reads, in which each has its own."""
    characters = graph.input("characters", "int64", "batch", "time", "letters")
    counts = graph.input("character_lengths", "int64", "batch", "time")
    flat = graph.add("Reshape", counts, graph.integers(-1))  # (B * T,)
    total = graph.add("Squeeze", graph.add("Shape", flat))
    numbers = graph.add("Range", graph.scalar(0), total, graph.scalar(1))
    return {
        "spellings": graph.add("Flatten", characters, axis=2),  # (B * T, C)
        "spelling_lengths": flat,
        "spelling_index": graph.add("Reshape", numbers, graph.add("Shape", counts)),
    }
