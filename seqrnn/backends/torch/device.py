"""Where and in which number format the arithmetic runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch

from seqrnn.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Turn `auto`, `cpu` or `cuda:N` into a device; auto takes a GPU where there is one."""
    if name == "auto":
        return _exact(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"`device` {name}: no such device; use auto, cpu or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"`device` {name}: {torch.cuda.device_count()} CUDA devices here; use `device=cpu`")
    if device.type not in {"cpu", "cuda"}:
        raise UsageError(f"`device` {name}: not supported; use auto, cpu or cuda:N")
    return _exact(device)


def _exact(device: torch.device) -> torch.device:
    """Let float32 be float32 on a GPU as well: what need not be exact is computed in bfloat16 instead."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return device


def choose_precision(name: str, device: torch.device, kernel: str | None) -> torch.dtype:
    """Turn `auto`, `fp32` or `bf16` into a dtype; auto takes bfloat16 where the hardware computes it.

    `kernel` is the class of `torch.nn` that computes the recurrence, if any does. Raises UsageError for
    bfloat16 on a CPU that cannot run it.
    """
    if name == "bf16" and device.type == "cpu" and kernel and not computes_bfloat16(kernel):
        raise UsageError(
            f"`training.precision=bf16`: this CPU has no {kernel} of bfloat16; use `training.precision=fp32`"
        )
    if name != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[name]
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = bool(torch.cpu._is_avx512_bf16_supported())
    return torch.bfloat16 if fast else torch.float32


@cache
def computes_bfloat16(kernel: str) -> bool:
    """Whether a class of `torch.nn` runs in bfloat16 on this CPU: oneDNN's LSTM does not on every one."""
    with torch.random.fork_rng(devices=[]):
        layer = getattr(torch.nn, kernel)(8, 8, batch_first=True)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            layer(torch.zeros(2, 3, 8))
    except RuntimeError:  # it could not create a primitive descriptor
        return False
    return True


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Compute in `dtype` inside the context; weights stay float32."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype)


def set_threads(threads: int | None) -> None:
    """Use that many CPU threads; None leaves PyTorch's choice."""
    if threads is not None:
        torch.set_num_threads(threads)
