"""Many-to-many, aligned, in ONNX: a tag for every token.

Shapes: B batch, T time, E embedding, H hidden, K tags, C characters.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.numpy.activations import log_softmax
from seqrnn.backends.onnx.crf import decode
from seqrnn.backends.onnx.graph import Array, Graph, Part
from seqrnn.backends.onnx.layers import RNN, embed, head, last_outputs, sequence_mask
from seqrnn.backends.onnx.network import Arrays, Network, random_tokens
from seqrnn.cells.sizes import RNNSizes
from seqrnn.data.dataset.batching import Batch

LONGEST_WORD = 9  # characters of a word of the sample


class TaggerNetwork(Network):
    """`tokens` (B, T) of `lengths` (B,), and how they are spelled -> `tags` (B, T) and `scores` (B, T, K).

    `characters` (B, T, C) and `character_lengths` (B, T) are inputs of a model that reads characters.
    """

    about = (
        "tokens (batch, time) are ids of tokenizer.json; of each row the first lengths (batch) count. "
        "characters (batch, time, letters) are the ids of each token's characters in characters.json, of "
        "which the first character_lengths (batch, time) count. tags (batch, time) are numbers of "
        "tags.json: the likeliest of each token or, with a CRF, the likeliest sequence. scores (batch, time, "
        "tags) are natural logarithms of probabilities or, with a CRF, what it adds up. Behind a row's end "
        "stands anything."
    )

    def graph(self) -> Graph:
        """Put the network together."""
        config, sizes = self.trained.config, self.trained.task.sizes()
        graph = Graph()
        part = self.trained.part(graph)
        x = embed(part.within("embedding"), graph.input("tokens", "int64", "batch", "time"))
        lengths = graph.input("lengths", "int64", "batch")
        input_size = config.embedding_size
        if sizes["characters"]:
            x = graph.add("Concat", x, self._spelled(part.within("characters")), axis=2)
            input_size += 2 * config.character_size
        rnn_sizes = RNNSizes(input_size, config.hidden_size, config.num_layers, config.bidirectional)
        hidden, _ = RNN(config.cell, rnn_sizes).read(part.within("rnn"), x, lengths)
        scores = head(part.within("head"), config.head, hidden)  # (B, T, K)
        if sizes["crf"]:
            tags = decode(part.within("output.crf"), scores, sequence_mask(graph, lengths, x))
        else:
            scores = graph.add("LogSoftmax", scores, axis=2)
            tags = graph.add("ArgMax", scores, axis=2, keepdims=0)
        graph.output(tags, "tags", "int64", "batch", "time")
        graph.output(scores, "scores", "float32", "batch", "time", sizes["tags"])
        return graph

    def _spelled(self, part: Part) -> str:
        """Read the characters of each token from both ends, (B, T, 2 * H)."""
        graph, config = part.graph, self.trained.config
        characters = graph.input("characters", "int64", "batch", "time", "letters")
        counts = graph.input("character_lengths", "int64", "batch", "time")
        flat = graph.add("Flatten", characters, axis=2)  # (B * T, C)
        x = embed(part.within("embedding"), flat)
        sizes = RNNSizes(config.character_embedding_size, config.character_size, bidirectional=True)
        one_a_row = graph.add("Reshape", counts, graph.integers(-1))
        _, states = RNN(config.cell, sizes).read(part.within("rnn"), x, one_a_row)
        last = last_outputs(graph, states[0], sizes)
        shape = graph.add("Concat", graph.add("Shape", counts), graph.integers(sizes.output_size), axis=0)
        return graph.add("Reshape", last, shape)

    def sample(self, lengths: Array, width: int, random: np.random.Generator) -> dict[str, Array]:
        """Make random tokens of random characters."""
        sizes = self.trained.task.sizes()
        inputs = {"tokens": random_tokens(lengths, width, sizes["vocabulary"], random), "lengths": lengths}
        if sizes["characters"]:
            inside = np.arange(width) < lengths[:, None]  # (B, T)
            counts = random.integers(1, LONGEST_WORD + 1, size=inside.shape) * inside
            flat = random_tokens(counts.reshape(-1), LONGEST_WORD + 1, sizes["characters"], random)
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
        twin, batch = self.trained.twin, Batch(arrays, 0, 0, 0)
        values = twin.values(batch)
        scores = twin.scores(batch)
        if not self.trained.task.sizes()["crf"]:
            scores = log_softmax(scores)
        return {"tags": values["tags"], "scores": scores}
