"""A network of the engine and its twin in NumPy, with the same weights."""

from __future__ import annotations

import pytest

from seqrnn.backends.numpy.networks import build_network
from seqrnn.backends.numpy.weights import load_network
from seqrnn.backends.torch.backend import TorchBackend
from seqrnn.backends.torch.parameters import expected_arrays, model_arrays
from seqrnn.data.dataset.batching import BatchOrder


@pytest.fixture
def twins(make_session):
    """A function `(layout, settings, content) -> (session, backend of the engine, network in NumPy)`."""

    def make(layout, settings=None, content=None):
        session = make_session(layout, settings, content)
        model, task = session.model.eval(), session.task

        def read(expected):
            assert expected == expected_arrays(model)
            return model_arrays(model)

        twin = load_network(
            lambda take: build_network(take, task.model, session.config.model, task.sizes()), read
        )
        return session, TorchBackend(model), twin

    return make


@pytest.fixture
def batches():
    """A function `session -> batches of its training data`."""
    return lambda session: list(session.task.batches(session.prepared.train, BatchOrder()))
