"""A new task is one file and one line: with them it is trained, measured, explained, asked and exported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EVERYWHERE = """
import sys
import with_yes_no

import seqrnn
from seqrnn.__main__ import main

train, lines, run, model = sys.argv[1:]
result = seqrnn.train(train, run, task="yes-no", hidden_size=8, steps=40, learning_rate=0.03, seed=2)
assert result.task == "yes-no", result
for backend in ("numpy", "torch"):
    answers = seqrnn.load(run, backend=backend).classify(["good it is", "it is bad"])
    assert [answer.prediction for answer in answers] == ["yes", "no"], answers
    assert all(answer.probability > 0.5 for answer in answers), answers
assert seqrnn.load(run).evaluate(train).figures["accuracy"] == 1.0
assert "torch" in sys.modules  # of the training; what answers does without, as for any task

options = {
    "classify": ["-m", run, lines, "--probs"],
    "explain": ["-m", run, lines],
    "evaluate": ["-m", run, train],
    "inspect": [run],
    "export": ["-m", run, "--onnx", model],
}
for command, arguments in options.items():
    sys.argv = ["seqrnn", command, *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
"""


def test_a_new_task_is_one_file_and_one_line(tmp_path):
    texts = {"yes": ("good it is", "it is good"), "no": ("bad it is", "it is bad")}
    rows = [f"{text}\t{label}\n" for label, both in texts.items() for text in both] * 12
    train, lines, run, model = (tmp_path / name for name in ("train.tsv", "lines.txt", "run", "model.onnx"))
    train.write_text("".join(rows))
    lines.write_text("so good\nso bad\n")
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-c", EVERYWHERE, *map(str, (train, lines, run, model))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("yes\t")
    assert "x_1 ... x_T -> h_T -> yes or no" in done.stdout
    assert model.exists()


def test_the_new_task_touches_nothing_else():
    """What it is made of: a file that imports layers below and beside it, and a line in the catalogue."""
    line = (HERE / "with_yes_no.py").read_text().splitlines()[-1]
    assert line == 'TASKS["yes-no"] = "yes_no_task:YesNo"'
    lines = (HERE / "yes_no_task.py").read_text().splitlines()
    layers = {text.split()[1].split(".")[1] for text in lines if text.startswith("from seqrnn")}
    assert layers == {"data", "metrics", "networks", "tasks"}
