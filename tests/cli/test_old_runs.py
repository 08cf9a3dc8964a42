"""Run directories that an older seqrnn wrote open, answer and train as they did.

`tests/old_runs` holds one small run a task and variant, with its data and with what that version (commit
85f697b) answered; `make.py` there made them. On the processor that they were made on, answers are equal
byte for byte, but for fields that were added since; on another one products of matrices may differ in their
last digits. So are the weights after 200 updates with the masks of dropout that were drawn then, but for a
few parts in 10^6 where numbers are now normalised in double precision, where a CRF has a backward pass of
its own, and where cells have. Of classifiers those train again that pool by the mean and by attention: with
the largest value the two trainings agree to 2e-7 for 114 updates, and then two steps of a sentence are 3e-8
apart, so that the gradient goes to another one of them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch.nn.functional as F
from safetensors.numpy import load_file
from torch import nn

import seqrnn
from seqrnn.backends.torch import dropout, embedding, ops

OLD = Path(__file__).parents[1] / "old_runs"
CASES = json.loads((OLD / "answers.json").read_text(encoding="utf-8"))
ASKED = [(name, backend) for name, case in CASES.items() for backend in case["answers"]]
SEPARATED = {"language-model-lines"}
"""What is written after a prompt of words now begins with the blank between the two."""

TRAINED_AGAIN = (
    "classifier-mean",
    "classifier-attention",
    "regression",
    "polyphony",
    "tagger-crf",
    "language-model",
    "seq2seq-none",
)


def assert_same(found, expected):
    """All that the older answer holds is in the new one, numbers but for their last digits."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    else:
        assert found == expected


@pytest.mark.parametrize(("name", "backend"), ASKED)
def test_an_old_run_answers_as_it_did(forker, environment, name, backend):
    case = CASES[name]
    verb, *options = case["command"]
    rows = "".join(f"{row}\n" for row in case["rows"] or ()).encode()
    arguments = [verb, "-m", f"runs/{name}", "--jsonl", "--backend", backend, "--threads", "1", *options]
    result = forker.run(arguments, rows, environment, OLD)
    assert result.returncode == 0, result.stderr.decode()
    found = [*map(json.loads, result.stdout.decode().splitlines())]
    if name in SEPARATED:
        found = [{**answer, "prediction": answer["prediction"].removeprefix(" ")} for answer in found]
    assert_same(found, [*map(json.loads, case["answers"][backend])])


def weights(run):
    return load_file(max(run.glob("gen-*")) / "model.safetensors")


@pytest.fixture
def masks_of_pytorch(monkeypatch):
    """Dropout as it was then; what is drawn now for a seed is other masks."""
    monkeypatch.setattr(dropout.Dropout, "forward", nn.Dropout.forward)
    for module in (embedding, ops):
        monkeypatch.setattr(module, "dropout", F.dropout)


@pytest.mark.usefixtures("masks_of_pytorch")
@pytest.mark.parametrize("name", TRAINED_AGAIN)
def test_a_training_of_200_updates_ends_where_it_did(monkeypatch, tmp_path, name):
    shutil.copytree(OLD / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    # N-grams were not there yet, and are a default now.
    without = {"ngram_buckets": 0} if name.startswith("classifier") else {}
    seqrnn.train(None, "again", config=OLD / "runs" / name / "config.yaml", **without)
    found, expected = weights(tmp_path / "again"), weights(OLD / "runs" / name)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key] == pytest.approx(array, abs=1e-3), key


@pytest.mark.parametrize("name", ["classifier", "language-model", "seq2seq"])
def test_an_old_training_goes_on(forker, environment, tmp_path, name):
    shutil.copytree(OLD / "data", tmp_path / "data")
    shutil.copytree(OLD / "runs" / name, tmp_path / "run")
    result = forker.run(
        ["train", "--resume", "-o", "run", "--steps", "210", "-q"], b"", environment, tmp_path
    )
    assert result.returncode == 0, result.stderr.decode()
    assert (tmp_path / "run" / "gen-00000210").is_dir()
