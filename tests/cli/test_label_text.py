"""Labels with a newline, a TAB or blanks around them, and labels among the words, through the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

QUICK = ("--steps", "30", "--evaluate-every", "30")
UP, DOWN = "up\nward", "\x1b[31mdown\tside"


@pytest.fixture(scope="module")
def breaker(seqrnn, folder, small) -> Path:
    """A classifier whose labels hold what would break a line."""
    rows = "".join(f'good {i},"{UP}"\nbad {i},"{DOWN} "\n' for i in range(30))
    (folder / "breaks.csv").write_text("text,label\n" + rows, encoding="utf-8")
    result = seqrnn("train", "breaks.csv", "-o", "breaker", *QUICK, *small)
    assert result.returncode == 0, result.stderr.decode()
    assert json.loads((folder / "breaker" / "labels.json").read_text())["labels"] == [DOWN, UP]
    return folder / "breaker"


def test_no_label_breaks_a_line(seqrnn, breaker):
    rows = b"good 1\nbad 2\ngood 3\n"
    names = ["up\\nward", "\x1b[31mdown\\tside", "up\\nward"]
    plain = seqrnn("classify", "-m", breaker, stdin=rows).stdout.decode()
    assert plain == "".join(f"{name}\n" for name in names)
    probs = seqrnn("classify", "-m", breaker, "--probs", "-k", "2", stdin=rows).stdout.decode()
    cells = [line.split("\t") for line in probs.splitlines()]
    assert [(len(row), row[0]) for row in cells] == [(4, name) for name in names]
    answers = seqrnn("classify", "-m", breaker, "--jsonl", stdin=rows).stdout.splitlines()
    assert [json.loads(answer)["prediction"] for answer in answers] == [UP, DOWN, UP]


def test_no_label_breaks_a_table(seqrnn, breaker, folder):
    (folder / "swapped.csv").write_text(f'text,label\ngood,"{DOWN}"\nbad,"{UP}"\ngood,"new\none"\n')
    result = seqrnn("evaluate", "-m", breaker, "swapped.csv")
    lines = result.stdout.decode().splitlines()
    for name in ("up\\nward", "\x1b[31mdown\\tside", "new\\none"):
        assert sum(line.startswith(f"{name} ") for line in lines) >= 1
    told = "seqrnn: 1 label that training did not have, counted as wrong: 'new\\none' (1, "
    assert [line for line in result.stderr.decode().splitlines() if line.startswith(told)]


def test_labels_of_fasttext_are_found_anywhere_and_are_no_words(seqrnn, folder, small):
    pairs = {"pos day": "fine film", "neg night": "dull play"}
    rows = [f"__label__{label.replace(' ', f' {text} __label__')}" for label, text in pairs.items()]
    (folder / "around.txt").write_text("\n".join(rows * 30), encoding="utf-8")
    result = seqrnn("train", "around.txt", "--multi-label", "-o", "around", *QUICK, *small)
    assert result.returncode == 0, result.stderr.decode()
    assert json.loads((folder / "around" / "labels.json").read_text())["labels"] == [
        "day",
        "neg",
        "night",
        "pos",
    ]
    assert "__label__" not in (folder / "around" / "tokenizer.json").read_text()
    asked = [
        seqrnn("classify", "-m", "around", "--jsonl", "-k", "4", stdin="\n".join(texts).encode())
        for texts in (rows, pairs.values())
    ]
    answers = [[json.loads(line) for line in result.stdout.splitlines()] for result in asked]
    for labelled, bare in zip(*answers, strict=True):
        assert labelled.pop("text") != bare.pop("text")
        assert labelled == bare
        assert labelled["unknown"] == 0
