"""Every example of docs/api.md runs, and what the page lists is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import seqrnn

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_all_examples_run_one_after_the_other(tmp_path):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    (tmp_path / "page.py").write_text("\n".join(BLOCKS), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(BLOCKS) == 11


@pytest.mark.parametrize("name", [name for name in seqrnn.__all__ if not name.startswith("_")])
def test_the_page_tells_of_every_public_name(name):
    assert re.search(rf"\b{name}\b", PAGE)
