"""Runs the command line: `python -m seqrnn`, and the console script `seqrnn`."""

from __future__ import annotations

import gc
import os
import sys
import warnings

from seqrnn.cli.app import app
from seqrnn.cli.streams import prepare_streams


def main() -> None:
    """Run one command and end the process with its exit code."""
    prepare_streams()
    # The library's threads gain little on short texts, and a process that forks after it has used them is
    # warned, or hangs.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, to programmers; users are told what they should know
    try:
        app(prog_name="seqrnn")
    finally:
        gc.freeze()  # the system frees all at once; Python would look through it first


if __name__ == "__main__":
    main()
