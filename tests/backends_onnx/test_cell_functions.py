"""Formulas of cells as operators of ONNX: what arrays can do, and what is refused in one line."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from seqrnn.backends.numpy import cell_functions as numpy_functions
from seqrnn.backends.onnx import cell_functions
from seqrnn.backends.onnx.cell_functions import GraphArray
from seqrnn.backends.onnx.graph import Graph
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.errors import UsageError

X = np.random.default_rng(1).normal(scale=3.0, size=(2, 6)).astype(np.float32)
FORMULAS = {
    "operators": lambda xp, x: (1.0 - x) * 2.0 + x / 3.0 - 1.0 / (x * x + 1.0) - -x,
    "slices": lambda xp, x: x[..., 1:4] + x[..., ::2] - x[..., -3:],
    "axes": lambda xp, x: (x[..., None] * x[..., None, :])[..., 2] + x[..., 0, None],
    "products": lambda xp, x: ((x[..., None] + x[..., None, :]) @ x[..., None])[..., 0],
    "functions": lambda xp, x: xp.concat([xp.tanh(x), xp.sigmoid(x), xp.relu(x), xp.softplus(x)]),
    "halves": lambda xp, x: xp.at_least_single(x),
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_graph_computes_what_numpy_computes(formula):
    graph = Graph()
    found = formula(cell_functions, GraphArray(graph, graph.input("x", "float32", "batch", 6), ("batch", 6)))
    expected = formula(numpy_functions, X)
    assert found.shape[1:] == expected.shape[1:]
    graph.output(found.name, "y", "float32", *found.shape)
    session = onnxruntime.InferenceSession(to_bytes(graph, "", {}), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": X})[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("formula", [lambda x: x[0], lambda x: x.sum()], ids=["row", "method"])
def test_what_has_no_counterpart_is_refused(formula):
    graph = Graph()
    with pytest.raises(UsageError, match="the cell's formula uses"):
        formula(GraphArray(graph, graph.input("x", "float32", "batch", 6), ("batch", 6)))
