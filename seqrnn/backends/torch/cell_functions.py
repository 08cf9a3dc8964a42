"""The `FormulaFunctions` of cells' formulas for tensors."""

from __future__ import annotations

import torch
from torch import Tensor, relu, sigmoid, tanh
from torch.nn.functional import linear, softplus

__all__ = ["at_least_single", "concat", "linear", "relu", "sigmoid", "softplus", "tanh"]


def concat(parts: list[Tensor]) -> Tensor:
    """Join tensors along their last axis."""
    return torch.cat(parts, dim=-1)


def at_least_single(x: Tensor) -> Tensor:
    """Turn half precision into single."""
    return x.float() if x.dtype in {torch.bfloat16, torch.float16} else x
