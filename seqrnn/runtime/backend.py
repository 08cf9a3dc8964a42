"""A trained network in NumPy, ready to answer."""

from __future__ import annotations

from typing import Any

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.catalog import RUNTIMES, load
from seqrnn.runtime.weights import load_network


def can_run(run: OpenedRun) -> bool:
    """Say whether there is a network without PyTorch for the task of a run.

    Images are PyTorch's, and so are sentences about one vector, or whose source is a first input.
    """
    sizes = run.task.sizes()
    of_torch = "channels" in sizes or not sizes.get("sequential", 1) or run.config.model.entry == "first"
    return run.task.model in RUNTIMES and not of_torch


def open_backend(run: OpenedRun) -> Any:
    """Make the network of a run; it offers the protocol of `answering/backend.py` that its task needs.

    Raises ModelError where the weights are not those of the configuration, before memory is taken
    for them.
    """
    network, sizes = load(RUNTIMES[run.task.model]), run.task.sizes()
    return load_network(lambda take: network(take, run.config.model, sizes), run.generation.tensors)
