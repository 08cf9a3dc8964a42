"""The recipes of docs/deploying.md run, each on two workers of this machine: `make recipes`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import seqrnn

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
PATIENCE = 300  # seconds for a recipe, which takes less than a tenth of that on an idle machine
BLOCKS = dict(zip(("ray", "pyspark"), re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), strict=True))

pytestmark = pytest.mark.recipes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the recipes read: a run, and rows of which one has no text."""
    folder = tmp_path_factory.mktemp("recipes")
    train = ["train", str(ROOT / "sample_data/mails.train.tsv"), "-o", "runs/mails", "--steps", "20", "-q"]
    subprocess.run([sys.executable, "-m", "seqrnn", *train, "--hidden-size", "16"], cwd=folder, check=True)
    lines = (ROOT / "sample_data/mails.test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [{"text": line.split("\t")[0]} for line in lines] + [{"text": None}]
    (folder / "mails.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("package", "output"), [("ray", "answered-by-ray"), ("pyspark", "answered-by-spark")]
)
def test_a_recipe_answers_as_one_process_does(folder, package, output):
    for needed in (package, "pandas", "pyarrow"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed; make recipes installs it")
    if package == "pyspark" and shutil.which("java") is None:
        pytest.skip("Spark needs a Java, and there is none")
    script = folder / f"{package}_recipe.py"
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "RAY_USAGE_STATS_ENABLED": "0"}
    script.write_text(BLOCKS[package], encoding="utf-8")
    # Into a file, since processes of an engine that is killed may keep a pipe open.
    with (folder / "said.txt").open("w+", encoding="utf-8") as said:
        command = [sys.executable, script.name]
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=said, stderr=said, check=False, timeout=PATIENCE
        )
        said.seek(0)
        assert done.returncode == 0, said.read()[-3000:]

    from pyarrow import parquet

    files = sorted((folder / output).glob("*.parquet"))
    answered = [row for file in files for row in parquet.read_table(file).to_pylist()]
    texts = [json.loads(line)["text"] for line in (folder / "mails.jsonl").read_text().splitlines()]
    expected = seqrnn.load(folder / "runs/mails").classify(texts, errors="return")
    assert len(answered) == len(texts)
    by_text = dict(zip(texts, expected, strict=True))
    for row in answered:
        own = by_text[row["text"]]
        assert row["prediction"] == own.prediction
        assert row["probability"] == pytest.approx(own.probability, abs=1e-6)
