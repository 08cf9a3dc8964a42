"""What a network is described with, in NumPy: its layers take their parameters by name."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from seqrnn.backends.numpy.crf import CRF
from seqrnn.backends.numpy.functions import NumpyFunctions
from seqrnn.backends.numpy.inputs import MOST_BROUGHT, Lookup, TokenVectors
from seqrnn.backends.numpy.linear import Linear
from seqrnn.backends.numpy.rnn import RNN, Layers
from seqrnn.backends.numpy.token_steps import TokenSteps
from seqrnn.backends.numpy.weights import Array, Take, within
from seqrnn.cells.sizes import RNNSizes
from seqrnn.networks.ops import Map

EPSILON = 1e-5  # added to a variance, as PyTorch's LayerNorm has it


class NumpyOps(NumpyFunctions):
    """Makes the layers of one part of a network."""

    def __init__(self, take: Take) -> None:
        """Take what hands out the parameters of the part."""
        self._take = take

    def within(self, part: str) -> NumpyOps:
        return NumpyOps(within(self._take, part))

    def order(self, *parts: str) -> None:
        """Do nothing: parameters are found by their names."""

    def linear(
        self, inputs: int, outputs: int, bias: bool = True, tied_to: Embedding | None = None
    ) -> Linear:
        """Make `y = W x + b`."""
        if tied_to is not None:
            return Linear(tied_to.table, self._take("bias", (outputs,)))
        return Linear.take(self._take, inputs, outputs, bias)

    def norm(self, size: int) -> Norm:
        return Norm(self._take("weight", (size,)), self._take("bias", (size,)))

    def embedding(self, vocabulary: int, size: int, **training: Any) -> Embedding:  # noqa: ARG002
        return Embedding(self._take("table.weight", (vocabulary, size)))

    def images(self, channels: int, side: int, width: int) -> NoReturn:
        raise NotImplementedError

    def rnn(self, cell: str, sizes: RNNSizes) -> Recurrence:
        return Recurrence(RNN(self._take, cell, sizes))

    def crf(self, tags: int) -> CRF:
        return CRF(self._take, tags)

    def dropout(self, share: float) -> Map:  # noqa: ARG002
        return lambda x: x

    def zero_states(self, rnn: Recurrence, like: Array) -> Layers:
        return rnn.layers.initial(len(like))


class Embedding:
    """A vector a token."""

    def __init__(self, table: Array) -> None:
        self.table = table

    def __call__(self, tokens: Array) -> TokenVectors:
        """Look up `tokens` (...); what reads the vectors says how."""
        return TokenVectors(self.table, tokens)


class Recurrence:
    """Recurrent layers, which read a sequence in whatever form it is."""

    def __init__(self, layers: RNN) -> None:
        self.layers = layers
        self._first = layers.layers[0][0]
        self._token_steps: TokenSteps | None = None

    def __call__(
        self, x: Array | TokenVectors, lengths: Array, states: Layers | None = None
    ) -> tuple[Lookup, Layers]:
        """Read `x` (B, T, E) of `lengths` (B,): the hidden states of the last layer, and the last states."""
        return self.layers(
            x.lookup(MOST_BROUGHT // self._first.projection_size) if isinstance(x, TokenVectors) else x,
            lengths,
            states,
        )

    def step(self, x: Array | TokenVectors, states: Layers) -> tuple[Array, Layers]:
        """Read one step `x` (B, E)."""
        if isinstance(x, TokenVectors):
            return self.token_steps(x.table)(x.tokens, states)
        return self.layers.step(self._first.project(x), states)

    def token_steps(self, table: Array) -> TokenSteps:
        """Return what reads tokens of a table one at a time; it is the same table every time."""
        if self._token_steps is None:
            self._token_steps = TokenSteps(table, self.layers)
        return self._token_steps


class Norm:
    """Layer normalization over the last axis."""

    def __init__(self, scale: Array, shift: Array) -> None:
        self._scale = scale
        self._shift = shift

    def __call__(self, x: Array) -> Array:
        """Normalize (..., H)."""
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        found: Array = centred / np.sqrt(variance + EPSILON) * self._scale + self._shift
        return found
