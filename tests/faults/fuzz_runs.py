"""Small real runs of every task, and the commands that each of them is asked: what the fuzzer changes.

`python fuzz.py` makes them anew each time; nothing of them is kept in the repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WORDS = ("red", "blue", "old", "new", "cat", "dog")
TINY = (
    *("--hidden-size", "4", "--embedding-size", "3", "--batch-size", "4"),
    *("--steps", "6", "--evaluate-every", "3", "--precision", "fp32"),
)
ALWAYS = ("--threads", "1", "--valid-fraction", "0.2", "--quiet")


@dataclass(frozen=True)
class Kind:
    """How a run is made, and asked: its data by file name, how they are read, the network, rows to ask."""

    data: Mapping[str, str | bytes]
    reading: str
    network: str
    rows: str
    prompt: str | None = None


def words(row: int) -> str:
    return " ".join(WORDS[row % 3 :][: 1 + row % 4])


def lines(template: str, count: int = 20) -> str:
    return "".join(template.format(words(row), "abc"[row % 3], row) + "\n" for row in range(count))


def objects(make, count: int = 20) -> str:
    return "".join(json.dumps(make(row)) + "\n" for row in range(count))


def vectors(row: int) -> list[list[float]]:
    return np.random.default_rng(row).normal(size=(1 + row % 3, 2)).round(2).tolist()


def picture(row: int) -> bytes:
    """A square of one colour as PPM."""
    return b"P6 8 8 255\n" + bytes([40 * (row % 6), 99, 200 - row]) * 64


TAGGED = "\n".join(
    "".join(f"w{(row + step) % 5} {('B-x', 'I-x', 'O')[(row + step) % 3]}\n" for step in range(1 + row % 4))
    for row in range(20)
)
PICTURES: dict[str, str | bytes] = {f"{row}.ppm": picture(row) for row in range(8)}
NOTES = objects(lambda row: {"notes": [[(row + step) % 5, step % 2] for step in range(2 + row % 3)]})

KINDS: Mapping[str, Kind] = {
    "classifier": Kind({"classifier.tsv": lines("{0}\t{1}")}, "--max-tokens 6", "", "red cat\n\nnew dog\n"),
    "labels": Kind(
        {"labels.tsv": lines("{0}\t{1},z")},
        "--multi-label --tokenizer bpe --vocabulary-size 270",
        "--average 0.9 --pooling attention --head mlp",
        "red cat\nnew\n",
    ),
    "tagger": Kind(
        {"tagger.conll": TAGGED},
        "",
        "--character-size 3 --set model.character_embedding_size=3",
        "w1 w2\nw3\n",
    ),
    "writer": Kind(
        {"writer.txt": lines("{0}")},
        "--format lines",
        "--layers 2 --tie-embeddings --embedding-size 4",
        "",
        "red",
    ),
    "story": Kind(
        {"story.txt": lines("{0} and {1}", 40)},
        "--format text --tokenizer bpe --vocabulary-size 270 --lowercase --unicode nfc",
        "--cell gru",
        "",
        "red",
    ),
    "translator": Kind({"translator.tsv": lines("{0}\t{1} {0}")}, "--task seq2seq", "", "red cat\nnew\n"),
    "namer": Kind({"namer.tsv": lines("{1}\t{0}")}, "--source label", "--entry first", "a\nb\n"),
    "painter": Kind(
        {"painter.tsv": "".join(f"{row % 8}.ppm\t{'ab'[row % 2]}\n" for row in range(16)), **PICTURES},
        "--source image --image-size 8",
        "--channels 2",
        "1.ppm\n2.ppm\n",
    ),
    "mover": Kind(
        {"mover.jsonl": objects(lambda row: {"vectors": vectors(row), "label": "abc"[row % 3]})},
        "",
        "--cell elman",
        "[[1, 2], [3, 4]]\n[[0.5, 1]]\n",
    ),
    "sorter": Kind(
        {"sorter.jsonl": objects(lambda row: {"vector": vectors(row)[0], "label": "abc"[row % 3]})},
        "",
        "",
        "[1, 2]\n3 4\n",
    ),
    "judge": Kind(
        {"judge.tsv": lines("{0}\t{2}.5")},
        "--task regression",
        "--bidirectional --layers 2",
        "red cat\nnew\n",
    ),
    "musician": Kind({"musician.jsonl": NOTES}, "--task polyphony --source notes --keys 5", "", ""),
}


def data_of(name: str) -> str:
    """The file that a run was trained on."""
    return next(iter(KINDS[name].data))


def write_data(folder: Path) -> None:
    """Write the data of all runs, and the rows that they are asked, into a folder."""
    for name, kind in KINDS.items():
        for file, content in kind.data.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / f"{name}.rows").write_text(kind.rows)


def training(name: str, run: str) -> list[str]:
    """The command that makes a run."""
    kind = KINDS[name]
    options = f"{kind.reading} {kind.network}".split()
    return ["train", data_of(name), "-o", run, *TINY, *ALWAYS, *options]


def questions(name: str, run: str, beside: str) -> dict[str, list[str]]:
    """The commands that a run is asked, by name; they write into the folder `beside`."""
    kind, data, rows = KINDS[name], data_of(name), f"{name}.rows"
    answers = {"classify": ["classify", "-m", run, rows, "--jsonl"], "lines": ["classify", "-m", run, rows]}
    if kind.prompt is not None:
        short = ["generate", "-m", run, "--prompt", kind.prompt, "--max-len", "5"]
        answers = {"generate": short, "greedy": [*short, "--greedy", "--jsonl"]}
    elif name in {"translator", "namer"}:
        answers = {"generate": ["generate", "-m", run, rows, "--max-len", "5", "--jsonl"]}
    elif not kind.rows:
        answers = {}
    return {
        **answers,
        "inspect": ["inspect", "-m", run, "--json"],
        "report": ["inspect", "-m", run],
        "quantize": ["export", "-m", run, "-o", f"{beside}/int8", "--quantize", "int8"],
        "onnx": ["export", "-m", run, "--onnx", f"{beside}/model.onnx"],
        "evaluate": ["evaluate", "-m", run, data, "--json"],
        "torch": [*answers[min(answers)], "--backend", "torch"]
        if answers
        else ["inspect", "-m", run, "--config"],
        "resume": ["train", "-o", run, "--resume", "--steps", "8", "--quiet"],
        "init": [
            *("train", data, "-o", f"{beside}/new", "--init-from", run, "--steps", "2"),
            *(*ALWAYS, *kind.reading.split()),
        ],
    }
