"""A trained network in NumPy, ready to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.catalog import RUNTIMES, load
from seqrnn.run.tensors import Expected
from seqrnn.runtime.weights import Array, load_network


def can_run(run: OpenedRun) -> bool:
    """Say whether there is a network without PyTorch for a run: not where it reads images, with channels."""
    return run.task.model in RUNTIMES and "channels" not in run.task.sizes()


def open_backend(run: OpenedRun) -> Any:
    """Make the network of a run; it offers the protocol of `answering/backend.py` that its task needs.

    Raises ModelError where the weights are not those of the configuration, before memory is taken
    for them.
    """
    return open_with_parameters(run)[0]


def open_with_parameters(run: OpenedRun) -> tuple[Any, Mapping[str, Array]]:
    """Make the network of a run as `open_backend` does; return its parameters by name as well."""
    network, sizes = load(RUNTIMES[run.task.model]), run.task.sizes()
    parameters: dict[str, Array] = {}

    def read(expected: Expected) -> Mapping[str, Array]:
        parameters.update(run.generation.tensors(expected))
        return parameters

    return load_network(lambda take: network(take, run.config.model, sizes), read), parameters
