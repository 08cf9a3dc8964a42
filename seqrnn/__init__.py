"""seqrnn: recurrent networks for sequences, from the shell and from Python.

    import seqrnn

    model = seqrnn.load("runs/mails")
    for answer in model.classify(["my chain broke", "where is my lamp?"]):
        print(answer.prediction, answer.probability)

Names are imported when they are first used, so `import seqrnn` costs nothing, and PyTorch is imported only to
train, to evaluate, to explain and to read images. docs/api.md tells of all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqrnn.data.dataset.progress import Preparing
    from seqrnn.errors import (
        AmbiguousDataError,
        ConfigError,
        DataError,
        LockedError,
        MemoryLimit,
        ModelError,
        NumericError,
        OutputError,
        SeqrnnError,
        UsageError,
    )
    from seqrnn.library.cross_validation import CrossValidation, cross_validate
    from seqrnn.library.explanations import Explanation, OutputExplanation
    from seqrnn.library.public_model import Model, load
    from seqrnn.library.results import Candidate, LineScore, RowAnswer
    from seqrnn.library.training import TrainingResult, train
    from seqrnn.metrics.classification import ClassScores, Confusion
    from seqrnn.metrics.evaluation import Evaluation
    from seqrnn.training.events import (
        Evaluated,
        Event,
        Finished,
        Measured,
        RolledBack,
        Saved,
        Started,
        Stepped,
    )

__version__ = "0.1.0"

__all__ = [
    "AmbiguousDataError",
    "Candidate",
    "ClassScores",
    "ConfigError",
    "Confusion",
    "CrossValidation",
    "DataError",
    "Evaluated",
    "Evaluation",
    "Event",
    "Explanation",
    "Finished",
    "LineScore",
    "LockedError",
    "Measured",
    "MemoryLimit",
    "Model",
    "ModelError",
    "NumericError",
    "OutputError",
    "OutputExplanation",
    "Preparing",
    "RolledBack",
    "RowAnswer",
    "Saved",
    "SeqrnnError",
    "Started",
    "Stepped",
    "TrainingResult",
    "UsageError",
    "__version__",
    "cross_validate",
    "load",
    "train",
]

_MODULES = {
    "seqrnn.data.dataset.progress": ("Preparing",),
    "seqrnn.training.events": (
        "Evaluated",
        "Event",
        "Finished",
        "Measured",
        "RolledBack",
        "Saved",
        "Started",
        "Stepped",
    ),
    "seqrnn.library.cross_validation": ("CrossValidation", "cross_validate"),
    "seqrnn.library.public_model": ("Model", "load"),
    "seqrnn.library.explanations": ("Explanation", "OutputExplanation"),
    "seqrnn.library.results": ("Candidate", "LineScore", "RowAnswer"),
    "seqrnn.metrics.classification": ("ClassScores", "Confusion"),
    "seqrnn.metrics.evaluation": ("Evaluation",),
    "seqrnn.library.training": ("TrainingResult", "train"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used. Raises AttributeError for any other."""
    if name not in __all__:
        raise AttributeError(f"module 'seqrnn' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "seqrnn.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
