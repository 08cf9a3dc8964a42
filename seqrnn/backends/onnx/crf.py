"""The likeliest sequence of tags under a conditional random field, in ONNX; see `backends/numpy/crf.py`.

Viterbi's algorithm as two loops over time: forwards the best score of all beginnings that end in a tag, and
the tag before it; backwards, from the best last tag, the tags themselves.

Shapes: B batch, T time, K tags.
"""

from __future__ import annotations

import numpy as np

from seqrnn.backends.onnx.graph import Graph, Part

END = np.iinfo(np.int64).max  # of a slice: to the last step


def decode(part: Part, emissions: str, mask: str) -> str:
    """Return the likeliest tags (B, T), any where a sequence has ended, from emissions (B, T, K).

    `mask` (B, T) is true where a sequence runs. The loops go over steps 1 to T, of which the last, which no
    sequence has, changes nothing: so they have a step where T is 1.
    """
    graph = part.graph
    runs = graph.add("Unsqueeze", graph.add("Cast", mask, to="float32"), graph.integers(2))  # (B, T, 1)
    first = _steps(graph, emissions, 0, 1)  # (B, 1, K)
    start = graph.add("Add", part.weight("start"), graph.add("Squeeze", first, graph.integers(1)))
    best, origins = graph.add_many(
        "Scan",
        (start, _later(graph, emissions), _later(graph, runs)),
        2,
        body=_forwards(part),
        num_scan_inputs=2,
        scan_input_axes=[1, 1],
        scan_output_axes=[1],
    )
    final = graph.add("ArgMax", graph.add("Add", best, part.weight("end")), axis=1, keepdims=0)  # (B,)
    _, tags = graph.add_many(
        "Scan",
        (final, origins),
        2,
        body=_backwards(),
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_input_directions=[1],
        scan_output_axes=[1],
        scan_output_directions=[1],
    )
    return tags


def _steps(graph: Graph, x: str, start: int, stop: int) -> str:
    """Take some steps of `x` (B, T, ...)."""
    return graph.add("Slice", x, *(graph.integers(number) for number in (start, stop, 1)))


def _later(graph: Graph, x: str) -> str:
    """Take the steps of `x` (B, T, ...) but for the first, and one of 0 after them."""
    first = _steps(graph, x, 0, 1)
    return graph.add("Concat", _steps(graph, x, 1, END), graph.add("Sub", first, first), axis=1)


def _forwards(part: Part) -> Graph:
    """Make the body `(best (B, K), emissions (B, K), runs (B, 1)) -> (best, tags before (B, K))`."""
    tags = len(part.array("start"))
    body = Graph("forwards.")
    best = body.input("best", "float32", "batch", tags)
    emissions = body.input("emissions", "float32", "batch", tags)
    inside = body.add("Greater", body.input("runs", "float32", "batch", 1), body.number(0.0))
    paths = body.add("Add", body.add("Unsqueeze", best, body.integers(2)), part.weight("transitions"))
    longer = body.add("Add", body.add("ReduceMax", paths, axes=[1], keepdims=0), emissions)
    before = body.add("ArgMax", paths, axis=1, keepdims=0)
    body.output(body.add("Where", inside, longer, best), "longer", "float32", "batch", tags)
    body.output(
        body.add("Where", inside, before, body.integers(*range(tags))), "before", "int64", "batch", tags
    )
    return body


def _backwards() -> Graph:
    """Make the body `(tag (B,), tags before (B, K)) -> (tag before (B,), the same)`."""
    body = Graph("backwards.")
    tag = body.input("tag", "int64", "batch")
    origins = body.input("before", "int64", "batch", "tags")
    column = body.add("Unsqueeze", tag, body.integers(1))
    before = body.add("Squeeze", body.add("GatherElements", origins, column, axis=1), body.integers(1))
    body.output(before, "earlier", "int64", "batch")
    body.output(before, "chosen", "int64", "batch")
    return body
