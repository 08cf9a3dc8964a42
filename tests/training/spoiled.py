"""Trainings in which some updates are not finite."""

from __future__ import annotations

import math
from dataclasses import replace

from seqrnn.backends.torch.loss import Loss


def spoil(session, bad):
    """Make the loss and the carried state nan in the updates `bad`, from 1."""
    forward, calls = session.model.forward, []

    def spoiled(*arguments):
        output = forward(*arguments)
        if not session.model.training:
            return output
        calls.append(0)
        factor = math.nan if len(calls) in bad else 1.0
        carry = output.carry and [tuple(part * factor for part in state) for state in output.carry]
        return replace(output, loss=Loss(output.loss.total * factor, output.loss.count), carry=carry)

    session.model.forward = spoiled
