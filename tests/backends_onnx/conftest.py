"""A network of the engine as a graph, in onnxruntime, with the same weights."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from seqrnn.backends.numpy.networks import build_network
from seqrnn.backends.numpy.weights import load_network
from seqrnn.backends.onnx.network import Trained
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.backends.torch.backend import TorchBackend
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.catalog import GRAPHS, NETWORKS, load


def add_noise(array, deviation):
    array += np.random.default_rng(1).normal(scale=deviation, size=array.shape).astype("float32")


class Exported:
    """A graph in onnxruntime."""

    def __init__(self, network, graph):
        self.network, self.graph = network, graph
        self.file = to_bytes(graph, network.about, {})
        opened = onnxruntime.InferenceSession(self.file, providers=["CPUExecutionProvider"])
        names = [port.name for port in graph.outputs]
        self.answer = lambda inputs: dict(zip(names, opened.run(names, inputs), strict=True))


@pytest.fixture
def exported(make_session):
    """A function `(layout, settings, content, noise) -> session, engine and parts (`Exported`)`.

    `noise` says by part of a parameter's name how much is added to what a network begins with.
    """

    def make(layout, settings=None, content=None, noise=None):
        session = make_session(layout, {"training.batch_size": 16, **(settings or {})}, content)
        task, config = session.task, session.config.model
        parameters = model_arrays(session.model.eval())  # views: what is added here, the engine has, too
        for part, deviation in (noise or {}).items():
            for name in filter(lambda name: part in name, parameters):
                add_noise(parameters[name], deviation)
        twin = load_network(
            lambda take: build_network(take, task.model, config, task.sizes()), lambda _: parameters
        )
        trained = Trained(config, task, parameters, twin)
        networks = [load(name)(trained) for name in GRAPHS[load(NETWORKS[task.model]).learns]]
        parts = [Exported(network, network.graph()) for network in networks]
        engine = TorchBackend(session.model)
        return SimpleNamespace(session=session, engine=engine, parts=parts, **vars(parts[0]))

    return make
