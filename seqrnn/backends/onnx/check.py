"""Whether onnxruntime computes from a file what seqrnn computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.backends.onnx.graph import Array, Port
from seqrnn.backends.onnx.network import Arrays, Network
from seqrnn.errors import NumericError, UsageError

ALLOWED = 1e-4
"""The largest difference of a number, or of one above 1 its share."""

BATCHES = (((1,), 1), ((17,), 17), ((6, 0, 4), 6), ((3, 12, 1, 0, 12, 2, 5, 1), 20), ((0, 0), 1))
"""The lengths of rows, and the steps to which they are filled, of each batch that is tried."""


def check(network: Network, ports: Sequence[Port], content: bytes) -> float:
    """Run the file `content` on sample batches; return the largest difference from what NumPy computes.

    Raises NumericError where that is more than `ALLOWED`, and UsageError where onnxruntime is missing.
    """
    session, random = _open(content), np.random.default_rng(1)
    largest = 0.0
    for lengths, width in BATCHES:
        inputs = network.sample(np.array(lengths), width, random)
        expected = network.expected(inputs)
        found = session.run([port.name for port in ports], inputs)
        for port, array in zip(ports, found, strict=True):
            difference = _difference(port, array, expected[port.name], inputs)
            if not difference <= ALLOWED:
                raise NumericError(
                    f"onnxruntime computes other {port.name} than seqrnn, by {difference:.2g}: "
                    "nothing was written; report it, with the versions of seqrnn and onnxruntime"
                )
            largest = max(largest, difference)
    return largest


def _difference(port: Port, found: Array, expected: Array, inputs: Arrays) -> float:
    """Return the largest difference, where rows run; infinity where shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    distance = np.abs(found.astype(np.float64) - expected) / np.maximum(np.abs(expected), 1.0)
    if port.shape[1:2] == ("time",):
        distance = distance[np.arange(found.shape[1]) < inputs["lengths"][:, None]]
    return float(distance.max(initial=0.0))


def _open(content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            "ONNX files are checked by onnxruntime; install it: pip install 'seqrnn[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors: standard error is for people
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
