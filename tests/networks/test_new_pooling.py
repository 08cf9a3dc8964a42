"""A new pooling is one file and one line: with them it is trained, and answers on every backend.

The tests of all poolings are run in a process of their own, in which the catalogue has one more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
FILES = (
    "backends_torch/test_classifier.py",
    "backends_numpy/test_networks.py",
    "backends_onnx/test_onnx.py",
)


def test_a_new_pooling_is_one_file_and_one_line():
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    paths = [str(TESTS / file) for file in FILES]
    command = [sys.executable, "-m", "pytest", "-p", "with_both_pooling", *paths, "-k", "both", "-vv"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name for name in FILES if re.search(rf"{name}\S*both\S* PASSED", done.stdout)} == set(FILES)


def test_the_new_pooling_touches_nothing_else():
    line = (HERE / "with_both_pooling.py").read_text().splitlines()[-1]
    assert line == 'POOLINGS["both"] = "both_pooling:BothPooling"'
    lines = (HERE / "both_pooling.py").read_text().splitlines()
    imports = [text for text in lines if text.startswith("from seqrnn")]
    assert imports == ["from seqrnn.networks.ops import Ops, Value"]
