"""Which steps of a row a network's answer hangs on, by its gradient or by leaving each of them out.

Shapes: B copies of a row, one for each output that is explained; S steps that are read, E their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from seqrnn.backends.torch.attention_weights import noted_weights
from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.rnn import RNN
from seqrnn.data.dataset.batching import Batch
from seqrnn.tasks.explained import ExplainedOutput
from seqrnn.tasks.scorer import Values

LAYERS = ("encoder", "rnn", "reader.layers.0")
"""Names of the module that reads what a row is turned into: recurrent layers, or a first layer."""


class Observer:
    """Asks a network on the CPU of more than its answer. Its weights are left as they are."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        layers = dict(model.named_modules())
        found = (layers[name] for name in LAYERS if isinstance(layers.get(name), RNN | nn.Linear))
        self._layer = next(found, None)
        self._ngrams = layers.get("ngrams")

    @property
    def has_gradient(self) -> bool:
        """Whether all that is read goes through one layer, or n-grams, so that its gradient tells all."""
        return self._layer is not None

    @property
    def has_ngrams(self) -> bool:
        """Whether scores of n-grams are added to those of the steps."""
        return self._ngrams is not None

    @torch.no_grad()
    def values(self, batch: Batch) -> tuple[Values, np.ndarray | None]:
        """Return what the network computes of a batch, and its attention (B, Q, S), if any."""
        with noted_weights() as noted:
            values = self._values(batch)
        arrays = {name: value.cpu().numpy() for name, value in values.items()}
        return arrays, noted[0].float().cpu().numpy() if noted else None

    def gradient_times_input(self, batch: Batch, outputs: Sequence[ExplainedOutput]) -> np.ndarray:
        """Return for each row b the gradient of the score of `outputs[b]`, times its input: (B, S, E).

        The input is what the first layer reads: vectors of tokens, or numbers. The unit is that of the score,
        which is nats for what has a probability. A sum over E says how much a step speaks for the output.
        """
        with self._read() as read:
            gradient = self._gradient(batch, outputs, read)
        product: np.ndarray = (gradient * read[0]).detach().cpu().numpy()
        return product

    def ngram_scores(self, batch: Batch) -> np.ndarray:
        """Return the scores of the n-grams of each row of a batch, (B, K)."""
        with torch.no_grad(), self._ngrams_read() as read:
            self._values(batch)
        return read[0].cpu().numpy()

    def ngram_gradients(self, batch: Batch, outputs: Sequence[ExplainedOutput]) -> np.ndarray:
        """Return the gradient of the score of `outputs[b]` in each row b, at the scores of n-grams (B, K)."""
        with self._ngrams_read() as read:
            found: np.ndarray = self._gradient(batch, outputs, read).cpu().numpy()
        return found

    def _gradient(self, batch: Batch, outputs: Sequence[ExplainedOutput], read: list[Tensor]) -> Tensor:
        """Return the gradient of the score of `outputs[b]` in each row b, at what is kept in `read`."""
        values = self._values(batch)
        picked = [values[output.name][(row, *output.at)] for row, output in enumerate(outputs)]
        (gradient,) = torch.autograd.grad(torch.stack(picked).sum(), read)
        return gradient

    @contextmanager
    def _ngrams_read(self) -> Iterator[list[Tensor]]:
        """Keep the scores of n-grams, (B, K), and a graph that begins with them."""
        read: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Tensor, ...], scores: Tensor) -> Tensor:  # noqa: ARG001
            read.append(scores.detach().requires_grad_(torch.is_grad_enabled()))
            return read[0]

        assert self._ngrams is not None
        hook = self._ngrams.register_forward_hook(keep)
        try:
            yield read
        finally:
            hook.remove()

    def scores(self, batch: Batch, outputs: Sequence[ExplainedOutput]) -> np.ndarray:
        """Return the score of `outputs[b]` in each row b of a batch, (B,)."""
        values, _ = self.values(batch)
        return np.array([values[output.name][(row, *output.at)] for row, output in enumerate(outputs)])

    def _values(self, batch: Batch) -> dict[str, Tensor]:
        arrays = to_tensors(batch, self._device)
        if (logits := getattr(self._model, "token_logits", None)) is not None:
            return {"log_probs": logits(arrays).float().log_softmax(dim=2)}
        values: dict[str, Tensor] = self._model(arrays).values
        return values

    @contextmanager
    def _read(self) -> Iterator[list[Tensor]]:
        """Keep what the first layer reads, (B, S, E), and a graph that begins with it."""
        read: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            first = inputs[0].detach().requires_grad_()
            read.append(first)
            return (first, *inputs[1:])

        assert self._layer is not None
        hook = self._layer.register_forward_pre_hook(keep)
        try:
            yield read
        finally:
            hook.remove()
