"""Commands that answer choose what computes, and do not load what they do not need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SLOW = {"torch", "sklearn", "scipy", "rich.progress", "sacrebleu"}
LISTING = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from seqrnn.__main__ import main
main()
"""


@pytest.fixture
def modules(folder, environment):
    """A function from the arguments of `seqrnn` and its input to the modules that it has loaded."""

    def run(*args, stdin=b""):
        command = [sys.executable, "-c", LISTING, *map(str, args)]
        result = subprocess.run(
            command, input=stdin, env=environment, cwd=folder, capture_output=True, check=True
        )
        assert result.stdout
        return set(result.stderr.decode().split())

    return run


def test_rows_are_labelled_without_torch(classifier, modules):
    assert not modules("classify", "-m", classifier, "-q", stdin=b"rain again\n") & SLOW


def test_text_is_written_without_torch(storyteller, modules):
    loaded = modules("generate", "-m", storyteller, "--prompt", "a", "--max-len", "5", "-q")
    assert not loaded & SLOW


def test_both_backends_answer_alike(classifier, seqrnn):
    rows = b"rain again\n\nan unknown thing\nfish and rice, a slow boat\n"
    answers = []
    for backend in ("numpy", "torch"):
        result = seqrnn("classify", "-m", classifier, "--jsonl", "-k", "3", "--backend", backend, stdin=rows)
        assert result.returncode == 0
        answers.append([json.loads(line) for line in result.stdout.splitlines()])
    for ours, theirs in zip(*answers, strict=True):
        for name in ("score", "probability"):
            found = [[choice.pop(name) for choice in (*row["nbest"], row)] for row in (ours, theirs)]
            assert found[0] == pytest.approx(found[1], abs=1e-5)
        assert ours == theirs


def test_both_backends_write_the_same_text(storyteller, seqrnn):
    options = ("--prompt", "the ", "--max-len", "40", "--sample", "--seed", "3")
    texts = [
        seqrnn("generate", "-m", storyteller, *options, "--backend", b).stdout for b in ("numpy", "torch")
    ]
    assert len(texts[0]) > 10
    assert texts[0] == texts[1]


def test_numpy_computes_on_no_gpu(classifier, seqrnn):
    result = seqrnn("classify", "-m", classifier, "--backend", "numpy", "--device", "cuda:0")
    assert result.returncode == 2
    assert b"use --backend torch" in result.stderr
