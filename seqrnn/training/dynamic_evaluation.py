"""Dynamic evaluation: a language model goes on learning from the text that it is measured on.

Each segment is measured first, then the weights take a step against the gradient of its loss, so that what
comes later is expected by a model that has seen the names and the manner of this text (Krause et al. 2018).
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from seqrnn.backends.torch.loss import Loss, Output
from seqrnn.backends.torch.rnn import Layers, detach
from seqrnn.training.optimizer import SGD

RATE, CLIP = 0.5, 1.0
"""A step is so many times the gradient of a segment's mean loss, whose norm is clipped.

Measured with characters and with words (docs/results.md). RMSprop gains a little more with characters, and
does harm with words at the same rate.
"""


class LearningModel(nn.Module):
    """Answers as a model does, and learns from each batch that it has answered; the model itself does not."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._model = copy.deepcopy(model)
        self._trained = [p for p in self._model.parameters() if p.requires_grad]
        self._optimizer = SGD(self._trained, lr=RATE)

    def forward(self, inputs: dict[str, Tensor], carry: Layers | None) -> Output:
        """Return what the model says before it learns from the targets."""
        output: Output = self._model(inputs, carry)
        assert output.loss is not None
        loss = output.loss.total / output.loss.count
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._trained, CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return Output(
            Loss(output.loss.total.detach(), output.loss.count),
            {name: value.detach() for name, value in output.values.items()},
            None if output.carry is None else detach(output.carry),
        )
