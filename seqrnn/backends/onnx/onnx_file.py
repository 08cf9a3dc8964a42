"""A graph as the bytes of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import seqrnn
from seqrnn.backends.onnx.graph import OPSET, Graph, Node, Port
from seqrnn.errors import UsageError

IR_VERSION = 8  # of the file format, which belongs to the operators' version
MOST_BYTES = 2**31 - 2**20  # a file is one message of protobuf, which may have 2 GiB


def to_bytes(graph: Graph, about: str, metadata: Mapping[str, str]) -> bytes:
    """Return the file of a graph, with what there is to know `about` it for people and programs.

    Raises UsageError where onnx is not installed, or the file would be too large.
    """
    helper = _import_onnx().helper
    size = sum(array.nbytes for array in graph.arrays.values())
    if size > MOST_BYTES:
        raise UsageError(f"weights of {size:,} bytes do not fit into an ONNX file; train a smaller model")
    model = helper.make_model(
        _graph(graph, "seqrnn"),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="seqrnn",
        producer_version=seqrnn.__version__,
        doc_string=about,
    )
    helper.set_model_props(model, dict(metadata))
    _import_onnx().checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _import_onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise UsageError("ONNX files are written by onnx; install it: pip install 'seqrnn[onnx]'") from None
    return onnx


def _graph(graph: Graph, name: str) -> Any:
    onnx = _import_onnx()
    return onnx.helper.make_graph(
        [_node(node) for node in graph.nodes],
        name,
        [_port(port) for port in graph.inputs],
        [_port(port) for port in graph.outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.arrays.items()],
    )


def _port(port: Port) -> Any:
    return _import_onnx().helper.make_tensor_value_info(port.name, _type(port.kind), port.shape)


def _node(node: Node) -> Any:
    attributes = {name: _attribute(name, value) for name, value in node.attributes.items()}
    return _import_onnx().helper.make_node(
        node.operator, node.inputs, node.outputs, node.outputs[0], **attributes
    )


def _attribute(name: str, value: Any) -> Any:
    """Return an attribute as onnx has it: a graph, a type, or the value itself."""
    if isinstance(value, Graph):
        return _graph(value, name)
    return _type(value) if name == "to" else value


def _type(kind: str) -> int:
    onnx = _import_onnx()
    number: int = getattr(onnx.TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}.get(kind, kind.upper()))
    return number
