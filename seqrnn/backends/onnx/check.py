"""Whether onnxruntime computes from a file what seqrnn computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqrnn.backends.onnx.graph import Array, Port
from seqrnn.backends.onnx.network import Arrays, Network
from seqrnn.backends.onnx.seq2seq import MEMORY, DecoderNetwork, fed_back
from seqrnn.errors import NumericError, UsageError

ALLOWED = 1e-4
"""The largest difference of a number, or of one above 1 its share."""

BATCHES = (((1,), 1), ((17,), 17), ((6, 0, 4), 6), ((3, 12, 1, 0, 12, 2, 5, 1), 20), ((0, 0), 1))
"""The lengths of rows, and the steps to which they are padded, of each batch that is tried."""


def check(network: Network[Any, Any, Any], ports: Sequence[Port], content: bytes) -> float:
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
                raise _other(port.name, difference)
            largest = max(largest, difference)
    return largest


def check_writing(
    encoder: Network[Any, Any, Any], decoder: DecoderNetwork, contents: Sequence[bytes]
) -> float:
    """Write greedily with the files of an encoder and a decoder; return what `check` does.

    Raises NumericError as that does.
    """
    first, then = map(_open, contents)
    random, largest = np.random.default_rng(2), 0.0
    for lengths, width in BATCHES:
        inputs = encoder.sample(np.array(lengths), width, random)
        given = _run(first, inputs)
        memory = {name: given[name] for name in MEMORY if name in given}
        for tokens, log_probs in decoder.greedy(inputs):
            found = _run(then, {"tokens": tokens, **fed_back(given), **memory})
            distance = np.abs(found["log_probs"] - log_probs) / np.maximum(np.abs(log_probs), 1.0)
            largest, given = max(largest, float(distance.max(initial=0.0))), found
    if not largest <= ALLOWED:
        raise _other("sequences", largest)
    return largest


def _run(session: Any, inputs: Arrays) -> dict[str, Array]:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _other(what: str, difference: float) -> NumericError:
    return NumericError(
        f"onnxruntime computes other {what} than seqrnn, by {difference:.2g}: "
        "nothing was written; report it, with the versions of seqrnn and onnxruntime"
    )


def _difference(port: Port, found: Array, expected: Array, inputs: Arrays) -> float:
    """Return the largest difference, where rows run; infinity where shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    distance = np.abs(found.astype(np.float64) - expected.astype(np.float64)) / np.maximum(
        np.abs(expected), 1.0
    )
    if port.shape[1:2] == ("time",) and "lengths" in inputs:
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
