"""Figures that a run keeps beside its checkpoints, each a JSON object of its own.

test.json   what a test has measured: `files`, the `step` of the weights, and the `figures`
            of an evaluation
folds.json  what cross-validation has measured: how many `folds`, the `mean` and the `standard_deviation`
            (of a sample, n - 1) of each figure, and the figures of `each` fold
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

from seqrnn.run.files import replace_file
from seqrnn.run.metrics_log import finite

ResultFile = Literal["test.json", "folds.json"]
TEST: Final = "test.json"
FOLDS: Final = "folds.json"
RESULT_FILES: tuple[ResultFile, ...] = get_args(ResultFile)


def keep_result(run: Path, name: ResultFile, values: Mapping[str, Any]) -> None:
    """Write figures into a run directory, in place of older ones; nan and infinity become null.

    Raises OutputError where that is impossible.
    """
    text = json.dumps(finite(values), ensure_ascii=False, allow_nan=False, indent=2)
    replace_file(run / name, f"{text}\n".encode())
