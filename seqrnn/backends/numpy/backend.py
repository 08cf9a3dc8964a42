"""A trained network in NumPy, ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqrnn.answering.backend import Backend
from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.numpy.networks import build_network
from seqrnn.backends.numpy.weights import Array, Take, load_network, parameters_of
from seqrnn.data.fields.input_sizes import ImageSizes
from seqrnn.networks.sizes import input_of
from seqrnn.run.tensors import Expected


def can_run(run: OpenedRun) -> bool:
    """Say whether there is a network without PyTorch for a run: not where it reads images, with channels."""
    return not isinstance(input_of(run.task.sizes()), ImageSizes)


def open_backend(run: OpenedRun) -> Backend:
    """Make the network of a run; it offers the protocol of `answering/backend.py` that its task needs.

    Raises ModelError where the weights are not those of the configuration, before memory is taken
    for them.
    """
    return open_with_parameters(run)[0]


def open_with_parameters(run: OpenedRun) -> tuple[Backend, Mapping[str, Array]]:
    """Make the network of a run as `open_backend` does; return its parameters by name as well."""
    parameters: dict[str, Array] = {}

    def read(expected: Expected) -> Mapping[str, Array]:
        parameters.update(run.checkpoint.tensors(expected))
        return parameters

    return load_network(_description(run), read), parameters


def expected_parameters(run: OpenedRun) -> Expected:
    """Return dtype and shape of each parameter of the network of a run, by name; reads none of them."""
    return parameters_of(_description(run))


def _description(run: OpenedRun) -> Callable[[Take], Backend]:
    sizes = run.task.sizes()
    return lambda take: build_network(take, run.task.model, run.config.model, sizes)
