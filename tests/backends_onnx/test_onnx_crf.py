"""The sequence of tags that onnxruntime decodes is the best of all that there are."""

from __future__ import annotations

import itertools

import numpy as np
import onnxruntime
import pytest

from seqrnn.backends.onnx.crf import decode
from seqrnn.backends.onnx.graph import Graph, Part
from seqrnn.backends.onnx.layers import sequence_mask
from seqrnn.backends.onnx.onnx_file import to_bytes

TAGS = 3


@pytest.fixture
def parameters():
    random = np.random.default_rng(1)
    shapes = {"transitions": (TAGS, TAGS), "start": (TAGS,), "end": (TAGS,)}
    return {name: random.normal(scale=2.0, size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture
def decoder(parameters):
    """A function `(emissions (B, T, K), lengths (B,)) -> tags (B, T)`."""
    graph = Graph()
    emissions = graph.input("emissions", "float32", "batch", "time", TAGS)
    lengths = graph.input("lengths", "int64", "batch")
    tags = decode(Part(graph, parameters), emissions, sequence_mask(graph, lengths, emissions))
    graph.output(tags, "tags", "int64", "batch", "time")
    session = onnxruntime.InferenceSession(to_bytes(graph, "", {}), providers=["CPUExecutionProvider"])
    return lambda emissions, lengths: session.run(None, {"emissions": emissions, "lengths": lengths})[0]


def best(emissions, parameters):
    """Try all sequences for emissions (T, K)."""

    def score(path):
        steps = sum(emission[tag] for emission, tag in zip(emissions, path, strict=True))
        moves = sum(parameters["transitions"][pair] for pair in itertools.pairwise(path))
        return parameters["start"][path[0]] + steps + moves + parameters["end"][path[-1]]

    return max(itertools.product(range(TAGS), repeat=len(emissions)), key=score)


@pytest.mark.parametrize("width", [1, 2, 6])
def test_it_is_the_best_sequence_up_to_the_length_of_each_row(decoder, parameters, width):
    lengths = np.arange(40) % (width + 1)
    emissions = np.random.default_rng(2).normal(size=(40, width, TAGS)).astype("float32")
    tags = decoder(emissions, lengths)
    assert tags.shape == (40, width)
    found = [tuple(row[:length].tolist()) for row, length in zip(tags, lengths, strict=True)]
    expected = [
        best(row[:length], parameters) if length else ()
        for row, length in zip(emissions, lengths, strict=True)
    ]
    assert found == expected
    if width > 1:
        alone = [tuple(row[:length].argmax(axis=1)) for row, length in zip(emissions, lengths, strict=True)]
        assert found != alone  # the neighbours have a say
