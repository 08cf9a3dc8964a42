"""What a training changes in the whole process, put back for a program that trains inside its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def settings_restored() -> Iterator[None]:
    """Leave PyTorch's number of threads, precision and random state, on every device, as they were before."""
    threads, tf32 = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if used else ()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = tf32
