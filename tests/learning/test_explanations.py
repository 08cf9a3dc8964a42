"""Explanations where the right cause is known: which token a written one was copied from."""

from __future__ import annotations

import random

import numpy as np
import pytest

import seqrnn
from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch.backend import open_backend
from seqrnn.data.record import Record
from seqrnn.library.asking import explaining

SMALL = {
    "task": "seq2seq",
    "tokenizer": "word",
    "target_tokenizer": "word",
    "attention": "dot",
    "embedding_size": 32,
    "hidden_size": 48,
    "epochs": 6.0,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "dropout": 0.0,
    "embedding_dropout": 0.0,
    "average": 0.0,
    "evaluate_every": 10_000,
    "threads": 1,
    "precision": "fp32",
    "device": "cpu",
}


@pytest.mark.parametrize("turned", [False, True], ids=["copy", "reverse"])
def test_each_written_token_is_explained_by_the_one_it_was_copied_from(turned, tmp_path):
    draw = random.Random(1)
    rows = [[draw.choice("abcdef") for _ in range(draw.randint(2, 6))] for _ in range(840)]
    lines = [f"{' '.join(row)}\t{' '.join(row[::-1] if turned else row)}\n" for row in rows]
    (tmp_path / "pairs.tsv").write_text("".join(lines[:800]), encoding="utf-8")
    seqrnn.train(tmp_path / "pairs.tsv", tmp_path / "run", **SMALL)
    run = open_run(tmp_path / "run")
    asking = explaining(run, open_backend(run, "cpu"))
    by_saliency, by_attention = [], []
    for row, answer in zip(rows[800:], asking([Record(" ".join(row)) for row in rows[800:]]), strict=True):
        outputs = answer.explanation.outputs
        if [output.output for output in outputs] != (row[::-1] if turned else row):
            continue
        right = range(len(row))[::-1] if turned else range(len(row))
        by_saliency += [output.ranked[0] == place for output, place in zip(outputs, right, strict=True)]
        by_attention += [
            int(np.argmax(output.attention)) == place for output, place in zip(outputs, right, strict=True)
        ]
    assert len(by_saliency) > 100  # most are written without a mistake
    assert np.mean(by_attention) >= 0.95
    assert np.mean(by_saliency) >= 0.95
