"""Explanations where the right cause is known: which token, or which place of an image, a word comes from."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

import seqrnn
from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch.backend import open_backend
from seqrnn.data.record import Record
from seqrnn.library.row_answerers import row_explainer

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
    answerer = row_explainer(run, open_backend(run, "cpu"))
    by_saliency, by_attention = [], []
    for row, answer in zip(rows[800:], answerer([Record(" ".join(row)) for row in rows[800:]]), strict=True):
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


COLOURS = {"red": (230, 20, 20), "green": (20, 220, 20), "blue": (20, 20, 240), "white": (255, 255, 255)}
GRID = 8  # places along each side of an image of 16 pixels


def draw_square(draw, path):
    """Draw a square of one place on grey: return its colour and its place."""
    pixels = np.full((2 * GRID, 2 * GRID, 3), 90, dtype=np.uint8)
    name, row, column = draw.choice([*COLOURS]), draw.randrange(GRID), draw.randrange(GRID)
    pixels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = COLOURS[name]
    Image.fromarray(pixels).save(path)
    return name, row * GRID + column


def test_the_word_that_names_a_part_of_an_image_is_explained_by_its_place(tmp_path):
    draw = random.Random(1)
    drawn = [draw_square(draw, tmp_path / f"{number}.png") for number in range(330)]
    lines = [f"{number}.png\ta {name} square\n" for number, (name, _) in enumerate(drawn)]
    (tmp_path / "pairs.tsv").write_text("".join(lines[:300]), encoding="utf-8")
    settings = {**SMALL, "tokenizer": "auto", "source_kind": "image", "image_size": 2 * GRID, "channels": 16}
    seqrnn.train(tmp_path / "pairs.tsv", tmp_path / "run", **settings)
    rows = [str(tmp_path / f"{number}.png") for number in range(300, 330)]
    right = []
    for why, (name, place) in zip(seqrnn.load(tmp_path / "run").explain(rows), drawn[300:], strict=True):
        assert (why.grid, len(why.tokens), why.tokens[GRID + 2]) == (GRID, GRID**2, "row 2 column 3")
        assert all(sum(output.attention) == pytest.approx(1.0, abs=1e-4) for output in why.outputs)
        if [output.output for output in why.outputs] == ["a", name, "square"]:
            right.append(why.outputs[1].ranked[0] == place)
    assert len(right) > 24  # of 30 captions, most are right
    assert np.mean(right) >= 0.95
