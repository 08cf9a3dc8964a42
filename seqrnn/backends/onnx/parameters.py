"""The trained parameters of a run, held to its configuration, for those who do not ask its network."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqrnn.answering.opened_run import OpenedRun
from seqrnn.backends.numpy.backend import can_run, expected_parameters
from seqrnn.run.tensors import Expected


def read_parameters(run: OpenedRun) -> dict[str, np.ndarray[Any, Any]]:
    """Return the parameters by name. Raises ModelError where they are not those of the configuration."""
    return run.checkpoint.tensors(_expected(run))


def _expected(run: OpenedRun) -> Expected:
    if can_run(run):
        return expected_parameters(run)
    from seqrnn.backends.torch import build  # torch, which alone knows networks that read images

    return build.expected_parameters(run.config, run.task)
