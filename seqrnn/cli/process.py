"""What the process is told about threads, memory and the library that multiplies matrices for NumPy."""

from __future__ import annotations

import os
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
ZEN_3_AND_4 = "25"  # AMD's number of the family
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # as malloc.h has them
MAX_RETAINED_BYTES = 256 << 20  # bytes that are not worth handing back to the system
MOST_FROM_HEAP = 32 << 20  # bytes of an array, the most that glibc accepts
YOUNG = 50_000  # objects between two runs of the garbage collector: those of some thousand rows


def limit_threads(threads: int) -> int:
    """Bound the threads of the libraries that compute, which look once, when a command imports them.

    The products of NumPy get one: parts of the input are answered side by side, which needs no waiting.
    """
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": str(threads)})
    if _is_zen_3_or_4():
        # OpenBLAS would take its kernels for AVX-512, which these compute in two halves: 15 % slower.
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
    return threads


def _is_zen_3_or_4() -> bool:
    try:
        with CPU_INFO.open() as file:
            start = file.read(512)
    except OSError:
        return False
    entries = dict(line.split(":", 1) for line in start.splitlines() if ":" in line)
    found = {name.strip(): value.strip() for name, value in entries.items()}
    return (found.get("vendor_id"), found.get("cpu family")) == ("AuthenticAMD", ZEN_3_AND_4)


def widen_products(threads: int) -> None:
    """Let each product of NumPy take so many threads: for one text, whose steps must wait for each other.

    OpenBLAS does so only with matrices of about half a million numbers and more.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads, user_api="blas")


def prepare_for_many_rows() -> None:
    """Keep memory once it was used, and leave alone what stays.

    The garbage collector would look through the model and all modules again and again.
    """
    import gc

    keep_memory()
    gc.freeze()
    gc.set_threshold(YOUNG)


def keep_memory() -> None:
    """Have glibc keep what was used, up to `MAX_RETAINED_BYTES`.

    Otherwise it hands the large arrays of each batch back to the system, which fills them with zeros for the
    next one. An update of a tagger takes 5 % less time without that.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library, with other habits
    mallopt(M_TRIM_THRESHOLD, MAX_RETAINED_BYTES)
    mallopt(M_MMAP_THRESHOLD, MOST_FROM_HEAP)
