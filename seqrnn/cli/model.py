"""The model that a command asks, in a process that is told how many threads it has."""

from __future__ import annotations

from pathlib import Path

from seqrnn.cli.process import widen_products
from seqrnn.library.opened_model import OpenedModel, Resources


def open_model(path: Path, command: str | None, resources: Resources) -> OpenedModel:
    """Open the best network of a run directory. Raises what `OpenedModel` raises."""
    model = OpenedModel(path, command, resources)
    if not model.in_numpy:
        from seqrnn.backends.torch.device import set_threads

        set_threads(resources.threads)
    return model


def widen(model: OpenedModel) -> None:
    """Give all threads to each product: for one text, beside which nothing is computed."""
    if model.in_numpy:
        widen_products(model.resources.threads)
