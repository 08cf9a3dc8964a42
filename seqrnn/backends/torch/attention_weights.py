"""The weights by which a network attends, noted as they are computed while somebody listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

_listening: ContextVar[list[Tensor] | None] = ContextVar("_listening", default=None)


def note_weights(weights: Tensor) -> None:
    """Take note of the weights (B, Q, S) of S steps for each of Q queries, where somebody listens."""
    if (noted := _listening.get()) is not None:
        noted.append(weights.detach())


@contextmanager
def noted_weights() -> Iterator[list[Tensor]]:
    """Listen: yield the list to which every attention that computes adds its weights."""
    noted: list[Tensor] = []
    token = _listening.set(noted)
    try:
        yield noted
    finally:
        _listening.reset(token)
