"""What `import seqrnn` offers: these names, each from its own module, and nothing before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import seqrnn

NAMES = {
    "__version__",
    *("load", "train", "cross_validate", "Model"),
    *("Candidate", "ClassScores", "Confusion", "CrossValidation", "Evaluation", "LineScore", "RowAnswer"),
    *("TrainingResult", "Explanation", "OutputExplanation"),
    *("Preparing", "Event", "Started", "Stepped", "Evaluated", "Saved", "RolledBack", "Finished", "Measured"),
    *("SeqrnnError", "UsageError", "AmbiguousDataError", "ConfigError", "DataError", "ModelError"),
    *("OutputError", "NumericError", "LockedError", "MemoryLimit"),
}


def test_the_public_names_are_these():
    assert set(seqrnn.__all__) == NAMES
    assert len(seqrnn.__all__) == len(NAMES)
    assert set(dir(seqrnn)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_is_there_and_is_documented(name):
    found = getattr(seqrnn, name)
    assert name in {"__version__", "Event"} or found.__doc__
    assert vars(seqrnn)[name] is found


def test_every_error_of_the_library_is_public():
    from seqrnn import errors

    own = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert own <= NAMES


def test_another_name_is_none_of_the_package():
    with pytest.raises(AttributeError, match="module 'seqrnn' has no attribute 'lode'"):
        _ = seqrnn.lode


def test_all_names_can_be_imported_at_once_without_pytorch_and_scikit_learn():
    used = "load; train; cross_validate"
    code = f"from seqrnn import *; import sys; {used}; print({{'torch', 'sklearn'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
