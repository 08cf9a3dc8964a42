"""Importing this before NumPy and PyTorch sets their threads and kernels as seqrnn's commands have them."""

from __future__ import annotations

from seqrnn.cli.process import limit_threads
from seqrnn.cli.shared_options import THREADS

limit_threads(THREADS)
