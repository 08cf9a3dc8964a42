"""What can be done with the packages that are installed: `seqrnn-answering` leaves out those of training."""

from __future__ import annotations

from importlib.util import find_spec

from seqrnn.errors import UsageError

TRAINING = {"torch": "PyTorch", "sklearn": "scikit-learn", "scipy": "SciPy", "sacrebleu": "sacrebleu"}
"""What trains and measures, by the names of the modules."""


def require_training(what: str) -> None:
    """Raise UsageError where a package is missing that `what`, such as "`train()`", needs; import none."""
    missing = [name for module, name in TRAINING.items() if find_spec(module) is None]
    if missing:
        raise UsageError(needs(what, *missing))


def needs(what: str, *packages: str) -> str:
    """Say that packages are missing, and how to get them."""
    listed = " and ".join(filter(None, (", ".join(packages[:-1]), packages[-1])))
    return f"{what} needs {listed}, not installed here; install seqrnn itself, in place of seqrnn-answering"
